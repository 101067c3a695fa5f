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
from services.sync.submissions import MAX_PAGE_CHARACTERS, MAX_PAGES, Submission, read_submission

JOB = "pipedrive_sync"

Status = Literal["synced", "not_found", "error"]
ClaimDecision = Literal["write", "superseded", "wait"]

# ---- submissions -------------------------------------------------------------------------------

# Only rows that this portion leased are written, and a final status never changes. A form that its
# site rejected meanwhile is not retried, and says so if it was sent all the same.
SETTLE = f"""
UPDATE tracking_events SET
  pipedrive_sync_status = coalesce(outcome.value ->> 'status', pipedrive_sync_status),
  pipedrive_sync_at = iif(
    outcome.value ->> 'status' IS NULL, pipedrive_sync_at, ?1 ->> 'now'
  ),
  pipedrive_person_id = coalesce(outcome.value ->> 'person_id', pipedrive_person_id),
  pipedrive_sync_reason = outcome.value ->> 'reason',
  pipedrive_due_at = iif(
    form_outcome = 'rejected' AND outcome.value ->> 'status' IS NULL,
    '{NEVER_DUE}', outcome.value ->> 'due_at'
  ),
  pipedrive_retry_count = outcome.value ->> 'tries',
  pipedrive_lease = NULL
FROM json_each(?1, '$.outcomes') AS outcome
WHERE tracking_events.id = outcome.value ->> 'event_id'
  AND tracking_events.pipedrive_lease = ?1 ->> 'settled'
  AND coalesce(tracking_events.pipedrive_sync_status, '{REJECTED}') = '{REJECTED}'
"""

# The persons carry the values of these events now.
SETTLE_PERSONS = """
INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id, written_event_id)
SELECT
  value ->> 'destination', CAST(value ->> 'person_id' AS INTEGER),
  value ->> 'event_id', value ->> 'event_id'
FROM json_each(?1, '$.outcomes')
WHERE value ->> 'written'
ON CONFLICT (destination, person_id) DO UPDATE SET
  written_event_id = max(written_event_id, excluded.written_event_id),
  claimed_event_id = max(claimed_event_id, excluded.claimed_event_id)
"""

_LEASE = """
UPDATE tracking_events SET
  pipedrive_due_at = ?1 ->> 'lease_until',
  pipedrive_lease = ?1 ->> 'lease',
  pipedrive_retry_count = coalesce(pipedrive_retry_count, 0) + 1,
  pipedrive_last_retry_at = ?1 ->> 'now'
"""
_IS_DUE = """
  event_type = 'form_submit' AND pipedrive_sync_status IS NULL
  AND coalesce(pipedrive_due_at, '') <= ?1 ->> 'now'
"""
_RUN_IS_ACTIVE = """
  EXISTS (SELECT 1 FROM job_runs WHERE run = ?1 ->> 'run' AND finished_at IS NULL)
"""

# Submissions whose timers expired …
LEASE_TIMED = f"""
{_LEASE}
WHERE id IN (
  SELECT id FROM tracking_events
  WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND {_IS_DUE}
  LIMIT ?1 ->> 'most'
) AND {_RUN_IS_ACTIVE}
"""

# … and all that are due, the longest due first: KV may have lost a timer.
LEASE_DUE = f"""
{_LEASE}
WHERE id IN (
  SELECT id FROM tracking_events
  WHERE {_IS_DUE}
  ORDER BY coalesce(pipedrive_due_at, '') LIMIT ?1 ->> 'most'
) AND {_RUN_IS_ACTIVE}
"""

# The sources of all values. The last touch is the newest one that came with an event. Pages are
# those of the same project, so that no client sees another one's.
READ_LEASED = f"""
SELECT
  events.id, events.project_id, events.pixel_id, events.visitor_id, events.session_id,
  events.event_type, events.page_url, events.page_title, events.referrer_url, events.user_agent,
  events.ip_address, events.country, events.region, events.city, events.device_data,
  events.form_data, events.pipedrive_retry_count,
  events.utm_source, events.utm_medium, events.utm_campaign, events.utm_content, events.utm_term,
  events.gclid, events.fbclid, events.msclkid, events.ttclid, events.twclid, events.li_fat_id,
  events.sc_click_id, events.campaign_region, events.ad_group, events.ad_id, events.search_query,
  projects.configuration, visitors.first_touch, sessions.started_at, sessions.last_activity,
  (
    SELECT json_object(
      'utm_source', utm_source, 'utm_medium', utm_medium, 'utm_campaign', utm_campaign,
      'gclid', gclid, 'fbclid', fbclid, 'msclkid', msclkid, 'ttclid', ttclid, 'twclid', twclid,
      'li_fat_id', li_fat_id, 'sc_click_id', sc_click_id, 'ad_group', ad_group
    )
    FROM tracking_events AS earlier
    WHERE earlier.visitor_id = events.visitor_id AND earlier.id <= events.id
      AND earlier.touch_origin IN ('page_url', 'body', 'referrer')
    ORDER BY earlier.id DESC LIMIT 1
  ) AS last_touch,
  (
    SELECT json_group_array(substr(page_url, 1, {MAX_PAGE_CHARACTERS})) FROM (
      SELECT page_url FROM tracking_events AS seen
      WHERE seen.visitor_id = events.visitor_id AND seen.project_id = events.project_id
      GROUP BY page_url ORDER BY max(seen.id) DESC LIMIT {MAX_PAGES}
    )
  ) AS pages,
  coalesce((
    SELECT max(timestamp) FROM tracking_events AS seen
    WHERE seen.visitor_id = events.visitor_id AND seen.project_id = events.project_id
  ), events.timestamp) AS last_event_at
FROM tracking_events AS events
LEFT JOIN projects ON projects.id = events.project_id
LEFT JOIN visitors ON visitors.id = events.visitor_id
LEFT JOIN sessions ON sessions.id = events.session_id
WHERE events.event_type = 'form_submit' AND events.pipedrive_sync_status IS NULL
  AND coalesce(events.pipedrive_due_at, '') = ?1 ->> 'lease_until'
  AND events.pipedrive_lease = ?1 ->> 'lease'
ORDER BY events.id
"""

# ---- persons -----------------------------------------------------------------------------------

# An older event gives way to a newer one: for good if the newer values are written, for a while if
# the newer event is still being written.
CLAIM_PERSONS = f"""
INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id)
SELECT
  value ->> 'destination', CAST(value ->> 'person_id' AS INTEGER), value ->> 'event_id'
FROM json_each(?1, '$.claims')
WHERE true
ON CONFLICT (destination, person_id) DO UPDATE SET
  claimed_event_id = iif(
    excluded.claimed_event_id > claimed_event_id
    OR NOT EXISTS (
      SELECT 1 FROM tracking_events
      WHERE tracking_events.id = pipedrive_persons.claimed_event_id
        AND tracking_events.pipedrive_sync_status IS NULL
        AND coalesce(tracking_events.pipedrive_due_at, '') < '{NEVER_DUE}'
    ),
    max(excluded.claimed_event_id, written_event_id),
    claimed_event_id
  )
RETURNING destination, person_id, claimed_event_id, written_event_id, (
  SELECT nullif(pipedrive_due_at, '') FROM tracking_events WHERE id = claimed_event_id
) AS claimed_due_at
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether an event may be written onto its person; if it waits, when the newer one is due."""

    decision: ClaimDecision
    newer_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one leased submission.

    A status is final. Without one it is due again at `due_at`, or never (None). `written` says that
    the person carries the values of this event.
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
        return {
            "event_id": self.submission.event_id,
            "status": self.status,
            "reason": self.reason,
            "person_id": None if self.person_id is None else str(self.person_id),
            "destination": self.destination,
            "written": self.written,
            "due_at": None if self.status else due_at,
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
        statements = (SETTLE, SETTLE_PERSONS, WRITE_ACCOUNTS, RENEW_RUN, lease, READ_LEASED)
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
        rows = (await self._batch(statements, now, parameters))[-1]
        return [read_submission(row) for row in rows]

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
