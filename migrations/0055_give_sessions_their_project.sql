-- A session belongs to a project, by whichever of its pixels its events came. The column pixel_id
-- stays, for Workers that read it. An older session is over, and needs no project.
ALTER TABLE sessions ADD COLUMN project_id TEXT;

UPDATE sessions SET project_id = (SELECT project_id FROM pixels WHERE pixels.id = sessions.pixel_id)
WHERE last_activity > datetime('now', '-2 days');

DROP INDEX sessions_by_visitor;
CREATE INDEX sessions_by_visitor ON sessions (visitor_id, project_id, started_at);

-- For Workers that do not write the column.
CREATE TRIGGER old_sessions_get_their_project AFTER INSERT ON sessions WHEN NEW.project_id IS NULL BEGIN UPDATE sessions SET project_id = (SELECT project_id FROM pixels WHERE pixels.id = NEW.pixel_id) WHERE id = NEW.id; END;
