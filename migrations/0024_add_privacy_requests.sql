-- What was found, exported or erased about one person, portion by portion. Nothing says who it was:
-- subject_check is salted with the id, and gone with the progress when the request is finished.
CREATE TABLE privacy_requests (
  id            TEXT PRIMARY KEY,
  kind          TEXT NOT NULL, -- find, export or erase
  asked_by      TEXT NOT NULL, -- email or visitor_cookie
  subject_check TEXT,
  started_at    TEXT NOT NULL,
  finished_at   TEXT,
  counts        TEXT NOT NULL DEFAULT '{}', -- of an erasure: rows deleted by table
  progress      TEXT, -- how far it is and the ids that were found
  receipt       TEXT  -- of an erasure, when it is finished
) WITHOUT ROWID;

-- Serves the list of receipts, and the end of requests that nobody goes on with.
CREATE INDEX privacy_requests_by_kind ON privacy_requests (kind, started_at);

-- Serves the walk through all forms in a stable order, to find an address in them. A lead pays one
-- row for it, a page view nothing.
CREATE INDEX tracking_events_by_form ON tracking_events (id) WHERE event_type = 'form_submit';

-- Serves the erasure of an event together with what the sync remembers of it.
CREATE INDEX pipedrive_persons_by_event ON pipedrive_persons (claimed_event_id);
