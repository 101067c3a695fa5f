"""Whether the clock goes as it did: what expires by a clock that leapt is gone for good."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.ports import Database
from services.core.stored_time import format_stored_time

# A clock that is ahead is put right within a day, or nothing else works either.
MIN_AGE, MAX_AGE = timedelta(days=1), timedelta(days=2)
# Of a job that runs with each cron unless the database is lost.
HAS_RUN = """
SELECT EXISTS (
  SELECT 1 FROM job_runs
  WHERE job = 'retention' AND started_at BETWEEN ?1 ->> 'from' AND ?1 ->> 'until'
) AS has_run
"""


@dataclass(frozen=True, slots=True)
class ClockHistory:
    """The times of the cron's runs, in D1."""

    database: Database

    async def is_steady(self, now: datetime) -> bool:
        """Whether the cron ran the day before, too, by this clock.

        Raises:
            UnavailableError: D1 failed.
        """
        span = {"from": now - MAX_AGE, "until": now - MIN_AGE}
        parameters = {name: format_stored_time(moment) for name, moment in span.items()}
        [[row]] = await self.database.batch_rows((HAS_RUN,), json.dumps(parameters))
        return bool(row["has_run"])
