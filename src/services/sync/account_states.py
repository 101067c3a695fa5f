"""The state of Pipedrive accounts in D1, which all runs share."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from services.core.ports import Row
from services.pipedrive.circuit_breaker import State
from services.pipedrive.client import AccountState

READ_ACCOUNTS = "SELECT * FROM pipedrive_accounts WHERE ?1 IS NOT NULL"

WRITE_ACCOUNTS = """
INSERT INTO pipedrive_accounts (name, state, failures, successes, open_until, paused_until)
SELECT
  value ->> 'name', value ->> 'state', value ->> 'failures', value ->> 'successes',
  value ->> 'open_until', value ->> 'paused_until'
FROM json_each(?1, '$.accounts')
WHERE true
ON CONFLICT (name) DO UPDATE SET
  state = excluded.state, failures = excluded.failures, successes = excluded.successes,
  open_until = excluded.open_until, paused_until = excluded.paused_until
"""


def load_account_state(state: AccountState, row: Row) -> None:
    """Sets a state to what the row of its account holds."""
    breaker = state.breaker
    breaker.state = cast("State", row["state"])
    breaker.failures, breaker.successes = row["failures"], row["successes"]
    breaker.open_until = _time(row["open_until"])
    state.paused_until = _time(row["paused_until"])


def account_state_as_json(name: str, state: AccountState) -> dict[str, object]:
    """The state as `WRITE_ACCOUNTS` reads it."""
    return {
        "name": name,
        "state": state.breaker.state,
        "failures": state.breaker.failures,
        "successes": state.breaker.successes,
        "open_until": _iso_or_none(state.breaker.open_until),
        "paused_until": _iso_or_none(state.paused_until),
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _iso_or_none(time: datetime | None) -> str | None:
    return time.isoformat(timespec="milliseconds") if time else None
