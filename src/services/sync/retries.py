"""How often a lead is tried, and with which pauses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Retries:
    """Pauses in seconds, which double from the first up to the longest; together `hours` long."""

    first_pause: int
    longest_pause: int
    hours: int

    def pause_after(self, tries: int) -> timedelta | None:
        """How long a lead rests after so many failed tries; None when it is given up.

        Pauses are added up rather than time, so that no lead is given up because nobody could try.
        """
        pause, rested = min(self.first_pause, self.longest_pause), 0
        for _ in range(tries - 1):
            rested += pause
            pause = min(2 * pause, self.longest_pause)
            if rested >= self.hours * HOUR:
                return None
        return timedelta(seconds=pause)
