"""What an operator does first, where several things are wrong and most follow from one of them.

This is the one place that decides it; a finding that follows from the first says so, and gives no
advice of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from services.alerting import problems

# The lines of `ppp status` that are about the data, beside the alerts.
DATA_LINES = (
    "worker",
    "database",
    "events",
    "leads",
    "last hour",
    "backup",
    "job",
    "waiting",
    "not read",
)
LOSS_PROBLEMS = ("database_lost", "database_empty")
SYNC_SETTINGS = ("PIPEDRIVE_", "SYNC_")
URGENT = {
    problem.name
    for problem in vars(problems).values()
    if isinstance(problem, problems.Problem) and problem.severity in {"P1", "P2"}
}
OUTAGE_CONSEQUENCES = (
    *(problems.SCHEMA_UNEXPECTED, problems.NO_EVENTS, problems.MANY_ERRORS, problems.SOME_ERRORS),
    *(problems.BACKUP_OLD, problems.BACKUP_FAILED, problems.LEADS_WAITING, problems.JOB_FAILING),
    *(problems.DATABASE_FAILING, problems.EVENTS_WAITING),
)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """The cause that comes first, what to do about it, and which findings follow from it."""

    cause: str
    command: str
    followers: Collection[str] = ()

    @property
    def text(self) -> str:
        """The step in one line."""
        return f"{self.cause}: {self.command}"

    def explains(self, name: str) -> bool:
        """Whether the line or the problem of a name follows from the cause."""
        word = name.strip()
        return word in self.followers or word.split(" ")[0] in self.followers


def first_step(
    health: Mapping[str, Any], problem_names: Collection[str], loss: str | None, options: str
) -> FirstStep | None:
    """Decide what comes first, or None where no cause explains other findings.

    `loss` is why the database counts as lost by the high-water mark, `problem_names` are the
    problems that the Worker found, `options` name the Worker to a command.
    """
    error = str(health["checks"].get("database", {}).get("error") or "")
    followers = {*DATA_LINES, *(problem.name for problem in OUTAGE_CONSEQUENCES)}
    lost = next((name for name in LOSS_PROBLEMS if name in problem_names), None)
    if loss or lost or "database_lost" in error:
        cause = loss or (f"the database is lost ({lost})" if lost else f"the database {error}")
        command = f"deploy nothing, ./ppp restore {options} --dry-run, then without --dry-run"
        return FirstStep(cause, command, followers | {*LOSS_PROBLEMS})
    if "migration" in error:
        command = f"./ppp rollback {options} --dry-run (docs/runbook.md#schema_unexpected)"
        return FirstStep(f"code and database do not fit ({error})", command, followers)
    if error:
        command = (
            "stop `make dev` and start it; if its file is damaged or gone: ./ppp restore --local"
            if options == "--local"
            else "is it there? npx wrangler d1 list (docs/runbook.md#database_failing)"
        )
        return FirstStep(f"the database {error}", command, followers)
    return _settings_step(health.get("misconfigured") or (), problem_names, options)


def _settings_step(
    settings: Collection[str], problem_names: Collection[str], options: str
) -> FirstStep | None:
    """Decide whether settings come first: unless something urgent has another cause."""
    followers = {"settings", "job", problems.JOB_FAILING.name}
    if any(name.startswith(SYNC_SETTINGS) for name in settings):
        followers |= {"leads", problems.LEADS_WAITING.name}
    if not settings or URGENT.intersection(problem_names) - followers:
        return None
    logs = (
        f"./ppp logs {options}" if options.startswith("--env") else "make dev | ./ppp logs --stdin"
    )
    command = (
        f"`{logs} --event misconfigured` says what is wrong, docs/api.md#settings what it may be"
    )
    return FirstStep(f"correct what is misconfigured: {', '.join(settings)}", command, followers)
