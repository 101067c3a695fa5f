"""Structured logs: one JSON object a line on standard output, never with personal data."""

from __future__ import annotations

import json
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
    """The error's type, and the file and line where it arose; its message could be personal."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    location = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return {"error": type(error).__name__, "where": location}
