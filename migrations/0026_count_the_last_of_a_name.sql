-- Where a configuration says pipedrive_enabled twice, the old Worker obeyed the last one, and 0027
-- reads the first one: both say the same from here on. As in 0013, the CHECK keeps the trigger from
-- stamping updated_at.
--
-- This file is younger than those behind it, and may run after them.
ALTER TABLE projects ADD COLUMN kept_updated_at TEXT CHECK (kept_updated_at = updated_at);
UPDATE OR IGNORE projects SET
  kept_updated_at = updated_at,
  configuration = json_set(configuration, '$.pipedrive_enabled', json((
    SELECT iif(
      type IN ('true', 'false', 'null'), type, iif(type = 'text', json_quote(value), value)
    )
    FROM json_each(configuration) WHERE key = 'pipedrive_enabled' ORDER BY id DESC LIMIT 1
  )))
WHERE 1 < (
  SELECT count(*) FROM json_each(iif(json_valid(configuration), configuration, '{}'))
  WHERE key = 'pipedrive_enabled'
);
ALTER TABLE projects DROP COLUMN kept_updated_at;
