"""Which form submissions can be sent again, and the statements that set them pending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.cloudflare.database import Database, Row, id_batches, integer_list
from ops.leads.lead_states import CONDITIONS, DUE_AT, IS_SUBMISSION, SUBMISSIONS, State
from services.core.pending_leads import RELEASED
from services.tracking.form_data import read_lead

MAX_EVENT_ID = 2**63 - 1
QUERY_ROWS = 1_000

Statements = tuple[str, ...]

# A sync run writes the outcome of a submission only while it holds the lease.
_IS_LEASED = f"""
(coalesce(pipedrive_sync_status, '{State.REJECTED}') = '{State.REJECTED}'
  AND pipedrive_lease IS NOT NULL AND {DUE_AT} > datetime('now'))
"""
# A person who asks for one that was held, or by its id, has looked at it.
_RELEASED_REASONS = f"""
iif(
  instr(coalesce(suspicious, ''), '{RELEASED}'), suspicious,
  json_insert(iif(json_valid(suspicious), suspicious, '[]'), '$[#]', '{RELEASED}')
)
"""
_COLUMNS = f"""
id, event_type, pipedrive_sync_status AS status, form_data, {_IS_LEASED} AS leased
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which submissions are to be sent again: those with these ids, or all in a state."""

    ids: Sequence[int] = ()
    state: State | None = None
    days: int | None = None

    @property
    def is_looked_at(self) -> bool:
        """Whether somebody looked at the submissions: they are sent even if they may be forged."""
        return not self.state or self.state == State.WITHHELD

    @property
    def condition(self) -> str:
        """The condition that must still hold when a submission is set pending."""
        if self.state:
            return CONDITIONS[self.state]
        return f"{IS_SUBMISSION} AND NOT {_IS_LEASED}"


@dataclass(frozen=True, slots=True)
class Resubmittable:
    """The submissions that can be sent again, and the reasons why others cannot."""

    ids: Sequence[int]
    synced: frozenset[int]
    refused: dict[int, str]


def find_resubmittable(database: Database, selection: Selection) -> Resubmittable:
    """Read the selected submissions, and sort out those that cannot be sent.

    Raises:
        NoAnswerError: the database did not answer.
    """
    rows = {row["id"]: row for row in _rows(database, selection)}
    reasons = {event_id: _refusal(row) for event_id, row in rows.items()}
    refused = {event_id: reason for event_id, reason in reasons.items() if reason}
    missing = dict.fromkeys(
        (event_id for event_id in selection.ids if event_id not in rows), "no such event"
    )
    return Resubmittable(
        ids=[event_id for event_id in rows if event_id not in refused],
        synced=frozenset(row["id"] for row in rows.values() if row["status"] == State.SYNCED),
        refused={**refused, **missing},
    )


def _rows(database: Database, selection: Selection) -> Iterator[Row]:
    if selection.state:
        yield from _rows_in(database, selection.state, selection.days)
    for ids in id_batches(selection.ids):
        sql = f"SELECT {_COLUMNS} FROM tracking_events WHERE id IN ({integer_list(ids)})"
        yield from database.ask(sql)[0]


def _rows_in(database: Database, state: State, days: int | None) -> Iterator[Row]:
    """Yield the rows of a state, the newest first."""
    recent = f"AND datetime(created_at) >= datetime('now', '-{days:d} days')" if days else ""
    before = MAX_EVENT_ID
    while True:
        [rows] = database.ask(f"""
          SELECT {_COLUMNS} FROM {SUBMISSIONS}
          WHERE {CONDITIONS[state]} {recent} AND id < {before:d} ORDER BY id DESC LIMIT {QUERY_ROWS}
        """)
        yield from rows
        if len(rows) < QUERY_ROWS:
            return
        before = rows[-1]["id"]


def _refusal(row: Row) -> str | None:
    if row["event_type"] != "form_submit":
        return "no form submission"
    if row["leased"]:
        return "being sent at this moment"
    lead = read_lead(row["form_data"])
    return None if lead and lead.email else "no e-mail address in it"


def set_pending(ids: Sequence[int], submissions: Resubmittable, selection: Selection) -> Statements:
    """Build the statements that set at most 500 submissions pending; the last returns their ids."""
    synced = [event_id for event_id in ids if event_id in submissions.synced]
    pending = f"""
      UPDATE tracking_events SET
        pipedrive_sync_status = NULL, pipedrive_due_at = NULL, pipedrive_retry_count = 0,
        pipedrive_sync_reason = NULL, pipedrive_lease = NULL,
        suspicious = {_RELEASED_REASONS if selection.is_looked_at else "suspicious"}
      WHERE id IN ({integer_list(ids)}) AND {selection.condition}
      RETURNING id
    """
    return (*_allow_rewrite(synced), pending)


def _allow_rewrite(synced: Sequence[int]) -> Iterator[str]:
    """Let the persons with exactly these events get them again, but no older ones."""
    if synced:
        yield f"""
          UPDATE pipedrive_persons SET written_event_id = written_event_id - 1
          WHERE written_event_id IN ({integer_list(synced)})
        """
