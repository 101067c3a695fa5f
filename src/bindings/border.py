"""The hot path's border: a tracking request comes into Python as text, and leaves it as text.

Each object that crosses between JavaScript and Python costs time, and each `await` of a promise
some ten of them. So `border.js` reads the request, runs its batch and makes the response; between
these it resumes the request's coroutine itself, without a task. Once that waits for anything else,
asyncio has it. Without the module, every request goes the way of the others (`entry`).
"""

from __future__ import annotations

import json
import types
from asyncio import CancelledError
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

from pyodide.ffi import create_proxy

from bindings.carried_batch import CarriedBatch, CarriedError
from bindings.event_loop import EventLoop
from bindings.http import After, RequestHead, new_request, options_text, write_response
from services.core.logs import Log, error_location
from services.core.ports import NewId
from web import MAX_BODY_BYTES, ClientGoneError, Request, Response

Answer = Callable[[Request], Coroutine[Any, Any, Response]]

MODULE = "bindings/border.js"
# The addresses of `handlers.tracking.track`, as they are usually written.
PATHS = ("/e", "/api/track", "/api/track/track")
# What a tracking request is asked for; any other header is asked of JavaScript.
HEADERS = (
    *("accept-language", "cf-connecting-ip", "cf-ray", "dnt", "origin", "referer"),
    *("sec-ch-ua", "sec-fetch-mode", "sec-fetch-site", "sec-gpc", "user-agent"),
)
# Of requests whose client has gone, the end may never be heard. D1 gives up after 30 seconds.
MAX_OPEN = 1_000
OPEN_SECONDS = 60


class Border:
    """One isolate's border. It takes requests from its second one on, when its module is there."""

    def __init__(self, loop: EventLoop, database: Any, answer: Answer, new_id: NewId) -> None:
        """Takes the unwrapped binding of D1, or None, and what answers a request."""
        self._loop = loop
        self._database = database
        self._answer = answer
        self._new_id = new_id
        self._is_usable = database is not None
        self._carry: Any = None
        self._prepare: Any = None
        # By the call of border.js, the one that waits longest first.
        self._open: OrderedDict[int, _OpenRequest] = OrderedDict()
        self._batches: dict[Sequence[str], int] = {}

    def carry(self, request: Any, context: Any) -> Any:
        """A JavaScript promise of the response; None if the request is to be read in Python."""
        if self._carry is None:
            if self._is_usable:
                # Also while another request loads it: that one may be cut off.
                self._loop.after(context)(self._load())
            return None
        if len(self._open) >= MAX_OPEN and not self._forget_lost():
            return None
        response = self._carry(request, context)
        return response.promise if response else None

    async def _load(self) -> None:
        try:
            # The SDK's own way to JavaScript modules, but without its `run_sync`.
            from _pyodide_entrypoint_helper import doAnImport  # type: ignore[import-not-found]  # noqa: PLC0415  # the runtime's own, it may be gone

            module = await doAnImport(MODULE)
            if self._carry is None and self._is_usable:
                self._install(module)
        except Exception as error:  # noqa: BLE001  # whatever it is, Python can do without
            if self._is_usable:
                self._is_usable = False
                Log("warn", self._new_id()).warning("border_missing", **error_location(error))

    def _install(self, module: Any) -> None:
        settings = {"paths": PATHS, "headers": HEADERS, "maxBytes": MAX_BODY_BYTES}
        begin, resume = create_proxy(self._begin), create_proxy(self._resume)
        module.install(begin, resume, self._database, json.dumps(settings))
        self._prepare = module.prepare
        self._carry = module.carry

    def _begin(self, call: int, objects: Any, head: str, body: str | None) -> Any:
        url, location, is_verified_bot, values = json.loads(head)
        headers = dict(zip(HEADERS, values, strict=True))

        def header(name: str) -> str | None:
            value: str | None = (
                headers[name] if name in headers else objects.request.headers.get(name)
            )
            return value or None

        async def text(_limit: int) -> str:
            if body is None:
                raise ClientGoneError
            return body

        def after(work: Coroutine[None, None, None]) -> None:
            self._loop.after(objects.context)(work)

        read = RequestHead("POST", url, header, location, is_verified_bot)
        incoming = new_request(read, text, self._new_id, after)
        opened = _OpenRequest(self._answer(incoming), after)
        return self._advance(call, opened, opened.coroutine.send, None)

    def _resume(self, call: int, row: str | None, problem: str | None) -> Any:
        opened = self._open.pop(call)
        if problem is None:
            return self._advance(call, opened, opened.coroutine.send, row)
        return self._advance(call, opened, opened.coroutine.throw, CarriedError(problem))

    def _advance(
        self, call: int, opened: _OpenRequest, go_on: Callable[[Any], Any], value: Any
    ) -> Any:
        """Runs the coroutine to its next wait; says to border.js what is to be done now."""
        self._loop.enter()
        try:
            awaited = go_on(value)
        except StopIteration as finished:
            return _answer_text(finished.value, opened.after)
        except Exception as error:  # noqa: BLE001  # what it says may be personal
            raise CarriedError(" ".join(error_location(error).values())) from None
        if isinstance(awaited, CarriedBatch):
            opened.since = monotonic()
            self._open[call] = opened
            return f"b{self._number(awaited.statements)}\n{awaited.parameters}"
        return self._loop.start(_finish(opened, awaited))

    def _number(self, statements: Sequence[str]) -> int:
        number = self._batches.get(statements)
        if number is None:
            number = len(self._batches)
            self._prepare(number, json.dumps(statements))
            self._batches[statements] = number
        return number

    def _forget_lost(self) -> bool:
        """Ends the requests that nobody resumes any more; whether there is room again."""
        while self._open:
            call, opened = next(iter(self._open.items()))
            if monotonic() - opened.since < OPEN_SECONDS:
                break
            del self._open[call]
            opened.coroutine.close()
        return len(self._open) < MAX_OPEN


class _OpenRequest:
    """A request whose coroutine has begun, with the moment since when it waits for its batch."""

    __slots__ = ("after", "coroutine", "since")

    def __init__(self, coroutine: Coroutine[Any, Any, Response], after: After) -> None:
        self.coroutine = coroutine
        self.after = after
        self.since = 0.0


def _answer_text(response: Response, after: After) -> Any:
    body = response.body
    if body is None or isinstance(body, str):
        return f"{options_text(response)}\n{body or ''}"
    return write_response(response, after)


async def _finish(opened: _OpenRequest, awaited: Any) -> Any:
    return write_response(await _rest(opened.coroutine, awaited), opened.after)


@types.coroutine
def _rest(coroutine: Any, awaited: Any) -> Generator[Any, Any, Response]:
    """What a coroutine does after it has said what it awaits."""
    # A failure is raised in the coroutine itself, which asks for the result next.
    with suppress(Exception, CancelledError):
        yield awaited
    response: Response = yield from coroutine
    return response
