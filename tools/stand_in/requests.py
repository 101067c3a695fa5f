"""A request to the API, and the answers that are no plain envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from stand_in.multipart import Part, read_parts
from stand_in.refusals import RefusedCallError


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request; `path` is what follows /client/v4."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  # whatever was sent
        """Read the body as JSON.

        Raises:
            RefusedCallError: it is none.
        """
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            raise RefusedCallError(HTTPStatus.BAD_REQUEST, 10001, "the body is no JSON") from None

    def parts(self) -> list[Part]:
        """Read the body as a multipart form."""
        return read_parts(self.headers.get("content-type", ""), self.body)

    @property
    def token(self) -> str:
        """The bearer token, or an empty text."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass(frozen=True, slots=True)
class Paged:
    """A list with information on its pages."""

    rows: list[Any]
    info: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer without an envelope."""

    content: bytes
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)
