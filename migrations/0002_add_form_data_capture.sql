ALTER TABLE tracking_events ADD COLUMN form_data TEXT;

CREATE INDEX idx_events_form_data ON tracking_events (form_data) WHERE form_data IS NOT NULL;
CREATE INDEX idx_events_type ON tracking_events (event_type);
