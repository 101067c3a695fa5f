"""The outbox: form submissions in `tracking_events` that are to be sent to Pipedrive.

A submission is pending while its status is NULL and its due time is a real one. A run first gets
the lease of the job, by its row in the ledger, then leases submissions in portions. One round trip
writes the outcomes of a portion and leases the next one; a second one, in between, claims persons.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from services.core.job_runs import BEGIN_RUN, END_RUN, FORGET_OLD_RUNS, RENEW_RUN
from services.core.pending_leads import REJECTED
from services.core.ports import Database, Row
from services.core.stored_time import NEVER_DUE, format_stored_time, parse_stored_time
from services.pipedrive.client import AccountState
from services.sync.account_states import (
    READ_ACCOUNTS,
    WRITE_ACCOUNTS,
    account_state_as_json,
    load_account_state,
)
from services.sync.outbox_statements import (
    CLAIM_PERSONS,
    LEASE_DUE,
    LEASE_TIMED,
    READ_LEASED,
    READ_NEAR,
    SETTLE,
    SETTLE_PERSONS,
)
from services.sync.submissions import Submission, read_submission
from services.sync.suspicion import with_addresses_of_clients

JOB = "pipedrive_sync"

Status = Literal["synced", "not_found", "error", "rejected", "held"]
ClaimDecision = Literal["write", "superseded", "wait"]


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether an event may be written onto its person; if it waits, when the newer one is due."""

    decision: ClaimDecision
    newer_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one leased submission.

    A status is final; `rejected` is what its site said, which Pipedrive did not contradict; `held`
    waits for a person who looks at it. Without one it is due again at `due_at`, or never (None).
    `written` says that the person carries the values of this event.
    """

    submission: Submission
    status: Status | None = None
    reason: str | None = None
    person_id: int | None = None
    destination: str | None = None
    written: bool = False
    due_at: datetime | None = None
    tried: bool = True

    def as_json(self) -> dict[str, object]:
        """The outcome as the statements read it."""
        # The lease counted a try; the first try is no retry.
        tries = self.submission.tries - (1 if self.status or not self.tried else 0)
        due_at = format_stored_time(self.due_at) if self.due_at else NEVER_DUE
        is_checked = self.status == REJECTED
        return {
            "event_id": self.submission.event_id,
            # The row has this status already, unless its site accepted it meanwhile.
            "status": None if is_checked else self.status,
            "was_rejected": self.submission.is_rejected,
            "reason": self.reason,
            "suspicious": self.submission.suspicious,
            "person_id": None if self.person_id is None else str(self.person_id),
            "destination": self.destination,
            "written": self.written,
            "due_at": None if self.status and not is_checked else due_at,
            "tries": max(0, tries),
        }


@dataclass(slots=True)
class Outbox:
    """The outbox in one run. `round_trips` counts the batches sent to D1.

    Every portion writes `summary` into the ledger, and the states of `accounts`.
    """

    database: Database
    run: str
    lease_seconds: int
    accounts: Mapping[str, AccountState]
    summary: dict[str, object] = field(default_factory=dict)
    round_trips: int = 0
    portions: int = 0

    async def begin(self, now: datetime) -> bool:
        """Gets the lease of the job and loads the accounts' states; False if another run has it.

        Raises:
            UnavailableError: D1 failed.
        """
        parameters = {"job": JOB, "lease_until": self._lease_until(now)}
        statements = (FORGET_OLD_RUNS, BEGIN_RUN, READ_ACCOUNTS)
        _, started_runs, accounts = await self._batch(statements, now, parameters)
        for row in accounts:
            if row["name"] in self.accounts:
                load_account_state(self.accounts[row["name"]], row)
        return bool(started_runs)

    async def exchange(
        self,
        outcomes: Sequence[Outcome],
        now: datetime,
        max_submissions: int,
        event_ids: Sequence[int] | None,
    ) -> Sequence[Submission]:
        """Writes the outcomes of the last portion and leases the next one, the oldest event first.

        `event_ids` are those whose timers expired; None leases whatever is due.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """
        settled_lease = self._lease()
        self.portions += 1
        lease = LEASE_DUE if event_ids is None else LEASE_TIMED
        statements = (
            SETTLE,
            SETTLE_PERSONS,
            WRITE_ACCOUNTS,
            RENEW_RUN,
            lease,
            READ_LEASED,
            READ_NEAR,
        )
        parameters = {
            "settled": settled_lease,
            "outcomes": [outcome.as_json() for outcome in outcomes],
            "accounts": self._states(),
            "summary": self.summary,
            "lease": self._lease(),
            "lease_until": self._lease_until(now),
            "most": max_submissions,
            "ids": list(event_ids or ()),
        }
        *_, rows, near = await self._batch(statements, now, parameters)
        return [read_submission(row) for row in with_addresses_of_clients(rows, near)]

    async def claim(
        self, claims: Sequence[tuple[str, int, int]], now: datetime
    ) -> Mapping[tuple[str, int], Claim]:
        """Claims persons, each as (destination, person id, newest event id), to write them.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """
        entries = [
            {"destination": destination, "person_id": person_id, "event_id": event_id}
            for destination, person_id, event_id in claims
        ]
        rows = (await self._batch((CLAIM_PERSONS,), now, {"claims": entries}))[0]
        event_ids = {
            (destination, person_id): event_id for destination, person_id, event_id in claims
        }
        return {
            (key := (row["destination"], row["person_id"])): _claim(row, event_ids[key])
            for row in rows
        }

    async def end(self, outcomes: Sequence[Outcome], now: datetime, outcome: str) -> None:
        """Writes the outcomes of the last portion, and the run's end into the ledger.

        Raises:
            UnavailableError: D1 failed; nothing was written.
        """
        parameters = {
            "settled": self._lease(),
            "outcomes": [outcome.as_json() for outcome in outcomes],
            "accounts": self._states(),
            "summary": self.summary,
            "outcome": outcome,
        }
        await self._batch((SETTLE, SETTLE_PERSONS, WRITE_ACCOUNTS, END_RUN), now, parameters)

    async def _batch(
        self, statements: Sequence[str], now: datetime, parameters: Mapping[str, object]
    ) -> Sequence[Sequence[Row]]:
        self.round_trips += 1
        common = {"run": self.run, "now": format_stored_time(now)}
        return await self.database.batch_rows(statements, json.dumps({**common, **parameters}))

    def _lease(self) -> str:
        return f"{self.run}-{self.portions}"

    def _lease_until(self, now: datetime) -> str:
        return format_stored_time(now + timedelta(seconds=self.lease_seconds))

    def _states(self) -> list[dict[str, object]]:
        return [account_state_as_json(name, state) for name, state in self.accounts.items()]


def _claim(row: Row, event_id: int) -> Claim:
    if event_id <= row["written_event_id"]:
        return Claim("superseded")
    if event_id >= row["claimed_event_id"]:
        return Claim("write")
    due_at = row["claimed_due_at"]
    return Claim("wait", parse_stored_time(due_at) if due_at else None)
