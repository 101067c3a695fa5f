-- A session belongs to a project, by whichever of its pixels its events came. The column pixel_id
-- stays, for Workers that read it: it is the pixel of the first event. The new name is in no other
-- table, so that no older statement that joins sessions becomes ambiguous.
ALTER TABLE sessions ADD COLUMN owning_project_id TEXT;

-- An older session is over: one lasts a day at most without an event, and an event may be parked for
-- a week. It is never continued, and so needs no project.
UPDATE sessions SET owning_project_id = (SELECT project_id FROM pixels WHERE pixels.id = sessions.pixel_id)
WHERE last_activity > datetime('now', '-8 days');

DROP INDEX IF EXISTS sessions_by_visitor;
CREATE INDEX sessions_by_visitor ON sessions (visitor_id, owning_project_id, started_at);

-- For Workers that do not write the column. One of them binds bytes.
CREATE TRIGGER old_sessions_get_their_project AFTER INSERT ON sessions WHEN NEW.owning_project_id IS NULL BEGIN UPDATE sessions SET owning_project_id = (SELECT project_id FROM pixels WHERE pixels.id = CAST(NEW.pixel_id AS TEXT)) WHERE id = NEW.id; END;
