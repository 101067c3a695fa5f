"""Requests that were answered 5xx, counted in D1 by minute, for the checks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.logs import Log
from services.core.ports import Clock, Database, Sleep, UnavailableError
from services.core.stored_time import format_stored_time

# Many failures must not become as many writes.
WRITE_INTERVAL = timedelta(seconds=5)
# Cloudflare lets work go on for 30 seconds after an answer.
MAX_TRIES = 3

COUNT = """
INSERT INTO failed_requests (minute, number) SELECT ?1 ->> 'minute', ?1 ->> 'number'
WHERE true
ON CONFLICT (minute) DO UPDATE SET number = number + excluded.number
"""
FORGET = "DELETE FROM failed_requests WHERE minute < ?1 ->> 'before'"
RETENTION = timedelta(days=1)


@dataclass(slots=True)
class FailedRequests:
    """The counter of one isolate. What it could not write three times, its next failure writes."""

    database: Database
    clock: Clock
    sleep: Sleep
    _unwritten: int = 0
    _next_write: datetime | None = None
    _awaited: datetime | None = None

    async def count(self, log: Log) -> None:
        """Counts one request, after its answer; writes every five seconds at most. Never raises.

        The first request that may not write at once waits and writes for those after it, because
        there may be none: traffic stops when everything fails.
        """
        self._unwritten += 1
        for _ in range(MAX_TRIES):
            due, now = self._next_write, self.clock()
            if due and now < due:
                if self._awaited == due:
                    return
                self._awaited = due
                await self.sleep((due - now).total_seconds())
            if self._next_write != due or await self._write(log):
                return

    async def _write(self, log: Log) -> bool:
        """Writes what was counted; False if D1 failed."""
        now = self.clock()
        number, self._unwritten, self._next_write = self._unwritten, 0, now + WRITE_INTERVAL
        parameters = {
            "minute": format_stored_time(now.replace(second=0)),
            "number": number,
            "before": format_stored_time(now - RETENTION),
        }
        try:
            await self.database.batch_rows((COUNT, FORGET), json.dumps(parameters))
        except UnavailableError as error:
            self._unwritten += number
            log.warning("failed_request_not_counted", reason=str(error))
            return False
        return True
