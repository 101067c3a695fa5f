"""Structured logs: one JSON object a line on standard output, never with personal data."""

from __future__ import annotations

import json
import traceback
from dataclasses import dataclass
from typing import Literal

Level = Literal["debug", "info", "warn", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warn", "error")


@dataclass(frozen=True, slots=True)
class Log:
    """Writes the lines of one request or job at or above a level."""

    level: Level
    request_id: str

    def debug(self, event: str, **fields: object) -> None:
        """Writes an event that helps to find a fault, such as the cost of a batch."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Writes an event that is expected."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Writes a failure without harm."""
        self._write("warn", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Writes a failure that needs attention."""
        self._write("error", event, fields)

    def summary(self, event: str, **fields: object) -> None:
        """Writes the one line that a run of the cron leaves, at whatever level."""
        self._write("info", event, fields, always=True)

    def wants(self, level: Level) -> bool:
        """Whether a line of this level is written at all."""
        return LEVELS.index(level) >= LEVELS.index(self.level)

    def _write(
        self, level: Level, event: str, fields: dict[str, object], *, always: bool = False
    ) -> None:
        if always or self.wants(level):
            line = {"level": level, "event": event, "request_id": self.request_id, **fields}
            print(json.dumps(line))  # noqa: T201  # standard output is the Worker's log


def error_location(error: Exception) -> dict[str, str]:
    """The error's type, and the deepest line of our own code; its message could be personal.

    Of an error that did not pass through our code, the line where it arose.
    """
    frames = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    own_frames = [(file, line) for file, line in frames if file.startswith(_own_folder())]
    file, line = [("?", 0), *frames, *own_frames][-1]
    return {"error": type(error).__name__, "where": f"{file}:{line}" if line else file}


def _own_folder() -> str:
    """The folder of the Worker's modules, as tracebacks name it."""
    return _own_folder.__code__.co_filename.removesuffix("services/core/logs.py")
