"""The runs of jobs: which one holds the lease of its job, what each did, and how it ended.

An unfinished run holds the lease until `lease_until`, so that two cron runs never do the same work.
All statements read one JSON text (`?1`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.ports import Database
from services.core.stored_time import format_stored_time

RUNS_RETENTION = "-14 days"
# A run that did all of the work, or as much as its budget allows.
HAS_SUCCEEDED = "outcome IN ('drained', 'budget_spent', 'done')"

FORGET_OLD_RUNS = f"""
DELETE FROM job_runs WHERE job = ?1 ->> 'job' AND started_at < datetime('now', '{RUNS_RETENTION}')
"""

# An unfinished run holds the lease until it expires. Of two that begin at once one sees the other.
BEGIN_RUN = """
INSERT INTO job_runs (job, run, started_at, lease_until)
SELECT ?1 ->> 'job', ?1 ->> 'run', ?1 ->> 'now', ?1 ->> 'lease_until'
WHERE NOT EXISTS (
  SELECT 1 FROM job_runs
  WHERE job = ?1 ->> 'job' AND finished_at IS NULL AND lease_until > ?1 ->> 'now'
)
RETURNING id
"""

RENEW_RUN = """
UPDATE job_runs SET lease_until = ?1 ->> 'lease_until', summary = ?1 -> 'summary'
WHERE run = ?1 ->> 'run' AND finished_at IS NULL
"""

END_RUN = """
UPDATE job_runs
SET finished_at = ?1 ->> 'now', outcome = ?1 ->> 'outcome', summary = ?1 -> 'summary'
WHERE run = ?1 ->> 'run'
"""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job; `run` is unique among the runs of all jobs."""

    database: Database
    job: str
    run: str
    lease_seconds: int

    async def begin(self, now: datetime) -> bool:
        """Takes the lease of the job; False if another run holds it.

        Raises:
            UnavailableError: D1 failed.
        """
        statements = (FORGET_OLD_RUNS, BEGIN_RUN)
        answers = await self.database.batch_rows(
            statements, self._parameters(now, {"job": self.job})
        )
        return bool(answers[-1])

    async def renew(self, now: datetime, summary: Mapping[str, object]) -> None:
        """Extends the lease by `lease_seconds` and stores a summary of the work so far.

        Raises:
            UnavailableError: D1 failed.
        """
        await self.database.batch_rows((RENEW_RUN,), self._parameters(now, {"summary": summary}))

    async def end(self, now: datetime, outcome: str, summary: Mapping[str, object]) -> None:
        """Releases the lease and stores the outcome.

        Raises:
            UnavailableError: D1 failed; the lease expires by itself.
        """
        result = {"outcome": outcome, "summary": summary}
        await self.database.batch_rows((END_RUN,), self._parameters(now, result))

    def _parameters(self, now: datetime, extra: Mapping[str, object]) -> str:
        lease_until = format_stored_time(now + timedelta(seconds=self.lease_seconds))
        common = {"run": self.run, "now": format_stored_time(now), "lease_until": lease_until}
        return json.dumps({**common, **extra})
