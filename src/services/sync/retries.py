"""How often a lead is retried, and after which pauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

HOUR_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class RetrySchedule:
    """Pauses that double from the first up to the longest.

    A lead is given up when its pauses add up to `give_up_after_hours`.
    """

    first_pause_seconds: int
    max_pause_seconds: int
    give_up_after_hours: int

    def pause_after(self, tries: int) -> timedelta | None:
        """The pause after so many failed tries; None when the lead is given up.

        Pauses are added up, not time, so that no lead is given up because nobody could try.
        """
        pause, total = min(self.first_pause_seconds, self.max_pause_seconds), 0
        for _ in range(tries - 1):
            total += pause
            pause = min(2 * pause, self.max_pause_seconds)
            if total >= self.give_up_after_hours * HOUR_SECONDS:
                return None
        return timedelta(seconds=pause)
