"""Shared views: links that show the numbers of one project, or one of its pixels, until a date.

The secret of a link is a key that opens reports only. It is told once; the table has its SHA-256.
Every statement reads one JSON text (`?1`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from services.access.api_keys import ApiKey, digest_of_key
from services.core.errors import ConflictError, InvalidFieldsError, NotFoundError, unknown_fields
from services.core.ports import Database, NewId, Row
from services.core.stored_time import format_stored_time
from services.core.text import clean

# By it a secret is told from an API key, so that a wrong key costs no query.
VIEW_PREFIX = "view_"
MAX_NAME_CHARACTERS = 100
MAX_DAYS = 366
VALID_DAYS = range(1, MAX_DAYS + 1)
MAX_VIEWS_OF_PROJECT = 100
FIELDS = ("name", "pixel_id", "days")
_SECRET = re.compile(rf"{VIEW_PREFIX}[0-9a-f]{{64}}")

_COLUMNS = "id, name, project_id, pixel_id, created_at, ends_at, revoked_at"
_IS_OPEN = "revoked_at IS NULL AND ends_at > ?1 ->> 'now'"

CREATE_VIEW = f"""
INSERT INTO shared_views (id, name, project_id, pixel_id, sha256, created_at, ends_at)
SELECT
  ?1 ->> 'id', ?1 ->> 'name', projects.id, ?1 ->> 'pixel_id', ?1 ->> 'sha256', ?1 ->> 'now',
  ?1 ->> 'ends_at'
FROM projects
WHERE projects.id = ?1 ->> 'project_id' AND (
  ?1 ->> 'pixel_id' IS NULL OR EXISTS (
    SELECT 1 FROM pixels WHERE id = ?1 ->> 'pixel_id' AND project_id = projects.id
  )
) AND (
  SELECT count(*) FROM shared_views WHERE project_id = ?1 ->> 'project_id' AND {_IS_OPEN}
) < {MAX_VIEWS_OF_PROJECT}
RETURNING {_COLUMNS}
"""
FIND_PROJECT = """
SELECT id, (
  SELECT count(*) FROM pixels WHERE id = ?1 ->> 'pixel_id' AND project_id = projects.id
) AS pixels
FROM projects WHERE id = ?1 ->> 'project_id'
"""
VIEWS_OF_PROJECT = f"""
SELECT {_COLUMNS} FROM shared_views
WHERE project_id = ?1 ->> 'project_id' AND {_IS_OPEN}
ORDER BY created_at DESC, id
"""
# A view that is revoked again was revoked when it was first.
REVOKE_VIEW = f"""
UPDATE shared_views SET revoked_at = coalesce(revoked_at, ?1 ->> 'now')
WHERE id = ?1 ->> 'id' AND project_id = ?1 ->> 'project_id'
RETURNING {_COLUMNS}
"""
FIND_VIEW = f"SELECT {_COLUMNS} FROM shared_views WHERE sha256 = ?1 ->> 'sha256' AND {_IS_OPEN}"


@dataclass(frozen=True, slots=True)
class NewView:
    """The fields of a view that is to be made, checked; `ends_at` is in UTC."""

    name: str
    pixel_id: str | None
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class SharedViews:
    """The views of all projects. Every method raises UnavailableError when D1 fails."""

    database: Database
    new_id: NewId

    async def create(self, project_id: str, view: NewView, now: datetime) -> tuple[Row, str]:
        """A new view of a project, and the secret of its link.

        Raises:
            NotFoundError: there is no such project, or it has no such pixel.
            ConflictError: the project has too many views.
        """
        secret = f"{VIEW_PREFIX}{self.new_id()}{self.new_id()}"
        parameters = {
            "id": self.new_id(),
            "project_id": project_id,
            "name": view.name,
            "pixel_id": view.pixel_id,
            "sha256": digest_of_key(secret),
            "now": format_stored_time(now),
            "ends_at": format_stored_time(view.ends_at),
        }
        projects, views = await self._rows(FIND_PROJECT, CREATE_VIEW, **parameters)
        if not projects:
            raise NotFoundError("Project not found")
        if view.pixel_id is not None and not projects[0]["pixels"]:
            raise NotFoundError("Pixel not found")
        if not views:
            raise ConflictError(
                f"A project has at most {MAX_VIEWS_OF_PROJECT} shared views", "revoke one first"
            )
        return views[0], secret

    async def open_views(self, project_id: str, now: datetime) -> Sequence[Row]:
        """The views of a project that are open, newest first.

        Raises:
            NotFoundError: there is no such project.
        """
        projects, views = await self._rows(
            *(FIND_PROJECT, VIEWS_OF_PROJECT), project_id=project_id, now=format_stored_time(now)
        )
        if not projects:
            raise NotFoundError("Project not found")
        return views

    async def revoke(self, project_id: str, view_id: str, now: datetime) -> Row:
        """Closes a view at once; a closed one stays closed.

        Raises:
            NotFoundError: the project has no such view.
        """
        parameters = {"id": view_id, "project_id": project_id, "now": format_stored_time(now)}
        [views] = await self._rows(REVOKE_VIEW, **parameters)
        if not views:
            raise NotFoundError("Shared view not found")
        return views[0]

    async def key_of(self, secret: str, now: datetime) -> ApiKey | None:
        """The key that the secret of an open view is; None of any other text."""
        if not _SECRET.fullmatch(secret):
            return None
        sha256 = digest_of_key(secret)
        [views] = await self._rows(FIND_VIEW, sha256=sha256, now=format_stored_time(now))
        return _key(views[0], sha256) if views else None

    async def _rows(self, *statements: str, **parameters: object) -> Sequence[Sequence[Row]]:
        return await self.database.batch_rows(statements, json.dumps(parameters))


def read_new_view(fields: Mapping[str, object], now: datetime) -> NewView:
    """Reads the body of a request for a view; it ends so many `days` from now.

    Raises:
        InvalidFieldsError: a field is unknown, missing or cannot be used.
    """
    problems = unknown_fields(fields, FIELDS)
    name, pixel_id, days = (fields.get(field) for field in FIELDS)
    cleaned = clean(name, MAX_NAME_CHARACTERS + 1) if isinstance(name, str) else None
    if cleaned is None or len(cleaned) > MAX_NAME_CHARACTERS:
        problems.append(f"name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    if pixel_id is not None and not isinstance(pixel_id, str):
        problems.append("pixel_id: must be the id of a pixel, or left out for all of the project")
    # JSON has one kind of number: 30.0 is a whole one.
    if isinstance(days, bool) or not isinstance(days, int | float) or days not in VALID_DAYS:
        problems.append(f"days: must be a whole number from 1 to {MAX_DAYS}")
    if problems:
        raise InvalidFieldsError(problems)
    ends_at = now + timedelta(days=int(cast("float", days)))
    return NewView(cast("str", cleaned), cast("str | None", pixel_id), ends_at)


def _key(view: Row, sha256: str) -> ApiKey:
    pixels = None if view["pixel_id"] is None else frozenset((view["pixel_id"],))
    return ApiKey(
        *(view["name"], "view", sha256),
        projects=frozenset((view["project_id"],)),
        pixels=pixels,
        ends_at=view["ends_at"],
    )
