-- A form that its own site rejected has a final status, so that the old Worker, which takes up
-- whatever has none, leaves it alone after a rollback.
UPDATE tracking_events SET pipedrive_sync_status = 'rejected'
WHERE event_type = 'form_submit' AND form_outcome = 'rejected' AND pipedrive_sync_status IS NULL;
