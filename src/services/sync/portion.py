"""One portion of leased submissions on its way to Pipedrive.

Four steps, each for all leads: where does it go, who is it, is it that person's newest, write it.
What cannot be done now is put back and stays pending.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from services.core.logs import Log, place_of
from services.core.ports import Clock, LocalTime
from services.pipedrive.answers import PersonGoneError, RejectedError, TransientError
from services.pipedrive.client import PipedriveClient
from services.pipedrive.destinations import (
    Destination,
    NoDestinationError,
    SwitchedOffError,
    destination_of,
)
from services.pipedrive.fields import FieldMap
from services.pipedrive.limits import DeferredError
from services.sync.outbox import Claim, Outbox, Outcome
from services.sync.payload import AccountFields, Payload, payload, without_key
from services.sync.person_lookup import NotFound, PersonLookup
from services.sync.retries import Retries
from services.sync.submissions import Submission
from services.tracking.form_data import Lead

HELD = timedelta(minutes=10)
A_WHILE = timedelta(minutes=1)
MAX_UNKNOWN_KEYS = 3
REASON_LENGTH = 500

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LeadSettings:
    """How leads are sent. One may take `lead_seconds`, two thirds of them to find its person."""

    concurrency: int
    lead_seconds: int
    time_zone: str
    retries: Retries


@dataclass(frozen=True, slots=True)
class _Group:
    """The submissions of one e-mail address, or later of one person, the oldest first."""

    destination: Destination
    submissions: tuple[Submission, ...]

    @property
    def newest(self) -> Submission:
        return self.submissions[-1]

    @property
    def lead(self) -> Lead:
        """The newest one that says its whole name, which may be needed to find the person."""
        leads = [submission.lead for submission in reversed(self.submissions)]
        return next((lead for lead in leads if lead.first_name and lead.last_name), leads[0])


@dataclass(slots=True)
class PortionSync:
    """Sends portions. It knows the accounts, and what one run found out about their persons."""

    settings: LeadSettings
    apis: Mapping[str, PipedriveClient]
    default_fields: FieldMap | None
    account_fields: AccountFields
    outbox: Outbox
    clock: Clock
    local_time: LocalTime
    log: Log
    _lookups: dict[str, PersonLookup] = field(default_factory=dict)
    _unreadable: dict[str, Exception] = field(default_factory=dict)
    _stop_at: datetime = field(init=False)

    async def send(self, portion: Sequence[Submission], stop_at: datetime) -> Sequence[Outcome]:
        """Sends a portion and says what came of each of its submissions.

        No lead is begun after `stop_at`.

        Raises:
            UnavailableError: D1 failed; nothing was written onto a person.
        """
        self._stop_at = stop_at
        groups, outcomes = self._by_address(portion)
        await self._read_fields({group.destination.account for group in groups})
        found = await self._each(groups, self._find)
        persons: dict[tuple[str, int], _Group] = {}
        for group, answer in zip(groups, found, strict=True):
            if isinstance(answer, int):
                _join(persons, group, answer)
            else:
                outcomes += answer
        return [*outcomes, *await self._write_all(persons)]

    # ---- where does it go ----------------------------------------------------------------------

    def _by_address(self, portion: Sequence[Submission]) -> tuple[list[_Group], list[Outcome]]:
        groups: dict[tuple[str, str], _Group] = {}
        outcomes: list[Outcome] = []
        for submission in portion:
            email = submission.lead.email
            if email is None:
                outcomes.append(Outcome(submission, reason="no e-mail address"))
                continue
            destination = self._destination(submission)
            if isinstance(destination, Outcome):
                outcomes.append(destination)
                continue
            key = (destination.name, email)
            known = groups[key].submissions if key in groups else ()
            groups[key] = _Group(destination, (*known, submission))
        return list(groups.values()), outcomes

    def _destination(self, submission: Submission) -> Destination | Outcome:
        try:
            return destination_of(
                submission.project_id, submission.configuration, self.apis, self.default_fields
            )
        except SwitchedOffError:
            reason = "Pipedrive was switched off for the project before this was sent"
            return Outcome(submission, "error", reason)
        except NoDestinationError as error:
            self.log.error("no_destination", event_id=submission.event_id, reason=str(error))
            return self._put_back(submission, str(error), self.clock() + HELD)

    # ---- who is it -----------------------------------------------------------------------------

    async def _read_fields(self, accounts: Collection[str]) -> None:
        """Once for all leads of an account, which share the failure if there is one."""
        self._unreadable.clear()
        for account in accounts:
            try:
                await self.account_fields.of(self.apis[account], self._from_now(1))
            except (RejectedError, TransientError, DeferredError) as error:
                self._unreadable[account] = error

    async def _find(self, group: _Group) -> int | list[Outcome]:
        try:
            self._require_time()
            if failure := self._unreadable.get(group.destination.account):
                raise failure  # noqa: TRY301  # as if it had happened to this lead
            api = self.apis[group.destination.account]
            found = await self._lookup(api).find(group.lead, self._from_now(2 / 3))
        except Exception as error:  # noqa: BLE001  # one lead must not end the run
            return [self._failure(submission, error) for submission in group.submissions]
        if isinstance(found, NotFound):
            return [Outcome(one, "not_found", found.reason) for one in group.submissions]
        return found

    def _lookup(self, api: PipedriveClient) -> PersonLookup:
        return self._lookups.setdefault(api.account.name, PersonLookup(api))

    # ---- is it the newest, and write it --------------------------------------------------------

    async def _write_all(self, persons: Mapping[tuple[str, int], _Group]) -> list[Outcome]:
        if not persons:
            return []
        entries = [(*key, group.newest.event_id) for key, group in persons.items()]
        claims = await self.outbox.claim(entries, self.clock())

        async def write(item: tuple[tuple[str, int], _Group]) -> list[Outcome]:
            key, group = item
            return await self._write(key[1], group, claims[key])

        written = await self._each(list(persons.items()), write)
        return [outcome for outcomes in written for outcome in outcomes]

    async def _write(self, person_id: int, group: _Group, claim: Claim) -> list[Outcome]:
        if claim.verdict == "superseded":
            return [_superseded(one, person_id) for one in group.submissions]
        if claim.verdict == "wait":
            return [self._wait(one, claim.newer_due_at) for one in group.submissions]
        try:
            self._require_time()
            sent = await self._update(person_id, group)
        except Exception as error:  # noqa: BLE001  # one lead must not end the run
            failed = self._failure(group.newest, error)
            return [*(self._wait(one, failed.due_at) for one in group.submissions[:-1]), failed]
        newest = Outcome(
            group.newest,
            "synced",
            _left_out(sent),
            person_id,
            group.destination.name,
            written=True,
        )
        return [*(_superseded(one, person_id) for one in group.submissions[:-1]), newest]

    async def _update(self, person_id: int, group: _Group) -> Payload:
        """Writes the newest submission's values; what the account does not know is left out."""
        until = self._from_now(1 / 3)
        api, names = self.apis[group.destination.account], group.destination.fields
        values = group.newest.values(self.settings.time_zone, self.local_time)
        wanted = payload(values, names, await self.account_fields.of(api, until))
        for _ in range(MAX_UNKNOWN_KEYS):
            if not wanted.custom_fields:
                raise RejectedError(f"no field to write: {_left_out(wanted)}")
            try:
                await api.update(person_id, wanted.custom_fields, until)
            except RejectedError as error:
                if error.unknown_key is None or error.unknown_key not in wanted.custom_fields:
                    raise
                self.log.error("unknown_field", key=error.unknown_key, account=api.account.name)
                wanted = without_key(wanted, names, error.unknown_key)
                await self.account_fields.forget(api.account.name)
            else:
                return wanted
        raise RejectedError(f"the field map does not fit the account: {_left_out(wanted)}")

    # ---- outcomes ------------------------------------------------------------------------------

    def _failure(self, submission: Submission, error: Exception) -> Outcome:
        match error:
            case DeferredError():
                return self._put_back(submission, str(error), error.until or self.clock())
            case RejectedError():
                return Outcome(submission, "error", str(error)[:REASON_LENGTH])
            case TransientError():
                return self._retry(submission, str(error))
            case PersonGoneError():
                return self._retry(submission, "the person was gone when it was to be written")
            case _:
                self.log.error("lead_failed", event_id=submission.event_id, **place_of(error))
                return self._retry(submission, f"internal error ({type(error).__name__})")

    def _retry(self, submission: Submission, reason: str) -> Outcome:
        pause = self.settings.retries.pause_after(submission.tries)
        if pause is None:
            return Outcome(
                submission, "error", f"given up after {submission.tries} tries: {reason}"
            )
        return Outcome(submission, reason=reason, due_at=self.clock() + pause)

    def _wait(self, submission: Submission, newer_due_at: datetime | None) -> Outcome:
        """An older submission comes after the newer one: looking before would only cost tokens."""
        reason = "waits for a newer submission of this person"
        now = self.clock()
        return self._put_back(submission, reason, max(now, newer_due_at or now) + A_WHILE)

    def _put_back(self, submission: Submission, reason: str, due_at: datetime) -> Outcome:
        """Not tried, so it does not count as a try."""
        return Outcome(submission, reason=reason, due_at=due_at, tried=False)

    # ---- time and turns ------------------------------------------------------------------------

    def _require_time(self) -> None:
        if self.clock() >= self._stop_at:
            raise DeferredError("the time of this portion is over")

    def _from_now(self, share: float) -> datetime:
        return self.clock() + timedelta(seconds=self.settings.lead_seconds * share)

    async def _each(
        self, items: Sequence[Item], work: Callable[[Item], Awaitable[Result]]
    ) -> list[Result]:
        """Works on the items, a few at a time; half-open breakers let only one through."""
        states = (api.state.breaker.state for api in self.apis.values())
        workers = 1 if "half_open" in states else self.settings.concurrency
        waiting = iter(enumerate(items))
        results: dict[int, Result] = {}

        async def worker() -> None:
            for place, item in waiting:
                results[place] = await work(item)

        await asyncio.gather(*(worker() for _ in range(min(workers, len(items)))))
        return [results[place] for place in range(len(items))]


def _join(persons: dict[tuple[str, int], _Group], group: _Group, person_id: int) -> None:
    """Adds a group to its person, whom another e-mail address may have led to as well."""
    key = (group.destination.name, person_id)
    known = persons[key].submissions if key in persons else ()
    both = sorted((*known, *group.submissions), key=lambda one: one.event_id)
    persons[key] = _Group(group.destination, tuple(both))


def _superseded(submission: Submission, person_id: int) -> Outcome:
    reason = "the person already has the values of a newer submission"
    return Outcome(submission, "synced", reason, person_id)


def _left_out(sent: Payload) -> str | None:
    text = "; ".join(sent.left_out)
    return f"left out: {text}"[:REASON_LENGTH] if text else None
