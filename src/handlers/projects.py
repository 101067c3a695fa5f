"""Projects and their pixels: a key with the role read reads them, one with admin changes them."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from app import App
from handlers.json_api import answer_refusals, read_json_object, read_limit
from services.core.errors import ConflictError, InvalidFieldsError
from services.core.logs import Log
from services.projects.configuration import read_configuration
from services.projects.entry_values import Entry
from services.projects.limited_changes import require_same_account
from services.projects.register import EntryQuery, Register
from web import Request, Response, json_response

BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class EntryHandlers:
    """The handlers of one kind of entry: of projects, or of the pixels of a project.

    `project_segment` is where the project's id is in the path of the list, None of projects.
    """

    register: Callable[[App], Register]
    project_segment: int | None = None

    @answer_refusals
    async def list_page(self, app: App, request: Request, _log: Log) -> Response:
        """`GET /api/manage/projects`, `…/projects/:projectId/pixels`: a page, sorted by name."""
        register = self.register(app)
        project_id = self._project_id(request)
        listed = request.key.projects if request.key and project_id is None else None
        page = await register.page(_list_query(request, listed), project_id)
        entries = [_entry_json(register, request, entry) for entry in page.entries]
        return json_response({"success": True, "data": entries, "next_cursor": page.next_cursor})

    @answer_refusals
    async def create(self, app: App, request: Request, log: Log) -> Response:
        """`POST` to the same paths: 201 with the new entry."""
        register = self.register(app)
        body = await read_json_object(request)
        with _discreet(request):
            entry = await register.create(body, self._project_id(request))
        return _written(register, request, entry, log, HTTPStatus.CREATED)

    @answer_refusals
    async def read(self, app: App, request: Request, _log: Log) -> Response:
        """`GET /api/manage/projects/:id`, `…/pixels/:id`: an entry, active or not."""
        register = self.register(app)
        return _answer(register, request, await register.find(request.segment(-1)))

    @answer_refusals
    async def change(self, app: App, request: Request, log: Log) -> Response:
        """`PUT` to an entry: changes the fields of the body and keeps the others."""
        register = self.register(app)
        body = await read_json_object(request)
        if _is_limited(request):
            stored = await register.find(request.segment(-1))
            require_same_account(body, read_configuration(stored.configuration))
        with _discreet(request):
            entry = await register.change(request.segment(-1), body)
        return _written(register, request, entry, log)

    @answer_refusals
    async def switch_off(self, app: App, request: Request, log: Log) -> Response:
        """`DELETE` of an entry: it takes no more events; nothing is deleted."""
        register = self.register(app)
        return _written(register, request, await register.switch_off(request.segment(-1)), log)

    def _project_id(self, request: Request) -> str | None:
        return None if self.project_segment is None else request.segment(self.project_segment)


PROJECT_HANDLERS = EntryHandlers(lambda app: app.projects)
PIXEL_HANDLERS = EntryHandlers(lambda app: app.project_pixels, project_segment=3)


def _is_limited(request: Request) -> bool:
    return request.key is not None and request.key.projects is not None


@contextmanager
def _discreet(request: Request) -> Iterator[None]:
    """Leaves out what a conflict says of an entry, which may be another client's."""
    try:
        yield
    except ConflictError as error:
        if _is_limited(request):
            raise ConflictError(error.message, "choose another name or id") from None
        raise


def embed_snippet(base_url: str, pixel_id: str) -> str:
    """The HTML tag that a site owner puts into their pages."""
    script, pixel = html.escape(f"{base_url}/pixel.js"), html.escape(pixel_id)
    return f'<script src="{script}" data-pixel-id="{pixel}" async></script>'


def _written(
    register: Register,
    request: Request,
    entry: Entry,
    log: Log,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Logs a change of an entry and answers with the entry."""
    fields = {"kind": register.noun, "id": entry.id, "active": bool(entry.active)}
    log.info("management_written", method=request.method, **fields)
    return _answer(register, request, entry, status)


def _answer(
    register: Register, request: Request, entry: Entry, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    return json_response({"success": True, "data": _entry_json(register, request, entry)}, status)


def _entry_json(register: Register, request: Request, entry: Entry) -> Mapping[str, object]:
    fields = register.as_json(entry)
    if entry.project_id is None:
        return fields
    return {**fields, "embed_snippet": embed_snippet(request.base_url, entry.id)}


def _list_query(request: Request, ids: Collection[str] | None) -> EntryQuery:
    parameters = request.parameters()
    problems: list[str] = []
    limit = read_limit(parameters, problems)
    include_inactive = BOOLEANS.get(parameters.get("include_inactive", "false"))
    if include_inactive is None:
        problems.append("include_inactive: must be true or false")
    if problems:
        raise InvalidFieldsError(problems)
    return EntryQuery(limit, parameters.get("cursor", ""), bool(include_inactive), ids)
