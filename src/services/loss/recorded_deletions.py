"""How many rows the jobs and erasures deleted since a moment, by their own records, in SQL.

The archive records its deletions in the transaction that makes them, a run of retention when it
ends, an erasure portion by portion. A run that began before the moment and ended after it counts as
a whole; no run lasts an hour.

Each constant is an expression of a number, or a condition, and a template: `{since}` is the moment
as an SQL expression.
"""

from __future__ import annotations

_ENDED_SINCE = "coalesce(finished_at, '9') >= {since}"
_RUNS = f"started_at >= datetime({{since}}, '-1 hour') AND {_ENDED_SINCE}"
# Runs of retention in `job_runs`.
IS_RETENTION_RUN = f"job = 'retention' AND {_RUNS}"

_RETENTION_COUNT = (
    "(SELECT coalesce(sum(summary ->> '{name}'), 0) FROM job_runs WHERE " + IS_RETENTION_RUN + ")"
)
_ERASURE_COUNT = (
    "(SELECT coalesce(sum(counts ->> '{name}'), 0) FROM privacy_requests"
    " WHERE kind = 'erase' AND " + _ENDED_SINCE + ")"
)
_DELETION_COUNT = f"({_RETENTION_COUNT} + {_ERASURE_COUNT})"
DELETED_SESSIONS = _DELETION_COUNT.replace("{name}", "sessions")
DELETED_VISITORS = _DELETION_COUNT.replace("{name}", "visitors")
# A part that was recorded by a run which was killed is in `archive_batches` only; of one that was
# rewritten or has expired since, only the run says how many events it took.
_ARCHIVED_EVENTS = f"""
max(
  (SELECT coalesce(sum(events), 0) FROM archive_batches WHERE archived_at >= {{since}}),
  (SELECT coalesce(sum(summary ->> 'archived'), 0) FROM job_runs WHERE job = 'archive' AND {_RUNS})
)
"""
_EXPIRED_EVENTS = _RETENTION_COUNT.replace("{name}", "events")
_ERASED_EVENTS = _ERASURE_COUNT.replace("{name}", "tracking_events")
DELETED_EVENTS = f"({_ARCHIVED_EVENTS} + {_EXPIRED_EVENTS} + {_ERASED_EVENTS})"
_EXPIRED_PARTS = _RETENTION_COUNT.replace("{name}", "archived_parts")
_ERASED_PARTS = _ERASURE_COUNT.replace("{name}", "archived_events")
DELETED_PARTS = f"({_EXPIRED_PARTS} + {_ERASED_PARTS})"
