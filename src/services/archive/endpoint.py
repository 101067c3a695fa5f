"""Sends parts to an archive elsewhere; only events that it acknowledges leave the database.

`POST /api/archive` of this Worker is such an endpoint (`handlers/archive.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from services.archive.parts import EventsPart
from services.core.ports import HttpAnswer, HttpClient, NetworkError, Sleep
from services.core.text import read_object

MAX_TRIES = 3


class EndpointError(Exception):
    """The endpoint did not accept a part; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class ArchiveEndpoint:
    """An address with its API key. The pause between tries is `pause_ms` and then doubles."""

    url: str = field(repr=False)
    api_key: str | None = field(repr=False)
    timeout_seconds: int
    pause_ms: int
    http: HttpClient
    sleep: Sleep

    async def send(self, part: EventsPart) -> set[int]:
        """Sends a part, up to three times, and returns the acknowledged ids.

        Raises:
            EndpointError: the endpoint did not accept the part.
        """
        body = endpoint_body(part)
        for number in range(1, MAX_TRIES + 1):
            try:
                answer = await self._post(body)
            except NetworkError as error:
                reason = str(error)
            else:
                if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    return _acknowledged(answer).intersection(part.ids)
                reason = f"answered {answer.status}"
                if not _is_temporary(answer.status):
                    raise EndpointError(f"ARCHIVE_ENDPOINT {reason}")
            if number < MAX_TRIES:
                await self.sleep(self.pause_ms * 2 ** (number - 1) / 1_000)
        raise EndpointError(f"ARCHIVE_ENDPOINT, {MAX_TRIES} times: {reason}")

    async def _post(self, body: str) -> HttpAnswer:
        headers = {"content-type": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return await self.http.send("POST", self.url, headers, body, self.timeout_seconds)


def endpoint_body(part: EventsPart) -> str:
    """The body of the request: the lines of the part are its events, unparsed."""
    description = {
        "batch": part.name,
        "pixel_id": part.pixel_id,
        "day": part.day,
        "count": len(part.lines),
        "first_id": part.first.event_id,
        "last_id": part.last.event_id,
        "sha256": part.sha256,
    }
    return f'{json.dumps(description)[:-1]}, "events": [{",".join(part.lines)}]}}'


def _acknowledged(answer: HttpAnswer) -> set[int]:
    data = read_object(answer.text).get("data")
    ids = data.get("acknowledged") if isinstance(data, Mapping) else None
    if not isinstance(ids, list):
        raise EndpointError("ARCHIVE_ENDPOINT answered without a list data.acknowledged")
    return {event_id for event_id in ids if isinstance(event_id, int)}


def _is_temporary(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
