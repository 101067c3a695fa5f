"""Requests that were answered 5xx, counted in D1 by minute, for the checks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.logs import Log
from services.core.ports import Clock, Database, UnavailableError
from services.core.stored_time import format_stored_time

# Many failures must not become as many writes.
WRITE_INTERVAL = timedelta(seconds=5)

COUNT = """
INSERT INTO failed_requests (minute, number) SELECT ?1 ->> 'minute', ?1 ->> 'number'
WHERE true
ON CONFLICT (minute) DO UPDATE SET number = number + excluded.number
"""
FORGET = "DELETE FROM failed_requests WHERE minute < ?1 ->> 'before'"
RETENTION = timedelta(days=1)


@dataclass(slots=True)
class FailedRequests:
    """The counter of one isolate; a count that it has not written when it ends is lost."""

    database: Database
    clock: Clock
    _unwritten: int = 0
    _written_at: datetime | None = None

    async def count(self, log: Log) -> None:
        """Counts one request; writes every five seconds at most. Never raises."""
        self._unwritten += 1
        now = self.clock()
        if self._written_at and now - self._written_at < WRITE_INTERVAL:
            return
        number, self._unwritten, self._written_at = self._unwritten, 0, now
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
