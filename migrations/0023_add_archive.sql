-- What left tracking_events for R2: the parts of each pixel and UTC day, each with the place of its
-- oldest and its newest event. A part without its row here does not count.
CREATE TABLE archive_batches (
  pixel_id        TEXT NOT NULL,
  day             TEXT NOT NULL,
  batch           TEXT NOT NULL,
  events          INTEGER NOT NULL,
  first_timestamp TEXT NOT NULL,
  first_id        INTEGER NOT NULL,
  last_timestamp  TEXT NOT NULL,
  last_id         INTEGER NOT NULL,
  sha256          TEXT NOT NULL,
  bytes           INTEGER NOT NULL,
  archived_at     TEXT NOT NULL,
  PRIMARY KEY (pixel_id, day, batch)
) WITHOUT ROWID;
