"""The Worker itself: what Cloudflare calls. Only wiring."""

from __future__ import annotations

import sys
from typing import Any

from workers import DurableObject

from app import App
from bindings.border import Border
from bindings.console import ConsoleOutput
from bindings.event_loop import EventLoop
from bindings.http import After, read_request, write_response
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
_loops: list[EventLoop] = []
_borders: list[Border] = []


def isolate_app(env: Any) -> App:
    """This isolate's app, made on first use."""
    if not _apps:
        app = build_app(env)
        if problems := unusable(app.setting_problems):
            Log("error", new_id()).error("misconfigured", problems=list(problems))
        _apps.append(app)
    return _apps[0]


def isolate_loop() -> EventLoop:
    """This isolate's event loop, made on first use."""
    if not _loops:
        sys.stdout = ConsoleOutput()
        _loops.append(EventLoop())
    return _loops[0]


def isolate_border(env: Any) -> Border:
    """This isolate's border, made on first use."""
    if not _borders:
        database = getattr(env, "DB", None)
        border = Border(
            isolate_loop(), database, lambda incoming: answer(isolate_app(env), incoming), new_id
        )
        _borders.append(border)
    return _borders[0]


def on_fetch(request: Any, env: Any, ctx: Any) -> Any:
    """Answers one HTTP request with a JavaScript response, or a promise of it."""
    loop = isolate_loop()
    carried = isolate_border(env).carry(request, ctx)
    return carried or loop.start(_respond(request, env, loop.after(ctx)))


# Pyodide binds the arguments of every request to a signature that it can read.
on_fetch.__signature__ = None  # type: ignore[attr-defined]  # as inspect reads it


async def _respond(request: Any, env: Any, after: After) -> Any:
    incoming = read_request(request, new_id, after)
    return write_response(await answer(isolate_app(env), incoming), after)


def on_scheduled(controller: Any, env: Any, _ctx: Any) -> Any:
    """Runs the jobs of one cron trigger; a JavaScript promise of their end."""
    loop = isolate_loop()
    return loop.start(run_scheduled(isolate_app(env), str(controller.cron), new_id()))


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
