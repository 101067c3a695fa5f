"""One isolate of the Worker on this machine: requests and cron runs, until it is killed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Coroutine, Mapping
from types import SimpleNamespace
from typing import Any

from services.core.request_origin import Location, RequestOrigin
from tests.faults import bindings
from tests.faults.outside import OUTSIDE, TOKEN, KilledError
from web import BodyTooLargeError, Request

bindings.install()

from handlers.scheduled import run_scheduled  # noqa: E402  # it needs the bindings
from pipeline import answer  # noqa: E402  # it needs the bindings
from wiring import build_app  # noqa: E402  # it needs the bindings

BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0"


class Isolate:
    """An isolate with these settings; one that was killed answers no more."""

    def __init__(self, **settings: str) -> None:
        self.app = build_app(SimpleNamespace(**settings))

    def request(
        self,
        path: str,
        method: str = "GET",
        body: object = None,
        headers: Mapping[str, str] | None = None,
        address: str = "192.0.2.1",
    ) -> tuple[int, Any]:
        """One request: its status and its JSON, or its text."""
        return asyncio.run(self._request(path, method, body, headers or {}, address))

    def run_cron(self) -> None:
        """One run of the cron."""
        asyncio.run(run_scheduled(self.app, "*/5 * * * *", bindings.new_id()))

    async def _request(
        self, path: str, method: str, body: object, headers: Mapping[str, str], address: str
    ) -> tuple[int, Any]:
        work: list[Coroutine[None, None, None]] = []
        text = body if isinstance(body, str) else "" if body is None else json.dumps(body)

        async def read(limit: int) -> str:
            if len(text.encode()) > limit:
                raise BodyTooLargeError(limit)
            return text

        path, _, query = path.partition("?")
        location = Location("CH", "Zurich", "Zürich")
        request = Request(
            *(method, path, query, "https://pixel.example", bindings.new_id()),
            RequestOrigin(address, BROWSER, location),
            {"user-agent": BROWSER, **headers}.get,
            read,
            work.append,
        )
        try:
            response = await answer(self.app, request)
            answered = response.body
            if isinstance(answered, AsyncGenerator):
                answered = "".join([part async for part in answered])
            for task in work:
                await task
        except KilledError:
            for task in work:
                task.close()
            raise
        content = answered or ""
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content


__all__ = ["OUTSIDE", "TOKEN", "Isolate", "KilledError"]
