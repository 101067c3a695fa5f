"""Requests that were answered 5xx, counted in D1 by minute, so that somebody is told of many."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.logs import Log
from services.core.ports import Clock, Database, UnavailableError
from services.core.stored_time import format_stored_time

# A storm of failures is no storm of writes.
BETWEEN_WRITES = timedelta(seconds=5)

COUNT = """
INSERT INTO failed_requests (minute, number) SELECT ?1 ->> 'minute', ?1 ->> 'number'
WHERE true
ON CONFLICT (minute) DO UPDATE SET number = number + excluded.number
"""
FORGET = "DELETE FROM failed_requests WHERE minute < ?1 ->> 'before'"
KEPT = timedelta(days=1)


@dataclass(slots=True)
class FailedRequests:
    """Counts for one isolate; what it has not written yet when it ends is not counted."""

    database: Database
    clock: Clock
    _unwritten: int = 0
    _written_at: datetime | None = None

    async def count(self, log: Log) -> None:
        """Counts one more; writes them every five seconds at most. Never raises."""
        self._unwritten += 1
        now = self.clock()
        if self._written_at and now - self._written_at < BETWEEN_WRITES:
            return
        number, self._unwritten, self._written_at = self._unwritten, 0, now
        said = {
            "minute": format_stored_time(now.replace(second=0)),
            "number": number,
            "before": format_stored_time(now - KEPT),
        }
        try:
            await self.database.batch_rows((COUNT, FORGET), json.dumps(said))
        except UnavailableError as error:
            self._unwritten += number
            log.warning("failed_request_not_counted", reason=str(error))
