ALTER TABLE sessions ADD COLUMN campaign_region TEXT;
ALTER TABLE sessions ADD COLUMN ad_group TEXT;
ALTER TABLE sessions ADD COLUMN ad_id TEXT;
ALTER TABLE sessions ADD COLUMN search_query TEXT;

ALTER TABLE tracking_events ADD COLUMN campaign_region TEXT;
ALTER TABLE tracking_events ADD COLUMN ad_group TEXT;
ALTER TABLE tracking_events ADD COLUMN ad_id TEXT;
ALTER TABLE tracking_events ADD COLUMN search_query TEXT;

CREATE INDEX idx_events_region ON tracking_events (campaign_region);
CREATE INDEX idx_events_ad_group ON tracking_events (ad_group);
