"""The dated report of a drill, in Markdown for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops.restore.live_comparison import TableComparison
from ops.terminal.output import format_duration

# The objectives that the product promises.
RECOVERY_POINT_OBJECTIVE = timedelta(hours=1)
RECOVERY_TIME_OBJECTIVE = timedelta(minutes=5)


@dataclass(slots=True)
class DrillReport:
    """The results of a drill. `recovery` lasts from the listing of backups to the comparison."""

    at: datetime
    target: str
    backup: str
    as_of: datetime
    rows: int
    recovery: timedelta = timedelta()
    restored_differences: Sequence[str] = ()
    comparisons: Sequence[TableComparison] = ()
    smoke: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def data_loss(self) -> timedelta:
        """The age of the backup when the drill began, whose changes would have been lost."""
        return self.at - self.as_of

    @property
    def is_fine(self) -> bool:
        """Whether everything could be recovered within the recovery point objective."""
        return not self.all_problems() and self.data_loss <= RECOVERY_POINT_OBJECTIVE

    def all_problems(self) -> Sequence[str]:
        """List everything that is wrong with the restored database."""
        return [
            *self.problems,
            *self.restored_differences,
            *(line for table in self.comparisons if table.must_match for line in table.differences),
            *(f"smoke test, {name}: {problem}" for name, problem in self.smoke.items()),
        ]

    def as_json(self) -> dict[str, object]:
        """Return the report for scripts."""
        return {
            "fine": self.is_fine,
            "backup": self.backup,
            "rows": self.rows,
            "recovery_point_seconds": round(self.data_loss.total_seconds()),
            "recovery_time_seconds": round(self.recovery.total_seconds(), 1),
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
        problems = "\n".join(f"- {problem}" for problem in self.all_problems()) or "none"
        rows = "\n".join(
            f"| {table.table} | {table.backup_rows:,} | {table.live_rows:,} | {table.verdict} |"
            for table in self.comparisons
        )
        point_objective = _duration(RECOVERY_POINT_OBJECTIVE)
        time_objective = _duration(RECOVERY_TIME_OBJECTIVE)
        return f"""# Drill of {self.at:%Y-%m-%d %H:%M} UTC: {"fine" if self.is_fine else "NOT FINE"}

{self.target}

| | found | promised |
| --- | --- | --- |
| recovery point: age of backup {self.backup} | {_duration(self.data_loss)} | {point_objective} |
| recovery time: {self.rows:,} rows | {_duration(self.recovery)} | {time_objective} |

| table | rows in the backup | rows now | what has not changed since |
| --- | --- | --- | --- |
{rows}

"Moved on" is a small table that changes at any time. Smoke test of a Worker on the restored
database: {"failed" if self.smoke else "passed"}.

## Problems

{problems}
"""


def _duration(span: timedelta) -> str:
    return format_duration(span.total_seconds())
