"""Which project a request is about, and the refusal of a key that does not read that project."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from app import App
from services.access.api_keys import ApiKey
from services.core.errors import NotFoundError
from web import Request, Response, error_response

NEEDS_ALL_PROJECTS = "This needs a key that is not limited to projects"


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a request says which project it is about.

    `pixel` and `project`: its path has the id of one, at `segment`. `handler`: the handler leaves
    out what the projects of `request.key` do not have.
    """

    by: Literal["pixel", "project", "handler"]
    segment: int = -1


async def refusal_outside(
    app: App, request: Request, scope: Scope | None, key: ApiKey
) -> Response | None:
    """The refusal of a request about a project that the key does not have; None if it has it.

    It is that of a project or pixel that does not exist. Without a scope a request is about all
    projects. A key for some pixels has nothing of their project but them.

    Raises:
        UnavailableError: D1 failed.
    """
    if key.projects is None or (scope and scope.by == "handler"):
        return None
    if scope is None:
        return error_response(HTTPStatus.FORBIDDEN, NEEDS_ALL_PROJECTS)
    entry_id = request.segment(scope.segment)
    if key.pixels is not None:
        return None if scope.by == "pixel" and entry_id in key.pixels else _not_found(scope)
    project_id = await _project_of(app, entry_id) if scope.by == "pixel" else entry_id
    if project_id in key.projects:
        return None
    return _not_found(scope)


def _not_found(scope: Scope) -> Response:
    return error_response(HTTPStatus.NOT_FOUND, f"{scope.by.capitalize()} not found")


async def _project_of(app: App, pixel_id: str) -> str | None:
    """The project of a pixel as the database has it now, not as an isolate remembers it."""
    try:
        return (await app.project_pixels.find(pixel_id)).project_id
    except NotFoundError:
        return None
