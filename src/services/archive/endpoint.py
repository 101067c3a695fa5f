"""Somebody else's archive: parts are sent there, and only what it acknowledges leaves the database.

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

TRIES = 3


class EndpointError(Exception):
    """It did not take a part; the message says why, without the address."""


@dataclass(frozen=True, slots=True)
class ArchiveEndpoint:
    """An address with its key. Pauses between tries begin with `pause_ms` and double."""

    url: str = field(repr=False)
    api_key: str | None = field(repr=False)
    seconds: int
    pause_ms: int
    http: HttpClient
    sleep: Sleep

    async def send(self, part: EventsPart) -> set[int]:
        """Sends a part and gives the ids that were acknowledged.

        Raises:
            EndpointError: it was not taken, also when it was sent again.
        """
        body = body_of(part)
        for number in range(1, TRIES + 1):
            try:
                answer = await self._post(body)
            except NetworkError as error:
                reason = str(error)
            else:
                if answer.status < HTTPStatus.MULTIPLE_CHOICES:
                    return _acknowledged(answer).intersection(part.ids)
                reason = f"answered {answer.status}"
                if not _is_passing(answer.status):
                    raise EndpointError(f"ARCHIVE_ENDPOINT {reason}")
            if number < TRIES:
                await self.sleep(self.pause_ms * 2 ** (number - 1) / 1_000)
        raise EndpointError(f"ARCHIVE_ENDPOINT, {TRIES} times: {reason}")

    async def _post(self, body: str) -> HttpAnswer:
        headers = {"content-type": "application/json"}
        if self.api_key:
            headers["authorization"] = f"Bearer {self.api_key}"
        return await self.http.send("POST", self.url, headers, body, self.seconds)


def body_of(part: EventsPart) -> str:
    """A part as it is sent: the lines go into it as they are."""
    said = {
        "batch": part.name,
        "pixel_id": part.pixel_id,
        "day": part.day,
        "count": len(part.lines),
        "first_id": part.first.event_id,
        "last_id": part.last.event_id,
        "sha256": part.sha256,
    }
    return f'{json.dumps(said)[:-1]}, "events": [{",".join(part.lines)}]}}'


def _acknowledged(answer: HttpAnswer) -> set[int]:
    data = read_object(answer.text).get("data")
    ids = data.get("acknowledged") if isinstance(data, Mapping) else None
    if not isinstance(ids, list):
        raise EndpointError("ARCHIVE_ENDPOINT answered without a list data.acknowledged")
    return {each for each in ids if isinstance(each, int)}


def _is_passing(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS
