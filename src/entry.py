"""The Worker itself: what Cloudflare calls. Only wiring."""

from __future__ import annotations

from typing import Any

from workers import DurableObject, WorkerEntrypoint

from app import App
from bindings.http import read_request, write_response
from bindings.interpreter import new_id
from config import unusable
from handlers.scheduled import run_scheduled
from pipeline import answer
from services.access.rate_limiting import ShardCounters
from services.core.logs import Log
from wiring import build_app

# What an isolate remembers: a cache, never a truth. Filled on the first request, because at
# import there are no bindings, no clock and no randomness (the start-up snapshot).
_apps: list[App] = []


def isolate_app(env: Any) -> App:
    """This isolate's app, made on first use."""
    if not _apps:
        app = build_app(env)
        if problems := unusable(app.setting_problems):
            Log("error", new_id()).error("misconfigured", problems=list(problems))
        _apps.append(app)
    return _apps[0]


class Default(WorkerEntrypoint):
    """Requests and cron runs."""

    async def fetch(self, request: Any) -> Any:
        """Answers one HTTP request."""
        incoming = read_request(request.js_object, new_id, self.ctx.waitUntil)
        return write_response(await answer(isolate_app(self.env), incoming), self.ctx.waitUntil)

    async def scheduled(self, controller: Any, _env: Any = None, _ctx: Any = None) -> None:
        """Runs the jobs of one cron trigger."""
        await run_scheduled(isolate_app(self.env), str(controller.cron), new_id())


class RateLimiter(DurableObject):
    """Counts the requests of the clients of some networks, in memory only."""

    def __init__(self, ctx: Any, env: Any) -> None:
        """Starts with nothing counted."""
        super().__init__(ctx, env)
        self._counters = ShardCounters()

    async def take(self, request: str) -> str:
        """Grants a lease; see `services.access.rate_limiting.ShardCounters.take`."""
        return self._counters.take(request)

    async def ping(self) -> str:
        """Answers, so that health can see that it does."""
        return "pong"
