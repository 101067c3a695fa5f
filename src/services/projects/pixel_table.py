"""The pixels of projects, as they are managed. Events look theirs up in `pixel_cache`.

The UNIQUE index on projects and names is what pages are read by.
"""

from __future__ import annotations

from services.projects.configuration import OF_A_PIXEL
from services.projects.entry_values import Kind
from services.projects.project_table import PROJECT_OF_PIXELS

_SELECT = """
SELECT
  id, project_id, name, website_url AS url, configuration, active, created_at, updated_at
FROM pixels
"""

PIXEL_PAGE = f"""
{_SELECT} WHERE project_id = ?1 ->> 'project_id' AND name >= ?1 ->> 'cursor'
  AND (active OR ?1 ->> 'include_inactive')
ORDER BY name LIMIT ?1 ->> 'rows'
"""

PIXEL_BY_ID = f"{_SELECT} WHERE id = ?1 ->> 'id'"

PIXEL_BY_NAME = f"{_SELECT} WHERE project_id = ?1 ->> 'project_id' AND name = ?1 ->> 'name'"

CREATE_PIXEL = """
INSERT INTO pixels (id, project_id, name, website_url, configuration, active)
SELECT
  ?1 ->> 'id', id, ?1 ->> 'name', ?1 ->> 'url', ?1 ->> 'configuration', ?1 ->> 'active'
FROM projects WHERE id = ?1 ->> 'project_id' AND active
ON CONFLICT (project_id, name) DO NOTHING
"""

# Only what is still as it was read; OR IGNORE leaves a name to who has it.
CHANGE_PIXEL = """
UPDATE OR IGNORE pixels SET
  name = ?1 ->> 'name', website_url = ?1 ->> 'url',
  configuration = ?1 ->> 'configuration', active = ?1 ->> 'active'
WHERE id = ?1 ->> 'id'
  AND name = ?1 ->> '$.stored.name' AND website_url IS ?1 ->> '$.stored.url'
  AND configuration IS ?1 ->> '$.stored.configuration' AND active IS ?1 ->> '$.stored.active'
RETURNING id
"""

SWITCH_OFF_PIXEL = "UPDATE pixels SET active = 0 WHERE id = ?1 ->> 'id' AND active IS NOT 0"

PIXELS = Kind(
    noun="pixel",
    url_field="website_url",
    shape=OF_A_PIXEL,
    page=PIXEL_PAGE,
    find=PIXEL_BY_ID,
    named=PIXEL_BY_NAME,
    create=CREATE_PIXEL,
    change=CHANGE_PIXEL,
    switch_off=SWITCH_OFF_PIXEL,
    owner=PROJECT_OF_PIXELS,
)
