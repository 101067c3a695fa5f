ALTER TABLE tracking_events ADD COLUMN gclid TEXT;
ALTER TABLE tracking_events ADD COLUMN fbclid TEXT;
ALTER TABLE tracking_events ADD COLUMN msclkid TEXT;
ALTER TABLE tracking_events ADD COLUMN ttclid TEXT;
ALTER TABLE tracking_events ADD COLUMN twclid TEXT;
ALTER TABLE tracking_events ADD COLUMN li_fat_id TEXT;
ALTER TABLE tracking_events ADD COLUMN sc_click_id TEXT;

CREATE INDEX idx_events_gclid ON tracking_events (gclid);
CREATE INDEX idx_events_fbclid ON tracking_events (fbclid);
