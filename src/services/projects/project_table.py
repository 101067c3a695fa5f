"""The table of projects, as it is managed. Its UNIQUE index on names is what pages are read by."""

from __future__ import annotations

from services.projects.configuration import OF_A_PROJECT
from services.projects.entry_values import Kind

_SELECT = """
SELECT
  id, NULL AS project_id, name, webhook_url AS url, configuration, active, created_at, updated_at
FROM projects
"""

PROJECT_PAGE = f"""
{_SELECT} WHERE name >= ?1 ->> 'cursor' AND (active OR ?1 ->> 'include_inactive')
ORDER BY name LIMIT ?1 ->> 'rows'
"""

FIND_PROJECT = f"{_SELECT} WHERE id = ?1 ->> 'id'"

PROJECT_OF_PIXELS = f"{_SELECT} WHERE id = ?1 ->> 'project_id'"

PROJECT_BY_NAME = f"{_SELECT} WHERE name = ?1 ->> 'name'"

CREATE_PROJECT = """
INSERT INTO projects (id, name, webhook_url, configuration, active)
VALUES (
  ?1 ->> 'id', ?1 ->> 'name', ?1 ->> 'url', ?1 ->> 'configuration', ?1 ->> 'active'
)
ON CONFLICT (name) DO NOTHING
"""

# Only what is still as it was read; OR IGNORE leaves a name to who has it.
CHANGE_PROJECT = """
UPDATE OR IGNORE projects SET
  name = ?1 ->> 'name', webhook_url = ?1 ->> 'url',
  configuration = ?1 ->> 'configuration', active = ?1 ->> 'active'
WHERE id = ?1 ->> 'id'
  AND name = ?1 ->> '$.stored.name' AND webhook_url IS ?1 ->> '$.stored.url'
  AND configuration IS ?1 ->> '$.stored.configuration' AND active IS ?1 ->> '$.stored.active'
RETURNING id
"""

SWITCH_OFF_PROJECT = "UPDATE projects SET active = 0 WHERE id = ?1 ->> 'id' AND active IS NOT 0"

PROJECTS = Kind(
    noun="project",
    url_field="webhook_url",
    shape=OF_A_PROJECT,
    page=PROJECT_PAGE,
    find=FIND_PROJECT,
    named=PROJECT_BY_NAME,
    create=CREATE_PROJECT,
    change=CHANGE_PROJECT,
    switch_off=SWITCH_OFF_PROJECT,
)
