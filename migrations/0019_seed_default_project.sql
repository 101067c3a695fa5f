-- Another project or pixel may have the id already.
INSERT INTO projects (id, name)
SELECT
  iif(
    EXISTS (SELECT 1 FROM projects WHERE id = 'ppp-default-project'),
    'ppp-default-project-' || lower(hex(randomblob(8))), 'ppp-default-project'
  ),
  'PPP'
WHERE NOT EXISTS (SELECT 1 FROM projects WHERE name = 'PPP');

INSERT INTO pixels (id, project_id, name)
SELECT
  iif(
    EXISTS (SELECT 1 FROM pixels WHERE pixels.id = seed.column1),
    seed.column1 || '-' || lower(hex(randomblob(8))), seed.column1
  ),
  projects.id, seed.column2
FROM projects
CROSS JOIN (
  VALUES
    ('ppp-website-1', 'website1'),
    ('ppp-website-2', 'website2'),
    ('ppp-website-3', 'website3')
) AS seed
WHERE projects.name = 'PPP'
  AND NOT EXISTS (SELECT 1 FROM pixels WHERE pixels.project_id = projects.id);
