-- Names in the configurations of the old Worker are not commands: it wrote some that it never read,
-- retention_days among them. They stay readable under legacy. The one name that it obeyed,
-- pipedrive_enabled, stays where it is.
-- As in 0013, the CHECK keeps the trigger from stamping updated_at.
ALTER TABLE projects ADD COLUMN kept_updated_at TEXT CHECK (kept_updated_at = updated_at);
UPDATE OR IGNORE projects SET
  kept_updated_at = updated_at,
  configuration = json_set(
    iif(
      json_type(configuration, '$.pipedrive_enabled') IS NULL, '{}',
      json_object('pipedrive_enabled', configuration -> '$.pipedrive_enabled')
    ),
    '$.legacy', json_remove(configuration, '$.pipedrive_enabled')
  )
WHERE iif(
  json_valid(configuration),
  json_type(configuration) = 'object'
    AND json_remove(configuration, '$.pipedrive_enabled') <> '{}',
  0
);
ALTER TABLE projects DROP COLUMN kept_updated_at;

ALTER TABLE pixels ADD COLUMN kept_updated_at TEXT CHECK (kept_updated_at = updated_at);
UPDATE OR IGNORE pixels SET
  kept_updated_at = updated_at, configuration = json_object('legacy', json(configuration))
WHERE iif(
  json_valid(configuration),
  json_type(configuration) = 'object' AND json(configuration) <> '{}',
  0
);
ALTER TABLE pixels DROP COLUMN kept_updated_at;
