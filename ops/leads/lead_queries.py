"""Queries for the form submissions in D1, by state and filter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ops.cloudflare.database import text_literal
from ops.leads.lead_states import CONDITIONS, DUE_AT, IS_SUBMISSION, STATE, SUBMISSIONS, State
from services.core.pending_leads import MAY_BE_FORGED

Group = Literal["project", "reason", "age"]

MAX_GROUPS = 100

_OVERDUE = f"pipedrive_sync_status IS NULL AND {DUE_AT} <= datetime('now')"
# A due time of NULL was set by hand, and does not tell how long the lead has waited.
SUMMARY = f"""
SELECT
  {STATE} AS state,
  count(*) AS leads,
  sum({_OVERDUE}) AS overdue,
  unixepoch('now') - unixepoch(min(iif({_OVERDUE}, nullif({DUE_AT}, ''), NULL))) AS oldest
FROM {SUBMISSIONS}
WHERE {IS_SUBMISSION}
GROUP BY 1
"""

_CREATED = "datetime(events.created_at)"
_GROUPS = {
    "project": "coalesce(projects.name, events.project_id, 'no project')",
    "reason": "coalesce(pipedrive_sync_reason, 'none yet')",
    "age": f"""
      CASE
        WHEN {_CREATED} >= datetime('now', '-1 hour') THEN 'within an hour'
        WHEN {_CREATED} >= datetime('now', '-1 day') THEN 'within a day'
        WHEN {_CREATED} >= datetime('now', '-7 days') THEN 'within a week'
        ELSE 'older'
      END
    """,
}


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Selects submissions by project id, by a text in their reason, and by age in days.

    `before` is an event id: only older events are selected, for the next page. `suspicious`: only
    those that may be forged.
    """

    project: str | None = None
    reason: str | None = None
    since: int | None = None
    older_than: int | None = None
    before: int | None = None
    suspicious: bool = False

    @property
    def condition(self) -> str:
        """The filter as SQL; untrusted text is in it as digits only."""
        parts = []
        if self.project is not None:
            parts.append(f"events.project_id = {text_literal(self.project)}")
        if self.reason is not None:
            reason = text_literal(self.reason.lower())
            parts.append(f"instr(lower(coalesce(pipedrive_sync_reason, '')), {reason})")
        if self.since is not None:
            parts.append(f"{_CREATED} >= datetime('now', '-{self.since:d} days')")
        if self.older_than is not None:
            parts.append(f"{_CREATED} < datetime('now', '-{self.older_than:d} days')")
        if self.before is not None:
            parts.append(f"events.id < {self.before:d}")
        if self.suspicious:
            parts.append(MAY_BE_FORGED)
        return "".join(f" AND {part}" for part in parts)


def lead_rows_sql(
    states: Sequence[State], limit: int, *, with_form: bool, lead_filter: LeadFilter = LeadFilter()
) -> str:
    """Build SQL for the newest submissions in some states."""
    return f"""
      SELECT
        events.id, events.created_at, coalesce(pixels.name, events.pixel_id) AS pixel,
        {STATE} AS state, coalesce(pipedrive_retry_count, 0) AS tries,
        pipedrive_due_at AS due_at, unixepoch(pipedrive_due_at) - unixepoch('now') AS due_in,
        pipedrive_sync_reason AS reason, pipedrive_person_id AS person_id, suspicious
        {", form_data" if with_form else ""}
      FROM tracking_events AS events
      LEFT JOIN pixels ON pixels.id = events.pixel_id
      WHERE events.id IN ({_ids(states)}){lead_filter.condition}
      ORDER BY events.id DESC
      LIMIT {int(limit)}
    """


def lead_counts_sql(
    group: Group, states: Sequence[State], lead_filter: LeadFilter = LeadFilter()
) -> str:
    """Build SQL that counts the submissions in some states by group, the largest first."""
    return f"""
      SELECT
        {_GROUPS[group]} AS value, count(*) AS leads,
        min(events.created_at) AS oldest, max(events.created_at) AS newest
      FROM tracking_events AS events
      LEFT JOIN projects ON projects.id = events.project_id
      WHERE events.id IN ({_ids(states)}){lead_filter.condition}
      GROUP BY 1 ORDER BY leads DESC, value LIMIT {MAX_GROUPS}
    """


def _ids(states: Sequence[State]) -> str:
    return " UNION ALL ".join(
        f"SELECT id FROM {SUBMISSIONS} WHERE {CONDITIONS[state]}" for state in states
    )
