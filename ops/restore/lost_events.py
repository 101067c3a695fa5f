"""The events that only the lost database held: what a restore cannot bring back."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ops.backup.high_water import read_mark
from ops.cloudflare.target import Target
from ops.restore.restore_steps import PreparedRestore
from ops.terminal.output import counted


@dataclass(frozen=True, slots=True)
class LostEvents:
    """The ids after those of the backup, up to the highest one that a cron run saw.

    What came between that run and the loss is in no count.
    """

    first_id: int
    last_id: int
    since: str
    seen_at: str

    @property
    def number(self) -> int:
        """How many there were at least."""
        return self.last_id - self.first_id + 1

    def as_json(self) -> dict[str, object]:
        """Return it for scripts."""
        return {**asdict(self), "at_least": self.number}

    def __str__(self) -> str:
        return (
            f"not in the backup: {counted(self.number, 'event')} that came after it, ids"
            f" {self.first_id:,} to {self.last_id:,}, from {self.since} to {self.seen_at}; and what"
            " came after that. What pixels and R2 kept of them comes back"
        )


def find_lost_events(live: Target, prepared: PreparedRestore) -> LostEvents | None:
    """Find what the database held at most beyond the backup; None where that is not known.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    mark = read_mark(live)
    highest = prepared.content.staging.highest_event()
    if mark is None or mark.highest_event <= highest:
        return None
    return LostEvents(highest + 1, mark.highest_event, prepared.backup.finished_at, mark.seen_at)
