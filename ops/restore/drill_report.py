"""The report of a drill: for people, with a date, in the bucket and on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ops.restore.live_comparison import Compared
from ops.terminal.output import spoken

# What the product promises.
LONGEST_LOSS = timedelta(hours=1)
LONGEST_RECOVERY = timedelta(minutes=5)


@dataclass(slots=True)
class Report:
    """What a drill found. `recovery` is the time from the first look at the bucket to the proof."""

    at: datetime
    place: str
    backup: str
    as_of: datetime
    rows: int
    recovery: timedelta = timedelta()
    restored_differences: Sequence[str] = ()
    tables: Sequence[Compared] = ()
    smoke: Mapping[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def loss(self) -> timedelta:
        """What would have been lost: the age of the backup when the drill began."""
        return self.at - self.as_of

    @property
    def is_fine(self) -> bool:
        """Whether the database could have been recovered as promised, however long it took."""
        return not self.all_problems() and self.loss <= LONGEST_LOSS

    def all_problems(self) -> Sequence[str]:
        """Everything that is wrong with what was restored."""
        return [
            *self.problems,
            *self.restored_differences,
            *(line for each in self.tables if each.must_fit for line in each.differences),
            *(f"smoke test, {name}: {what}" for name, what in self.smoke.items()),
        ]

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "fine": self.is_fine,
            "backup": self.backup,
            "rows": self.rows,
            "recovery_point_seconds": round(self.loss.total_seconds()),
            "recovery_time_seconds": round(self.recovery.total_seconds(), 1),
            "tables": {
                each.table: {
                    "backup": each.backed_up,
                    "living": each.living,
                    "verdict": each.verdict,
                }
                for each in self.tables
            },
            "problems": list(self.all_problems()),
        }

    def text(self) -> str:
        """As Markdown."""
        problems = "\n".join(f"- {each}" for each in self.all_problems()) or "none"
        rows = "\n".join(
            f"| {each.table} | {each.backed_up:,} | {each.living:,} | {each.verdict} |"
            for each in self.tables
        )
        return f"""# Drill of {self.at:%Y-%m-%d %H:%M} UTC: {"fine" if self.is_fine else "NOT FINE"}

{self.place}

| | found | promised |
| --- | --- | --- |
| recovery point: age of backup {self.backup} | {_spoken(self.loss)} | {_spoken(LONGEST_LOSS)} |
| recovery time: {self.rows:,} rows | {_spoken(self.recovery)} | {_spoken(LONGEST_RECOVERY)} |

| table | rows in the backup | rows now | what has not changed since |
| --- | --- | --- | --- |
{rows}

"Moved on" is a small table that changes at any time. Smoke test of a Worker on the restored
database: {"failed" if self.smoke else "passed"}.

## Problems

{problems}
"""


def _spoken(span: timedelta) -> str:
    return spoken(span.total_seconds())
