"""The two kinds of entries: the same statements on the tables of projects and of pixels.

All statements read one JSON text (`?1`). Pages are read in the order of a UNIQUE index on names: it
is over all projects, and over the pixels of one project (`_SIBLINGS`).
"""

from __future__ import annotations

import re

from services.projects.configuration import PIXEL_SHAPE, PROJECT_SHAPE
from services.projects.entry_values import EntryKind

# A pixel may be created with the id that pages of its site have.
PIXEL_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

_SIBLINGS = "project_id = ?1 ->> 'project_id' AND "


def _select(table: str, project_id: str, url_field: str) -> str:
    return f"""
SELECT
  id, {project_id}, name, {url_field} AS url, configuration, active, created_at, updated_at
FROM {table}
"""


def _page(select: str, siblings: str = "") -> str:
    return f"""
{select} WHERE {siblings}name >= ?1 ->> 'cursor' AND (active OR ?1 ->> 'include_inactive')
  AND (?1 ->> 'ids' IS NULL OR id IN (SELECT value FROM json_each(?1, '$.ids')))
ORDER BY name LIMIT ?1 ->> 'rows'
"""


def _by_name(select: str, siblings: str = "") -> str:
    return f"{select} WHERE {siblings}name = ?1 ->> 'name'"


def _by_id(select: str) -> str:
    return f"{select} WHERE id = ?1 ->> 'id'"


def _change(table: str, url_field: str) -> str:
    """Changes only a row that is still as it was read; OR IGNORE leaves a name to its owner."""
    return f"""
UPDATE OR IGNORE {table} SET
  name = ?1 ->> 'name', {url_field} = ?1 ->> 'url',
  configuration = ?1 ->> 'configuration', active = ?1 ->> 'active'
WHERE id = ?1 ->> 'id'
  AND name = ?1 ->> '$.stored.name' AND {url_field} IS ?1 ->> '$.stored.url'
  AND configuration IS ?1 ->> '$.stored.configuration' AND active IS ?1 ->> '$.stored.active'
RETURNING id
"""


def _switch_off(table: str) -> str:
    return f"UPDATE {table} SET active = 0 WHERE id = ?1 ->> 'id' AND active IS NOT 0"


_SELECT_PROJECT = _select("projects", "NULL AS project_id", "webhook_url")
_SELECT_PIXEL = _select("pixels", "project_id", "website_url")

PROJECT_OF_PIXELS = f"{_SELECT_PROJECT} WHERE id = ?1 ->> 'project_id'"

PROJECT_KIND = EntryKind(
    noun="project",
    url_field="webhook_url",
    shape=PROJECT_SHAPE,
    page=_page(_SELECT_PROJECT),
    by_id=_by_id(_SELECT_PROJECT),
    by_name=_by_name(_SELECT_PROJECT),
    create="""
INSERT INTO projects (id, name, webhook_url, configuration, active)
VALUES (
  ?1 ->> 'id', ?1 ->> 'name', ?1 ->> 'url', ?1 ->> 'configuration', ?1 ->> 'active'
)
ON CONFLICT (name) DO NOTHING
""",
    change=_change("projects", "webhook_url"),
    switch_off=_switch_off("projects"),
)

PIXEL_KIND = EntryKind(
    noun="pixel",
    url_field="website_url",
    shape=PIXEL_SHAPE,
    page=_page(_SELECT_PIXEL, _SIBLINGS),
    by_id=_by_id(_SELECT_PIXEL),
    by_name=_by_name(_SELECT_PIXEL, _SIBLINGS),
    create="""
INSERT INTO pixels (id, project_id, name, website_url, configuration, active)
SELECT
  ?1 ->> 'id', id, ?1 ->> 'name', ?1 ->> 'url', ?1 ->> 'configuration', ?1 ->> 'active'
FROM projects WHERE id = ?1 ->> 'project_id' AND active
ON CONFLICT DO NOTHING
""",
    change=_change("pixels", "website_url"),
    switch_off=_switch_off("pixels"),
    owner=PROJECT_OF_PIXELS,
    id_format=PIXEL_ID,
)
