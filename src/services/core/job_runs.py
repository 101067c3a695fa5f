"""The ledger of jobs: which run of a job is at work, what each one did, and how it ended.

A run without an end holds the lease of its job until `lease_until`, so that two cron runs at once,
or the next one, never do the same work. All statements read one JSON text (`?1`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.ports import Database
from services.core.stored_time import format_stored_time

KEPT_RUNS = "-14 days"
# What a run says that did all there was to do, or all that one run may.
ENDED_WELL = "outcome IN ('drained', 'budget_spent', 'done')"

FORGET_OLD_RUNS = f"""
DELETE FROM job_runs WHERE job = ?1 ->> 'job' AND started_at < datetime('now', '{KEPT_RUNS}')
"""

# An unfinished run holds the lease until it is over. Of two that begin at once one sees the other.
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
    """One run of a job; `run` is a name that no other run of any job has."""

    database: Database
    job: str
    run: str
    lease_seconds: int

    async def begin(self, now: datetime) -> bool:
        """Gets the lease of the job; False if another run has it.

        Raises:
            UnavailableError: D1 failed.
        """
        statements = (FORGET_OLD_RUNS, BEGIN_RUN)
        answers = await self.database.batch_rows(statements, self._said(now, {"job": self.job}))
        return bool(answers[-1])

    async def renew(self, now: datetime, summary: Mapping[str, object]) -> None:
        """Keeps the lease, and tells what was done so far.

        Raises:
            UnavailableError: D1 failed.
        """
        await self.database.batch_rows((RENEW_RUN,), self._said(now, {"summary": summary}))

    async def end(self, now: datetime, outcome: str, summary: Mapping[str, object]) -> None:
        """Gives the lease back, with what came of the run.

        Raises:
            UnavailableError: D1 failed; the lease ends by itself.
        """
        said = {"outcome": outcome, "summary": summary}
        await self.database.batch_rows((END_RUN,), self._said(now, said))

    def _said(self, now: datetime, more: Mapping[str, object]) -> str:
        lease_until = format_stored_time(now + timedelta(seconds=self.lease_seconds))
        common = {"run": self.run, "now": format_stored_time(now), "lease_until": lease_until}
        return json.dumps({**common, **more})
