"""Pyodide's event loop with turns that cost a quarter, and coroutines that begin at once.

Pyodide hands each callback of asyncio to JavaScript's timers, and enters WebAssembly through a
promise for each, two or more for every `await`. Here the callbacks of one turn stand in one queue
that a single microtask empties. What this needs of Pyodide is in this file; a loop that does not
have it is used as it is.
"""

from __future__ import annotations

import asyncio
from asyncio import _set_running_loop
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, cast

import js
from pyodide.ffi import create_proxy

from services.core.logs import error_location

# The names that a turn needs of Pyodide's loop, which are its own.
TURN_METHODS = ("_install_running_loop", "_install_asyncgen_hooks")


class EventLoop:
    """One isolate's loop. To be made on its first request: a snapshot cannot hold it."""

    def __init__(self) -> None:
        """Takes over the loop's turns where it can."""
        # Pyodide's own, which has more than typeshed knows.
        self._loop = cast("Any", asyncio.get_event_loop())
        self._with_resolvers = js.Promise.withResolvers.bind(js.Promise)
        self._callbacks: deque[asyncio.Handle] = deque()
        self._is_in_turn = False
        if all(hasattr(self._loop, name) for name in TURN_METHODS):
            self._queue_microtask = js.globalThis.queueMicrotask.bind(js.globalThis)
            self._turn = create_proxy(self._run_callbacks)
            self._loop.call_soon = self._call_soon

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine that JavaScript asked for until its first wait, at once.

        Returns the result if it is there, else a JavaScript promise of it. `run_sync` does not work
        in the coroutine.
        """
        self.enter()
        task = asyncio.Task(coroutine, loop=self._loop, eager_start=True)  # type: ignore[call-arg]  # all is checked as Python 3.11, which has no eager tasks
        return task.result() if task.done() else self._promise(task)

    def enter(self) -> None:
        """Makes the loop the running one; to be called first by all that JavaScript calls."""
        self._is_in_turn = False
        if self._callbacks:
            # The turn before was cut off, by the CPU limit, and took its microtask along.
            self._queue_microtask(self._turn)
        # Known to one thread state only, and each call from JavaScript has its own.
        _set_running_loop(self._loop)

    def start_soon(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Lets a coroutine begin after the callback that runs now; returns a JavaScript promise."""
        return self._promise(asyncio.Task(coroutine, loop=self._loop))

    def after(self, context: Any) -> Callable[[Coroutine[Any, Any, Any]], None]:
        """What takes work to do after the response of the request with this context."""

        def after(work: Coroutine[Any, Any, Any]) -> None:
            context.waitUntil(self.start_soon(work))

        return after

    def _promise(self, task: asyncio.Task[Any]) -> Any:
        resolvers = self._with_resolvers()

        def settle(finished: asyncio.Task[Any]) -> None:
            error = finished.exception()
            if error is None:
                resolvers.resolve(finished.result())
            else:
                # What the error says may be personal.
                location = error_location(error) if isinstance(error, Exception) else {}
                resolvers.reject(js.Error.new(" ".join(location.values()) or type(error).__name__))

        task.add_done_callback(settle)
        return resolvers.promise

    def _call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self._loop, context)
        if not self._callbacks and not self._is_in_turn:
            self._queue_microtask(self._turn)
        self._callbacks.append(handle)
        return handle

    def _run_callbacks(self) -> None:
        self._loop._install_running_loop()  # noqa: SLF001  # see TURN_METHODS
        self._loop._install_asyncgen_hooks()  # noqa: SLF001  # see TURN_METHODS
        callbacks = self._callbacks
        self._is_in_turn = True
        try:
            while callbacks:
                handle = callbacks.popleft()
                if not handle.cancelled():
                    handle._run()  # noqa: SLF001  # as every loop of asyncio does
        finally:
            self._is_in_turn = False
            if callbacks:
                # One of them ended the turn; the others are not its own.
                self._queue_microtask(self._turn)
