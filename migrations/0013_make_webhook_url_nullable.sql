-- Column by column, because dropping the table would take the pixels with it (ON DELETE CASCADE,
-- and D1 keeps foreign keys on during a migration).
ALTER TABLE projects ADD COLUMN optional_webhook_url TEXT;

-- The trigger on updates would stamp updated_at of every row, and cannot be dropped, because its
-- name in production is not known. OR IGNORE also governs what a trigger does, so this check makes
-- it skip the stamp. https://www.sqlite.org/lang_createtrigger.html
ALTER TABLE projects ADD COLUMN kept_updated_at TEXT CHECK (kept_updated_at = updated_at);
UPDATE OR IGNORE projects SET optional_webhook_url = webhook_url, kept_updated_at = updated_at;
ALTER TABLE projects DROP COLUMN kept_updated_at;

ALTER TABLE projects DROP COLUMN webhook_url;
ALTER TABLE projects RENAME COLUMN optional_webhook_url TO webhook_url;

-- Rows whose parent is missing would stop the next migrations, which copy them under foreign keys.
-- Each missing project and pixel gets a row again, switched off, so that nothing is deleted and its
-- events can be exported.
INSERT INTO projects (id, name, active)
SELECT DISTINCT project_id, 'missing project ' || project_id, 0 FROM pixels
WHERE project_id NOT IN (SELECT id FROM projects WHERE id IS NOT NULL);

INSERT INTO projects (id, name, active)
SELECT 'missing-project', 'missing project', 0
WHERE NOT EXISTS (SELECT 1 FROM projects WHERE id = 'missing-project')
  AND EXISTS (
    SELECT 1 FROM tracking_events
    WHERE pixel_id NOT IN (SELECT id FROM pixels WHERE id IS NOT NULL)
  );

INSERT INTO pixels (id, project_id, name, active)
SELECT
  missing.pixel_id, coalesce(projects.id, 'missing-project'), 'missing pixel ' || missing.pixel_id,
  0
FROM (
  SELECT pixel_id, min(project_id) AS project_id FROM tracking_events
  WHERE pixel_id NOT IN (SELECT id FROM pixels WHERE id IS NOT NULL)
  GROUP BY pixel_id
) AS missing
LEFT JOIN projects ON projects.id = missing.project_id;
