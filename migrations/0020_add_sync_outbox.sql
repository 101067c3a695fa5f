-- The event row is the outbox of the Pipedrive sync: pending while its status is NULL and it is due
-- one day. A due time of NULL is due at once, so that whoever sets a status back to NULL by hand
-- sends the lead again. The year 9999 is never.
ALTER TABLE tracking_events ADD COLUMN pipedrive_due_at TEXT;
ALTER TABLE tracking_events ADD COLUMN pipedrive_lease TEXT;
ALTER TABLE tracking_events ADD COLUMN pipedrive_sync_reason TEXT;

-- What the old Worker never synced and what is older than the three days of retries stays as it is:
-- nobody expects a lead of last year to change in the CRM today. ppp resync sends it on demand.
UPDATE tracking_events
SET pipedrive_due_at = '9999-12-31 23:59:59'
WHERE event_type = 'form_submit'
  AND pipedrive_sync_status IS NULL
  AND coalesce(datetime(created_at) < datetime('now', '-3 days'), 1);

-- Serves the sweep for due submissions and their numbers by status. Page views pay nothing for it.
DROP INDEX tracking_events_by_sync_status;
CREATE INDEX tracking_events_by_sync_status
ON tracking_events (pipedrive_sync_status, coalesce(pipedrive_due_at, ''))
WHERE event_type = 'form_submit';

-- The newest event whose values a person carries, and the newest one that began to write them: an
-- older event never overwrites a newer one. A destination is an account with its field map.
CREATE TABLE pipedrive_persons (
  destination      TEXT NOT NULL,
  person_id        INTEGER NOT NULL,
  claimed_event_id INTEGER NOT NULL,
  written_event_id INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (destination, person_id)
) WITHOUT ROWID;

INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id, written_event_id)
SELECT 'default', CAST(pipedrive_person_id AS INTEGER), max(id), max(id)
FROM tracking_events
WHERE event_type = 'form_submit'
  AND pipedrive_sync_status = 'synced'
  AND CAST(pipedrive_person_id AS INTEGER) > 0
GROUP BY 2;

-- The circuit breaker of each account and how long Pipedrive asked to be left alone.
CREATE TABLE pipedrive_accounts (
  name         TEXT PRIMARY KEY,
  state        TEXT NOT NULL,
  failures     INTEGER NOT NULL,
  successes    INTEGER NOT NULL,
  open_until   TEXT,
  paused_until TEXT
) WITHOUT ROWID;

-- The ledger of jobs. A run without an end holds the lease of its job until lease_until.
CREATE TABLE job_runs (
  id          INTEGER PRIMARY KEY,
  job         TEXT NOT NULL,
  run         TEXT NOT NULL UNIQUE,
  started_at  TEXT NOT NULL,
  lease_until TEXT NOT NULL,
  finished_at TEXT,
  outcome     TEXT,
  summary     TEXT
);

-- Serves the latest run of a job, which also says whether one is at work.
CREATE INDEX job_runs_by_job ON job_runs (job, started_at);
