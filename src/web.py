"""A request and a response as the handlers see them, free of Cloudflare's own objects."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from services.access.api_keys import ApiKey
from services.core.request_origin import RequestOrigin

JSON_TYPE = "application/json"
MAX_BODY_BYTES = 16 * 1_024


class BodyTooLargeError(Exception):
    """The request's body is larger than `limit` bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"Request body is larger than {limit // 1_024} KiB")


class ClientGoneError(Exception):
    """The client ended the connection in the middle of its body."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request.

    `base_url` is its scheme and host. `header` returns a header by its lower-case name, or None.
    `text` reads the body once, and raises BodyTooLargeError for more than the given bytes. `after`
    takes work to do after the response. `key` is the API key that was accepted.
    `is_verified_bot`: Cloudflare knows the bot by its network.
    """

    method: str
    path: str
    query: str
    base_url: str
    request_id: str
    origin: RequestOrigin
    header: Callable[[str], str | None]
    text: Callable[[int], Awaitable[str]]
    after: Callable[[Coroutine[None, None, None]], None]
    key: ApiKey | None = None
    is_verified_bot: bool = False

    def segment(self, position: int) -> str:
        """The segment of the path at an index, from the end if negative, without its encoding."""
        return unquote(self.path.strip("/").split("/")[position])

    def parameters(self) -> dict[str, str]:
        """The parameters of the query; the first one of those with the same name."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; a body of None is an empty one.

    A body that is generated is sent while it is made; if that raises, the connection is broken off.
    """

    status: int
    body: str | bytes | AsyncGenerator[str, None] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def time_text(moment: datetime) -> str:
    """A time in UTC as answers have it: `2026-05-01T12:00:00.000Z`."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compact_json(content: Mapping[str, object]) -> str:
    """A JSON object as JavaScript writes it: scripts search answers for `"success":true`."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def json_response(
    content: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A response with a JSON object, never cached."""
    return Response(
        status,
        compact_json(content),
        {"Content-Type": JSON_TYPE, "Cache-Control": "no-store", **(headers or {})},
    )


def error_response(
    status: HTTPStatus,
    error: str,
    *,
    details: list[str] | None = None,
    headers: Mapping[str, str] | None = None,
    **fields: object,
) -> Response:
    """The one shape of every error: success false, a sentence, and details where there are any."""
    content: dict[str, object] = {"success": False, "error": error, **fields}
    if details:
        content["details"] = details
    return json_response(content, status, headers)
