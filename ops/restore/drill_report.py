"""The dated report of a drill, in Markdown for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ops.restore.live_comparison import TableComparison
from ops.terminal.output import format_duration

# The objectives that the product promises.
RECOVERY_POINT_OBJECTIVE = timedelta(hours=1)
RECOVERY_TIME_OBJECTIVE = timedelta(minutes=5)


MAX_PROBLEMS_SHOWN = 20
COMPARED_DRILLS = 3

DrillSummary = Mapping[str, Any]
"""An earlier drill as `DrillReport.summary` returned it."""


@dataclass(slots=True)
class DrillReport:
    """The results of a drill. `recovery` lasts from the listing of backups to the comparison.

    It is None where the restore failed. `smoke` is None where the smoke test was not run.
    """

    at: datetime
    target: str
    backup: str
    as_of: datetime
    rows: int
    recovery: timedelta | None = None
    restored_differences: Sequence[str] = ()
    comparisons: Sequence[TableComparison] = ()
    smoke: Mapping[str, str] | None = None
    problems: list[str] = field(default_factory=list)
    earlier: Sequence[DrillSummary] = ()

    @property
    def name(self) -> str:
        """The name of its file, with the time: a second drill of a day has its own."""
        return f"{self.at:%Y-%m-%dT%H%M%SZ}"

    @property
    def data_loss(self) -> timedelta:
        """The age of the backup when the drill began, whose changes would have been lost."""
        return self.at - self.as_of

    @property
    def is_fine(self) -> bool:
        """Whether everything could be recovered, and was tested, within the recovery point."""
        return not self.all_problems() and self.data_loss <= RECOVERY_POINT_OBJECTIVE

    @property
    def smoke_result(self) -> str:
        """The result of the smoke test; not run is not passed."""
        if self.smoke is None:
            return "not run"
        return "failed" if self.smoke else "passed"

    def all_problems(self) -> Sequence[str]:
        """List everything that is wrong with the restored database."""
        return [
            *self.problems,
            *self.restored_differences,
            *(line for table in self.comparisons if table.must_match for line in table.differences),
            *(f"smoke test, {name}: {problem}" for name, problem in (self.smoke or {}).items()),
            *(["the smoke test was not run"] if self.smoke is None else []),
        ]

    def shown_problems(self) -> Sequence[str]:
        """List the problems, of many the first ones and how many there are beside them."""
        listed = [*self.all_problems()]
        hidden = len(listed) - MAX_PROBLEMS_SHOWN
        return listed if hidden <= 0 else [*listed[:MAX_PROBLEMS_SHOWN], f"and {hidden:,} more"]

    def summary(self) -> DrillSummary:
        """Return what later drills compare themselves with."""
        recovery = self.recovery and round(self.recovery.total_seconds(), 1)
        return {
            "name": self.name,
            "fine": self.is_fine,
            "backup": self.backup,
            "rows": self.rows,
            "recovery_point_seconds": round(self.data_loss.total_seconds()),
            "recovery_time_seconds": recovery,
            "smoke": self.smoke_result,
        }

    def as_json(self) -> dict[str, object]:
        """Return the report for scripts."""
        return {
            **self.summary(),
            "tables": {
                table.table: {
                    "backup": table.backup_rows,
                    "living": table.live_rows,
                    "verdict": table.verdict,
                }
                for table in self.comparisons
            },
            "problems": list(self.all_problems()),
        }

    def text(self) -> str:
        """Render the report as Markdown."""
        problems = "\n".join(f"- {problem}" for problem in self.shown_problems()) or "none"
        rows = "\n".join(
            f"| {table.table} | {table.backup_rows:,} | {table.live_rows:,} | {table.verdict} |"
            for table in self.comparisons
        )
        drills = "\n".join(map(_drill_row, [self.summary(), *self.earlier[:COMPARED_DRILLS]]))
        return f"""# Drill of {self.at:%Y-%m-%d %H:%M} UTC: {"fine" if self.is_fine else "NOT FINE"}

RPO {_duration(self.data_loss)} (promised {_duration(RECOVERY_POINT_OBJECTIVE)}), \
RTO {_recovery(self.summary())} (promised {_duration(RECOVERY_TIME_OBJECTIVE)})

- recovery point: age of backup {self.backup}
- recovery time: {self.rows:,} rows
- smoke test of a Worker on the restored database: {self.smoke_result}
- {self.target}

## Problems

{problems}

## This drill and those before it

| drill | verdict | RPO | RTO | rows | smoke test |
| --- | --- | --- | --- | --- | --- |
{drills}

## Tables

| table | rows in the backup | rows now | what has not changed since |
| --- | --- | --- | --- |
{rows}

"Moved on" is a small table that changes at any time.
"""


def is_summary(value: object) -> bool:
    """Whether it is what `DrillReport.summary` returns; another version may add to it."""
    numbers = ("recovery_point_seconds", "rows")
    return (
        isinstance(value, dict)
        and all(name in value for name in ("name", "fine", "smoke", "recovery_time_seconds"))
        and all(isinstance(value.get(name), int | float) for name in numbers)
        and isinstance(value["recovery_time_seconds"], int | float | None)
    )


def _drill_row(drill: DrillSummary) -> str:
    verdict = "fine" if drill["fine"] else "NOT FINE"
    point = format_duration(drill["recovery_point_seconds"])
    cells = (drill["name"], verdict, point, _recovery(drill), f"{drill['rows']:,}", drill["smoke"])
    return f"| {' | '.join(map(str, cells))} |"


def _recovery(drill: DrillSummary) -> str:
    seconds = drill["recovery_time_seconds"]
    return "not reached" if seconds is None else format_duration(seconds)


def _duration(span: timedelta) -> str:
    return format_duration(span.total_seconds())
