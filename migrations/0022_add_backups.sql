-- The backups of this database: what each one is, how far it got, and how it ended. Their truth is
-- in R2, because this table is gone when the database is.
CREATE TABLE backups (
  id          TEXT PRIMARY KEY,
  kind        TEXT NOT NULL,
  label       TEXT,
  state       TEXT NOT NULL,
  error       TEXT,
  started_at  TEXT NOT NULL,
  finished_at TEXT,
  verified_at TEXT,
  rows        INTEGER NOT NULL DEFAULT 0,
  bytes       INTEGER NOT NULL DEFAULT 0,
  progress    TEXT NOT NULL
) WITHOUT ROWID;

-- What changed or went, in order, so that a backup of the last hour reads these rows alone. New
-- events are found by their id, and with them their sessions and visitors.
CREATE TABLE row_changes (
  seq        INTEGER PRIMARY KEY,
  table_name TEXT NOT NULL,
  key        TEXT NOT NULL,
  deleted    INTEGER NOT NULL
);

CREATE TRIGGER tracking_events_changed AFTER UPDATE ON tracking_events BEGIN INSERT INTO row_changes (table_name, key, deleted) VALUES ('tracking_events', NEW.id, 0); END;
CREATE TRIGGER tracking_events_deleted AFTER DELETE ON tracking_events BEGIN INSERT INTO row_changes (table_name, key, deleted) VALUES ('tracking_events', OLD.id, 1); END;
CREATE TRIGGER sessions_deleted AFTER DELETE ON sessions BEGIN INSERT INTO row_changes (table_name, key, deleted) VALUES ('sessions', OLD.id, 1); END;
CREATE TRIGGER visitors_deleted AFTER DELETE ON visitors BEGIN INSERT INTO row_changes (table_name, key, deleted) VALUES ('visitors', OLD.id, 1); END;
-- An event that comes and goes between two backups takes its session and its visitor out of sight.
CREATE TRIGGER young_events_deleted AFTER DELETE ON tracking_events WHEN OLD.timestamp > datetime('now', '-2 days') BEGIN INSERT INTO row_changes (table_name, key, deleted) SELECT 'sessions', OLD.session_id, 0 WHERE OLD.session_id IS NOT NULL UNION ALL SELECT 'visitors', OLD.visitor_id, 0 WHERE OLD.visitor_id IS NOT NULL; END;
