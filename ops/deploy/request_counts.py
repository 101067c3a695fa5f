"""How many requests the Worker answered 5xx, and how many events it stored, since a moment.

They are read from the database: the metrics of the API count the last hour, whose older failures
drop out while a rollout is watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from ops.cloudflare.database import Database
from ops.terminal.errors import NoAnswerError
from ops.worker_api.retries import outage_retries

# Fewer failures may be the network's, or those of a single client.
MIN_FAILED_REQUESTS = 3
MAX_FAILED_PERCENT = 1.0
FULL_PERCENT = 100

_THIS_MINUTE = "strftime('%Y-%m-%d %H:%M:00', 'now')"
_COUNT_FAILED = "SELECT coalesce(sum(number), 0) FROM failed_requests WHERE minute >="
# Pixel by pixel, by the index.
READ_START = f"""
SELECT
  {_THIS_MINUTE} AS minute,
  (SELECT coalesce(max(id), 0) FROM tracking_events) AS event,
  ({_COUNT_FAILED} {_THIS_MINUTE}) AS failed_this_minute,
  ({_COUNT_FAILED} datetime('now', '-1 hour')) AS failed,
  (SELECT count(*) FROM pixels CROSS JOIN tracking_events
    WHERE tracking_events.pixel_id = pixels.id
      AND tracking_events.timestamp >= datetime('now', '-1 hour')) AS stored
"""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """Requests of a span of time."""

    failed: int
    stored: int

    @property
    def total(self) -> int:
        """All requests that were counted."""
        return self.failed + self.stored


@dataclass(frozen=True, slots=True)
class RequestCounter:
    """Counts the requests since a moment; `usual` are those of the hour before it."""

    database: Database
    minute: str
    event: int
    failed_before: int
    usual: RequestCounts

    @classmethod
    def start(cls, database: Database) -> Self:
        """Begin to count now.

        Raises:
            NoAnswerError: the database does not answer.
        """
        [[row]] = outage_retries(NoAnswerError)(database.ask, READ_START)
        usual = RequestCounts(row["failed"], row["stored"])
        return cls(database, row["minute"], row["event"], row["failed_this_minute"], usual)

    def describe_failures(self, share: int) -> str | None:
        """Describe the failures since then, if they are more of a version's requests than usual.

        A new version has `share` percent of all requests, and is blamed for the unusual failures.

        Raises:
            NoAnswerError: the database does not answer.
        """
        return describe_failures(self.usual, self._read(), share)

    def _read(self) -> RequestCounts:
        [[row]] = outage_retries(NoAnswerError)(
            self.database.ask,
            f"SELECT ({_COUNT_FAILED} '{self.minute}') AS failed,"
            f" (SELECT count(*) FROM tracking_events WHERE id > {int(self.event)}) AS stored",
        )
        return RequestCounts(max(0, row["failed"] - self.failed_before), row["stored"])


def describe_failures(usual: RequestCounts, now: RequestCounts, share: int) -> str | None:
    """Describe requests that failed because of a version with `share` percent of them, or None."""
    usual_rate = usual.failed / max(1, usual.total)
    unusual = now.failed - usual_rate * now.total
    version_requests = max(1.0, now.total * share / FULL_PERCENT)
    percent = FULL_PERCENT * unusual / version_requests
    if unusual < MIN_FAILED_REQUESTS or percent <= MAX_FAILED_PERCENT:
        return None
    return (
        f"{now.failed:,} of {now.total:,} requests were answered 5xx, about"
        f" {min(percent, FULL_PERCENT):.1f} % of the new version's; usual are"
        f" {FULL_PERCENT * usual_rate:.1f} %"
    )
