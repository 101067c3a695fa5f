"""Projects and pixels as the addresses of the old Worker list, read and change them.

Rows are answered with all their columns, the configuration as JSON text, and only while they are
active. Every statement reads one JSON text (`?1`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.core.errors import ConflictError, InvalidInputError, NotFoundError
from services.core.ports import Database, NewId, Row, UnavailableError
from services.core.text import clean
from services.projects.configuration import PIXEL_SHAPE, PROJECT_SHAPE, Shape
from services.projects.legacy_configuration import legacy_text, sent_text

MAX_NAME_CHARACTERS = 1_000
MAX_URL_CHARACTERS = 2_048
# A change is made again on a row that somebody else changed in between.
MAX_ATTEMPTS = 5

_PROJECT = "id, name, webhook_url, configuration, created_at, updated_at, active"
_PIXEL = """
  pixels.id, pixels.project_id, pixels.name, pixels.website_url, pixels.configuration,
  pixels.created_at, pixels.updated_at, pixels.active
"""
# Where a page begins: the newest entries come first.
_POSITION = "coalesce(created_at, '') || ',' || id"

LIST_PROJECTS = f"""
SELECT {_PROJECT}, {_POSITION} AS position, (
  SELECT count(*) FROM pixels WHERE project_id = projects.id AND active
) AS pixel_count
FROM projects
WHERE active AND (?1 ->> 'cursor' IS NULL OR {_POSITION} <= ?1 ->> 'cursor')
  AND (?1 ->> 'ids' IS NULL OR id IN (SELECT value FROM json_each(?1, '$.ids')))
ORDER BY {_POSITION} DESC LIMIT ?1 ->> 'rows'
"""
READ_PROJECT = f"SELECT {_PROJECT} FROM projects WHERE id = ?1 ->> 'id' AND active"
PIXELS_OF_PROJECT = f"""
SELECT {_PIXEL} FROM pixels WHERE project_id = ?1 ->> 'id' AND active
ORDER BY created_at DESC, id
"""
CREATE_PROJECT = f"""
INSERT INTO projects (id, name, configuration)
VALUES (?1 ->> 'id', ?1 ->> 'name', ?1 ->> 'configuration')
ON CONFLICT (name) DO NOTHING
RETURNING {_PROJECT}
"""
CHANGE_PROJECT = """
UPDATE OR IGNORE projects SET name = ?1 ->> 'name', configuration = ?1 ->> 'configuration'
WHERE id = ?1 ->> 'id' AND active AND configuration IS ?1 ->> 'stored'
RETURNING id
"""
SWITCH_OFF_PIXELS = """
UPDATE pixels SET active = 0
WHERE project_id = (SELECT id FROM projects WHERE id = ?1 ->> 'id' AND active) AND active
"""
SWITCH_OFF_PROJECT = """
UPDATE projects SET active = 0 WHERE id = ?1 ->> 'id' AND active RETURNING id
"""
READ_PIXEL = f"""
SELECT {_PIXEL}, projects.name AS project_name
FROM pixels JOIN projects ON projects.id = pixels.project_id AND projects.active
WHERE pixels.id = ?1 ->> 'id' AND pixels.active
"""
CREATE_PIXEL = """
INSERT INTO pixels (id, project_id, name, website_url, configuration)
SELECT
  ?1 ->> 'pixel_id', id, ?1 ->> 'name', ?1 ->> 'website_url', ?1 ->> 'configuration'
FROM projects WHERE id = ?1 ->> 'id' AND active
ON CONFLICT (project_id, name) DO NOTHING
RETURNING id, project_id, name, website_url, configuration, created_at, updated_at, active
"""
CHANGE_PIXEL = """
UPDATE OR IGNORE pixels SET
  name = ?1 ->> 'name', website_url = ?1 ->> 'website_url',
  configuration = ?1 ->> 'configuration'
WHERE id = ?1 ->> 'id' AND active AND configuration IS ?1 ->> 'stored'
RETURNING id
"""
SWITCH_OFF_PIXEL = """
UPDATE pixels SET active = 0
WHERE id = ?1 ->> 'id' AND active
  AND (SELECT active FROM projects WHERE projects.id = pixels.project_id)
RETURNING id
"""

NO_LIMIT = -1


@dataclass(frozen=True, slots=True)
class LegacyPage:
    """Active projects, the newest first; `next_cursor` is None at the end."""

    projects: Sequence[Row]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LegacyRegister:
    """The old addresses' view of the tables. Every method raises UnavailableError if D1 fails."""

    database: Database
    new_id: NewId

    async def projects(
        self, limit: int | None, cursor: str | None, ids: Collection[str] | None = None
    ) -> LegacyPage:
        """All projects, or a page of at most `limit` of them, each with its `pixel_count`.

        `ids` are those that may be listed; None is all.
        """
        rows_of_page = NO_LIMIT if limit is None else limit + 1
        # Scripts of old wrote cursors of their own, which nobody read.
        position = (limit and cursor) or None
        listed = None if ids is None else sorted(ids)
        [rows] = await self._rows(LIST_PROJECTS, rows=rows_of_page, cursor=position, ids=listed)
        page = rows if limit is None else rows[:limit]
        projects = [{name: row[name] for name in row if name != "position"} for row in page]
        next_cursor = rows[len(page)]["position"] if len(rows) > len(page) else None
        return LegacyPage([_row_json(project) for project in projects], next_cursor)

    async def project(self, project_id: str) -> Row:
        """A project with its active pixels.

        Raises:
            NotFoundError: no active project has this id.
        """
        projects, pixels = await self._rows(READ_PROJECT, PIXELS_OF_PROJECT, id=project_id)
        return {**_required(projects, "Project"), "pixels": [_row_json(pixel) for pixel in pixels]}

    async def pixels(self, project_id: str) -> Sequence[Row]:
        """The active pixels of a project.

        Raises:
            NotFoundError: no active project has this id.
        """
        pixels: Sequence[Row] = (await self.project(project_id))["pixels"]
        return pixels

    async def pixel(self, pixel_id: str) -> Row:
        """A pixel with the name of its project.

        Raises:
            NotFoundError: no active pixel of an active project has this id.
        """
        [rows] = await self._rows(READ_PIXEL, id=pixel_id)
        return _required(rows, "Pixel")

    async def create_project(self, fields: Mapping[str, object]) -> Row:
        """A new project.

        Raises:
            InvalidInputError: it has no name.
            ConflictError: the name is taken.
        """
        name = _name(fields, "Name is required")
        configuration = _replaced("{}", fields, PROJECT_SHAPE)
        [rows] = await self._rows(
            CREATE_PROJECT, id=self._uuid(), name=name, configuration=configuration
        )
        if not rows:
            raise _project_conflict()
        return _row_json(rows[0])

    async def create_pixel(self, project_id: str, fields: Mapping[str, object]) -> Row:
        """A new pixel of a project.

        Raises:
            NotFoundError: no active project has this id.
            InvalidInputError: it has no name.
            ConflictError: the name is taken in this project.
        """
        await self.project(project_id)
        name = _name(fields, "Pixel name is required")
        [rows] = await self._rows(
            CREATE_PIXEL,
            id=project_id,
            pixel_id=self._uuid(),
            name=name,
            website_url=_website_url(fields),
            configuration=_replaced("{}", fields, PIXEL_SHAPE),
        )
        if not rows:
            raise _pixel_conflict()
        return _row_json(rows[0])

    async def change_project(self, project_id: str, fields: Mapping[str, object]) -> Row:
        """Changes the name, if there is one, and replaces the configuration, if there is one.

        Raises:
            NotFoundError: no active project has this id.
            ConflictError: the name is taken.
        """
        for _ in range(MAX_ATTEMPTS):
            [rows] = await self._rows(READ_PROJECT, id=project_id)
            stored = _required(rows, "Project", as_stored=True)
            name = _optional_name(fields) or stored["name"]
            changed, rows = await self._rows(
                CHANGE_PROJECT,
                READ_PROJECT,
                id=project_id,
                name=name,
                configuration=_replaced(stored["configuration"], fields, PROJECT_SHAPE),
                stored=stored["configuration"],
            )
            if changed:
                return _required(rows, "Project")
            if rows and rows[0]["configuration"] == stored["configuration"]:
                raise _project_conflict()
        raise UnavailableError("the project was changed by others in five attempts")

    async def change_pixel(self, pixel_id: str, fields: Mapping[str, object]) -> Row:
        """Changes name and website, if there are any, and replaces the configuration likewise.

        Raises:
            NotFoundError: no active pixel has this id.
            ConflictError: the name is taken in its project.
        """
        for _ in range(MAX_ATTEMPTS):
            [rows] = await self._rows(READ_PIXEL, id=pixel_id)
            stored = _required(rows, "Pixel", as_stored=True)
            changed, rows = await self._rows(
                CHANGE_PIXEL,
                READ_PIXEL,
                id=pixel_id,
                name=_optional_name(fields) or stored["name"],
                website_url=_website_url(fields) or stored["website_url"],
                configuration=_replaced(stored["configuration"], fields, PIXEL_SHAPE),
                stored=stored["configuration"],
            )
            if changed:
                return _required(rows, "Pixel")
            if rows and rows[0]["configuration"] == stored["configuration"]:
                raise _pixel_conflict()
        raise UnavailableError("the pixel was changed by others in five attempts")

    async def switch_off_project(self, project_id: str) -> None:
        """Makes a project and its pixels inactive.

        Raises:
            NotFoundError: no active project has this id.
        """
        _, rows = await self._rows(SWITCH_OFF_PIXELS, SWITCH_OFF_PROJECT, id=project_id)
        if not rows:
            raise NotFoundError("Project not found")

    async def switch_off_pixel(self, pixel_id: str) -> None:
        """Makes a pixel inactive.

        Raises:
            NotFoundError: no active pixel has this id.
        """
        [rows] = await self._rows(SWITCH_OFF_PIXEL, id=pixel_id)
        if not rows:
            raise NotFoundError("Pixel not found")

    async def _rows(self, *statements: str, **parameters: object) -> Sequence[Sequence[Row]]:
        return await self.database.batch_rows(statements, json.dumps(parameters))

    def _uuid(self) -> str:
        """A new id in the form that the old Worker gave: scripts may look for it."""
        digits = self.new_id()
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "-".join(parts)


def _row_json(row: Row) -> Row:
    return {**row, "configuration": legacy_text(row["configuration"])}


def _required(rows: Sequence[Row], noun: str, *, as_stored: bool = False) -> Row:
    if not rows:
        raise NotFoundError(f"{noun} not found")
    return rows[0] if as_stored else _row_json(rows[0])


def _optional_name(fields: Mapping[str, object]) -> str | None:
    value = fields.get("name")
    return clean(value, MAX_NAME_CHARACTERS) if isinstance(value, str) else None


def _name(fields: Mapping[str, object], problem: str) -> str:
    name = _optional_name(fields)
    if name is None:
        raise InvalidInputError(problem)
    return name


def _website_url(fields: Mapping[str, object]) -> str | None:
    value = fields.get("website_url")
    return clean(value, MAX_URL_CHARACTERS) if isinstance(value, str) else None


def _replaced(stored: str | None, fields: Mapping[str, object], shape: Shape) -> str | None:
    """The configuration to store; without one in the fields the stored one."""
    try:
        return sent_text(stored, fields.get("configuration"), shape)
    except ValueError:
        raise InvalidInputError("Invalid JSON payload") from None


def _project_conflict() -> ConflictError:
    return ConflictError("Project name already exists", "choose another name")


def _pixel_conflict() -> ConflictError:
    return ConflictError("Pixel name already exists in this project", "choose another name")
