ALTER TABLE tracking_events ADD COLUMN pipedrive_sync_status TEXT;
ALTER TABLE tracking_events ADD COLUMN pipedrive_sync_at TEXT;
ALTER TABLE tracking_events ADD COLUMN pipedrive_person_id TEXT;

CREATE INDEX idx_events_sync_status ON tracking_events (pipedrive_sync_status);
CREATE INDEX idx_events_unsynced ON tracking_events (pipedrive_sync_status, created_at)
WHERE event_type = 'form_submit';
