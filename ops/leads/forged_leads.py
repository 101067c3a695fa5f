"""Held leads of which a person says that they are forged."""

from __future__ import annotations

from collections.abc import Sequence

from ops.cloudflare.database import Database, id_batches, integer_list
from ops.leads.lead_states import CONDITIONS, SUBMISSIONS, State

REASON = "a person said that it is forged"


def find_withheld(database: Database, ids: Sequence[int]) -> list[int]:
    """Read which submissions are held: of those with these ids, or of all without any.

    Raises:
        NoAnswerError: the database did not answer.
    """
    withheld = f"SELECT id FROM {SUBMISSIONS} WHERE {CONDITIONS[State.WITHHELD]}"
    narrowed = [f"{withheld} AND id IN ({integer_list(batch)})" for batch in id_batches(ids)]
    answers = database.ask(*(narrowed or [withheld]))
    return sorted(row["id"] for rows in answers for row in rows)


def mark_forged(ids: Sequence[int]) -> str:
    """Build the statement that ends at most 500 held submissions, and returns their ids."""
    return f"""
      UPDATE tracking_events SET
        pipedrive_sync_status = '{State.FORGED}', pipedrive_sync_reason = '{REASON}'
      WHERE id IN ({integer_list(ids)}) AND {CONDITIONS[State.WITHHELD]}
      RETURNING id
    """
