"""Ends a command in order when it is killed or its terminal is closed, as Ctrl+C does.

What must not be left half done is finished first.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from types import FrameType

from ops.terminal.output import note

SIGNALS = (signal.SIGTERM, signal.SIGHUP)
# Then something hangs, and whoever insists is heard.
MAX_PATIENCE = 3

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block where SIGTERM or SIGHUP arrives."""
    with _handling(SIGNALS, signal.default_int_handler):
        yield


@contextmanager
def finished_first(task: str) -> Iterator[None]:
    """Let the block end where Ctrl+C, SIGTERM or SIGHUP arrives, and say that `task` goes on.

    From the third time on it is interrupted.
    """
    times = count(1)

    def handle(number: int, frame: FrameType | None) -> None:
        if next(times) >= MAX_PATIENCE:
            signal.default_int_handler(number, frame)
        if number != signal.SIGHUP:  # then nobody reads
            note(f"{task}: please wait. Three times Ctrl+C ends it where it is")

    with _handling((signal.SIGINT, *SIGNALS), handle):
        yield


@contextmanager
def _handling(numbers: Sequence[signal.Signals], handler: Handler) -> Iterator[None]:
    """Handle signals in the block, if it runs in the main thread, which alone may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, earlier_handler in previous.items():
            signal.signal(number, earlier_handler)
