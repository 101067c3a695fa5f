-- How many requests were answered 5xx, by minute. Nothing is written while all goes well.
CREATE TABLE failed_requests (
  minute TEXT PRIMARY KEY,
  number INTEGER NOT NULL
) WITHOUT ROWID;
