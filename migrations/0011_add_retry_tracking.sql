ALTER TABLE tracking_events ADD COLUMN pipedrive_retry_count INTEGER DEFAULT 0;
ALTER TABLE tracking_events ADD COLUMN pipedrive_last_retry_at TEXT;

CREATE INDEX idx_events_retry ON tracking_events (pipedrive_retry_count, pipedrive_last_retry_at)
WHERE pipedrive_sync_status = 'error';
