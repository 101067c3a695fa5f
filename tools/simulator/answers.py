"""The HTTP answers: Pipedrive's JSON envelopes, and the HTML pages of the proxy before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
ERROR_INFO = "Please check developers.pipedrive.com for more information about Pipedrive API."
INVALID = "ERR_SCHEMA_VALIDATION_FAILED"


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete HTTP answer."""

    status: int
    content: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """The API refuses the request; `answer` is its response."""

    def __init__(self, status: int, error: str, code: str | None = None) -> None:
        """Takes the status, what the envelope says and its machine-readable code."""
        super().__init__(error)
        self.answer = failure(status, error, code)


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer whose body is JSON."""
    return Answer(status, json.dumps(value).encode(), headers=headers or {})


def success(data: object, **beside: object) -> Answer:
    """The envelope of a request that went well."""
    return json_answer(200, {"success": True, "data": data, **beside})


def failure(
    status: int, error: str, code: str | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    """The envelope of an error."""
    envelope = {"success": False, "error": error, "error_info": ERROR_INFO}
    return json_answer(status, envelope | ({"code": code} if code else {}), headers)


def html_page(status: int, title: str) -> Answer:
    """Return an HTML page of the proxy before the API, which has no envelope."""
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body>{title}</body></html>"
    return Answer(status, page.encode(), HTML)


UNAUTHORIZED = json_answer(
    401, {"success": False, "error": "unauthorized access", "errorCode": 401}
)
BLOCKED = html_page(403, "403 Forbidden")
