"""Requests that were answered 5xx, counted in D1 by minute, for the checks.

Beside them what is refused without an error, also by day: events of another site than the pixel's,
bots, and what only resembles one.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.core.logs import Log
from services.core.ports import Clock, Database, Sleep, UnavailableError
from services.core.stored_time import format_stored_time

Kind = Literal["number", "refused_senders", "refused_bots", "refused_likely_bots"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KINDS_BY_DAY = KINDS[1:]

# Many failures must not become as many writes.
WRITE_INTERVAL = timedelta(seconds=5)
# Cloudflare lets work go on for 30 seconds after an answer.
MAX_TRIES = 3

COUNT = """
INSERT INTO failed_requests (minute, number, refused_senders)
SELECT ?1 ->> 'minute', ?1 ->> '$.counts.number', ?1 ->> '$.counts.refused_senders'
WHERE ?1 ->> '$.counts.number' > 0 OR ?1 ->> '$.counts.refused_senders' > 0
ON CONFLICT (minute) DO UPDATE SET
  number = number + excluded.number,
  refused_senders = refused_senders + excluded.refused_senders
"""
FORGET = "DELETE FROM failed_requests WHERE minute < ?1 ->> 'before'"
RETENTION = timedelta(days=1)

COUNT_BY_DAY = """
INSERT INTO refused_requests (day, kind, number)
SELECT ?1 ->> 'day', key, value FROM json_each(?1, '$.by_day')
WHERE true
ON CONFLICT (day, kind) DO UPDATE SET number = number + excluded.number
"""
FORGET_DAYS = "DELETE FROM refused_requests WHERE day < ?1 ->> 'before_day'"
RETENTION_OF_DAYS = timedelta(days=90)


@dataclass(slots=True)
class FailedRequests:
    """The counter of one isolate. What it could not write three times, its next failure writes."""

    database: Database
    clock: Clock
    sleep: Sleep
    _unwritten: Counter[Kind] = field(default_factory=Counter)
    _next_write: datetime | None = None
    _awaited: datetime | None = None

    async def count(self, log: Log, kind: Kind = "number") -> None:
        """Counts one request, after its answer; writes every five seconds at most. Never raises.

        The first request that may not write at once waits and writes for those after it, because
        there may be none: traffic stops when everything fails.
        """
        self._unwritten[kind] += 1
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
        counts, self._unwritten, self._next_write = self._unwritten, Counter(), now + WRITE_INTERVAL
        parameters = {
            "minute": format_stored_time(now.replace(second=0)),
            "counts": {name: counts[name] for name in KINDS},
            "before": format_stored_time(now - RETENTION),
            "day": f"{now:%Y-%m-%d}",
            "by_day": {kind: counts[kind] for kind in KINDS_BY_DAY if counts[kind]},
            "before_day": f"{now - RETENTION_OF_DAYS:%Y-%m-%d}",
        }
        by_day = (COUNT_BY_DAY, FORGET_DAYS) if parameters["by_day"] else ()
        try:
            await self.database.batch_rows((COUNT, FORGET, *by_day), json.dumps(parameters))
        except UnavailableError as error:
            self._unwritten += counts
            log.warning("failed_request_not_counted", reason=str(error))
            return False
        return True
