"""Structured logs: one JSON object a line on standard output. Nothing personal ever goes in."""

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
        """Writes what helps to find a fault: costs of each batch and the like."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Writes what happened as it should."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Writes what went wrong without harm."""
        self._write("warn", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Writes what needs somebody to look."""
        self._write("error", event, fields)

    def wants(self, level: Level) -> bool:
        """Whether a line of this level is written at all."""
        return LEVELS.index(level) >= LEVELS.index(self.level)

    def _write(self, level: Level, event: str, fields: dict[str, object]) -> None:
        if self.wants(level):
            line = {"level": level, "event": event, "request_id": self.request_id, **fields}
            print(json.dumps(line))  # noqa: T201  # standard output is the Worker's log


def place_of(error: Exception) -> dict[str, str]:
    """Which error arose where in our code; its message could hold what a visitor sent."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    return {"error": type(error).__name__, "where": place}
