"""Which form submissions can be sent again, and the statements that set them pending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ops.cloudflare.database import Database, Row, numbers, portions
from ops.leads.lead_states import CONDITIONS, DUE_AT, IS_SUBMISSION, SUBMISSIONS, State
from services.tracking.form_data import read_lead

LARGEST_ID = 2**63 - 1
PAGE = 1_000

Statements = tuple[str, ...]

# A run writes what came of a submission only where it still finds its lease.
_IS_LEASED = f"""
(pipedrive_sync_status IS NULL AND pipedrive_lease IS NOT NULL AND {DUE_AT} > datetime('now'))
"""
_COLUMNS = f"""
id, event_type, pipedrive_sync_status AS status, form_data, {_IS_LEASED} AS leased
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which submissions are to be sent again: those with these ids, or all in a state."""

    ids: Sequence[int] = ()
    state: State | None = None
    days: int | None = None

    @property
    def condition(self) -> str:
        """What still must hold when a submission is set pending."""
        if self.state:
            return CONDITIONS[self.state]
        return f"{IS_SUBMISSION} AND NOT {_IS_LEASED}"


@dataclass(frozen=True, slots=True)
class Found:
    """The submissions that can be sent again, and the reasons why others cannot."""

    ids: Sequence[int]
    synced: frozenset[int]
    refused: dict[int, str]


def find(database: Database, wanted: Wanted) -> Found:
    """Looks at the submissions that are wanted.

    Raises:
        NoAnswerError: the database did not answer.
    """
    rows = {row["id"]: row for row in _rows(database, wanted)}
    reasons = {event_id: _refusal(row) for event_id, row in rows.items()}
    refused = {event_id: reason for event_id, reason in reasons.items() if reason}
    missing = dict.fromkeys((each for each in wanted.ids if each not in rows), "no such event")
    return Found(
        ids=[event_id for event_id in rows if event_id not in refused],
        synced=frozenset(each for each, row in rows.items() if row["status"] == State.SYNCED),
        refused={**refused, **missing},
    )


def _rows(database: Database, wanted: Wanted) -> Iterator[Row]:
    if wanted.state:
        yield from _rows_in(database, wanted.state, wanted.days)
    for ids in portions(wanted.ids):
        sql = f"SELECT {_COLUMNS} FROM tracking_events WHERE id IN ({numbers(ids)})"
        yield from database.ask(sql)[0]


def _rows_in(database: Database, state: State, days: int | None) -> Iterator[Row]:
    """The newest first, page by page."""
    recent = f"AND datetime(created_at) >= datetime('now', '-{days:d} days')" if days else ""
    before = LARGEST_ID
    while True:
        [rows] = database.ask(f"""
          SELECT {_COLUMNS} FROM {SUBMISSIONS}
          WHERE {CONDITIONS[state]} {recent} AND id < {before:d} ORDER BY id DESC LIMIT {PAGE}
        """)
        yield from rows
        if len(rows) < PAGE:
            return
        before = rows[-1]["id"]


def _refusal(row: Row) -> str | None:
    if row["event_type"] != "form_submit":
        return "no form submission"
    if row["leased"]:
        return "being sent at this moment"
    lead = read_lead(row["form_data"])
    return None if lead and lead.email else "no e-mail address in it"


def set_pending(ids: Sequence[int], found: Found, wanted: Wanted) -> Statements:
    """Statements for at most 500 of those that were found; the last returns what it changed."""
    synced = [event_id for event_id in ids if event_id in found.synced]
    pending = f"""
      UPDATE tracking_events SET
        pipedrive_sync_status = NULL, pipedrive_due_at = NULL, pipedrive_retry_count = 0,
        pipedrive_sync_reason = NULL, pipedrive_lease = NULL
      WHERE id IN ({numbers(ids)}) AND {wanted.condition}
      RETURNING id
    """
    return (*_forget_written(synced), pending)


def _forget_written(synced: Sequence[int]) -> Iterator[str]:
    """A person that carries these very events may get them anew, but still no older ones."""
    if synced:
        yield f"""
          UPDATE pipedrive_persons SET written_event_id = written_event_id - 1
          WHERE written_event_id IN ({numbers(synced)})
        """
