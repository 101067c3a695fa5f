"""The states of a form submission on its way to Pipedrive, as conditions for D1."""

from __future__ import annotations

from enum import StrEnum

from services.core.pending_leads import IS_PENDING
from services.core.stored_time import NEVER_DUE


class State(StrEnum):
    """The state of a form submission."""

    PENDING = "pending"
    NEVER = "never"
    SYNCED = "synced"
    NOT_FOUND = "not_found"
    ERROR = "error"
    REJECTED = "rejected"
    WITHHELD = "held"
    FORGED = "forged"


# The partial index needs these conditions verbatim.
SUBMISSIONS = "tracking_events INDEXED BY tracking_events_by_sync_status"
IS_SUBMISSION = "event_type = 'form_submit'"
IS_UNFINISHED = f"{IS_SUBMISSION} AND pipedrive_sync_status IS NULL"
DUE_AT = "coalesce(pipedrive_due_at, '')"

STATE = f"""
CASE
  WHEN pipedrive_sync_status IS NOT NULL THEN pipedrive_sync_status
  WHEN {DUE_AT} < '{NEVER_DUE}' THEN '{State.PENDING}'
  ELSE '{State.NEVER}'
END
"""

# What is stored as it is called.
_ENDED = (
    *(State.SYNCED, State.NOT_FOUND, State.ERROR, State.REJECTED),
    *(State.WITHHELD, State.FORGED),
)
CONDITIONS: dict[State, str] = {
    State.PENDING: IS_PENDING,
    State.NEVER: f"{IS_UNFINISHED} AND {DUE_AT} >= '{NEVER_DUE}'",
    **{state: f"{IS_SUBMISSION} AND pipedrive_sync_status = '{state}'" for state in _ENDED},
}
