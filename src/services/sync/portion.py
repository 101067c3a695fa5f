"""One portion of leased submissions: sent to Pipedrive, or put back and pending again.

Four steps, each for all leads: find the destination, find the person, claim the person for the
newest submission, write it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from services.core.logs import Log, error_location
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
from services.sync.payload import AccountFieldCache, Payload, build_payload, without_key
from services.sync.person_lookup import NoPerson, PersonLookup
from services.sync.retries import RetrySchedule
from services.sync.submissions import Submission
from services.tracking.form_data import Lead

PAUSE_WITHOUT_DESTINATION = timedelta(minutes=10)
PAUSE_AFTER_NEWER = timedelta(minutes=1)
# Between the clocks of Pipedrive and of this Worker.
CLOCK_DIFFERENCE = timedelta(minutes=2)
ACCEPTED_REASON = "its site seemed to reject it, but a person with this address was added since"
NOT_TAKEN = "its site rejected it, and no person with this address was added since"
WITHHELD = "held, because it may be forged"
MAX_UNKNOWN_KEYS = 3
MAX_REASON_CHARACTERS = 500

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LeadSettings:
    """How leads are sent. Each may take `lead_seconds`, two thirds of them to find its person."""

    concurrency: int
    lead_seconds: int
    time_zone: str
    retries: RetrySchedule


@dataclass(frozen=True, slots=True)
class LeadGroup:
    """The submissions of one address to one project, then of one person, the oldest first."""

    destination: Destination
    submissions: tuple[Submission, ...]

    @property
    def newest(self) -> Submission:
        """The submission whose values are written."""
        return self.submissions[-1]

    @property
    def lead(self) -> Lead:
        """The newest lead with a whole name, which a search may need; else the newest."""
        leads = [submission.lead for submission in reversed(self.submissions)]
        return next((lead for lead in leads if lead.first_name and lead.last_name), leads[0])


@dataclass(slots=True)
class PortionSync:
    """Sends portions. Remembers the persons that one run has looked up."""

    settings: LeadSettings
    apis: Mapping[str, PipedriveClient]
    default_fields: FieldMap | None
    account_fields: AccountFieldCache
    outbox: Outbox
    clock: Clock
    local_time: LocalTime
    log: Log
    _lookups: dict[str, PersonLookup] = field(default_factory=dict)
    _field_errors: dict[str, Exception] = field(default_factory=dict)
    _stop_at: datetime = field(init=False)

    async def send(self, portion: Sequence[Submission], stop_at: datetime) -> Sequence[Outcome]:
        """Sends a portion; the outcome of each of its submissions. No lead starts after `stop_at`.

        Raises:
            UnavailableError: D1 failed; no person was updated.
        """
        self._stop_at = stop_at
        groups, outcomes = self._group_by_address(portion)
        await self._read_fields({group.destination.account for group in groups})
        persons: dict[tuple[str, int], LeadGroup] = {}
        lookups = await self._run_all(groups, self._find_person)
        for group, lookup in zip(groups, lookups, strict=True):
            if isinstance(lookup, int):
                _add_to_person(persons, group, lookup)
            else:
                outcomes += lookup
        return [*outcomes, *await self._write_all(persons)]

    # ---- destinations --------------------------------------------------------------------------

    def _group_by_address(
        self, portion: Sequence[Submission]
    ) -> tuple[list[LeadGroup], list[Outcome]]:
        groups: dict[tuple[str, str, str, int | None], LeadGroup] = {}
        outcomes: list[Outcome] = []
        self._tell_suspicions([submission for submission in portion if submission.suspicion])
        for submission in portion:
            email = submission.lead.email
            if email is None:
                outcomes.append(Outcome(submission, reason="no e-mail address"))
                continue
            destination = self._destination(submission)
            if isinstance(destination, Outcome):
                outcomes.append(_without_error(destination))
                continue
            if submission.is_withheld and not submission.is_rejected:
                outcomes.append(_withheld(submission))
                continue
            # Whether a rejected form was taken all the same depends on its own time.
            rejected_id = submission.event_id if submission.is_rejected else None
            # What one client's form says does not say who another one's is.
            key = (destination.name, submission.project_id, email, rejected_id)
            earlier = groups[key].submissions if key in groups else ()
            groups[key] = LeadGroup(destination, (*earlier, submission))
        return list(groups.values()), outcomes

    def _tell_suspicions(self, suspicious: Sequence[Submission]) -> None:
        if suspicious:
            self.log.warning(
                "leads_suspicious",
                event_ids=[submission.event_id for submission in suspicious],
                reasons=sorted({reason for lead in suspicious for reason in lead.suspicion}),
                held=sum(submission.is_withheld for submission in suspicious),
            )

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
            return self._put_back(submission, str(error), self.clock() + PAUSE_WITHOUT_DESTINATION)

    # ---- persons -------------------------------------------------------------------------------

    async def _read_fields(self, accounts: Collection[str]) -> None:
        """Reads each account's fields once; all its leads share the error if that fails."""
        self._field_errors.clear()
        for account in accounts:
            try:
                await self.account_fields.get(self.apis[account], self._deadline(1))
            except (RejectedError, TransientError, DeferredError) as error:
                self._field_errors[account] = error

    async def _find_person(self, group: LeadGroup) -> int | list[Outcome]:
        try:
            self._require_time()
            if failure := self._field_errors.get(group.destination.account):
                raise failure  # noqa: TRY301  # as if it had happened to this lead
            lookup = self._lookup(self.apis[group.destination.account])
            if group.newest.is_rejected:
                person = await self._find_added(lookup, group.newest)
            else:
                person = await lookup.find(group.lead, self._deadline(2 / 3))
        except Exception as error:  # noqa: BLE001  # one lead must not end the run
            failures = [self._failure(submission, error) for submission in group.submissions]
            return [_without_error(failure) for failure in failures]
        if isinstance(person, NoPerson):
            return [_not_found(submission, person.reason) for submission in group.submissions]
        if group.newest.is_withheld:
            return [_withheld(group.newest)]
        return person

    async def _find_added(self, lookup: PersonLookup, submission: Submission) -> int | NoPerson:
        """The id of the person added to Pipedrive since a rejected form, or why there is none."""
        submitted_at = submission.submitted_at
        if submitted_at is None:
            return NoPerson(NOT_TAKEN)
        since = submitted_at - CLOCK_DIFFERENCE
        return await lookup.find_added(submission.lead.email or "", since, self._deadline(2 / 3))

    def _lookup(self, api: PipedriveClient) -> PersonLookup:
        return self._lookups.setdefault(api.account.name, PersonLookup(api))

    # ---- claims and updates --------------------------------------------------------------------

    async def _write_all(self, persons: Mapping[tuple[str, int], LeadGroup]) -> list[Outcome]:
        if not persons:
            return []
        requested = [(*key, group.newest.event_id) for key, group in persons.items()]
        claims = await self.outbox.claim(requested, self.clock())

        async def write(entry: tuple[tuple[str, int], LeadGroup]) -> list[Outcome]:
            key, group = entry
            return await self._write(key[1], group, claims[key])

        outcomes_of_persons = await self._run_all(list(persons.items()), write)
        return [outcome for outcomes in outcomes_of_persons for outcome in outcomes]

    async def _write(self, person_id: int, group: LeadGroup, claim: Claim) -> list[Outcome]:
        if claim.decision == "superseded":
            return [_superseded(submission, person_id) for submission in group.submissions]
        if claim.decision == "wait":
            return [self._wait(submission, claim.newer_due_at) for submission in group.submissions]
        older = group.submissions[:-1]
        try:
            self._require_time()
            payload = await self._update(person_id, group)
        except Exception as error:  # noqa: BLE001  # one lead must not end the run
            failed = self._failure(group.newest, error)
            return [*(self._wait(submission, failed.due_at) for submission in older), failed]
        lookup = self._lookup(self.apis[group.destination.account])
        newest = Outcome(
            group.newest,
            "synced",
            _synced_reason(group.newest, payload, lookup.note_on(group.newest.lead)),
            person_id,
            group.destination.name,
            written=True,
        )
        return [*(_superseded(submission, person_id) for submission in older), newest]

    async def _update(self, person_id: int, group: LeadGroup) -> Payload:
        """Writes the newest submission's values without keys that the account does not know."""
        deadline = self._deadline(1 / 3)
        api, field_map = self.apis[group.destination.account], group.destination.fields
        values = group.newest.values(self.settings.time_zone, self.local_time)
        account_fields = await self.account_fields.get(api, deadline)
        payload = build_payload(values, field_map, account_fields)
        if payload.left_out:
            account_fields = await self.account_fields.get_current(api, deadline)
            payload = build_payload(values, field_map, account_fields)
        for _ in range(MAX_UNKNOWN_KEYS):
            if not payload.custom_fields:
                raise RejectedError(f"no field to write: {_left_out_reason(payload)}")
            try:
                await api.update(person_id, payload.custom_fields, deadline)
            except RejectedError as error:
                if error.unknown_key is None or error.unknown_key not in payload.custom_fields:
                    raise
                self.log.error("unknown_field", key=error.unknown_key, account=api.account.name)
                payload = without_key(payload, field_map, error.unknown_key)
                await self.account_fields.invalidate(api.account.name)
            else:
                return payload
        raise RejectedError(f"the field map does not fit the account: {_left_out_reason(payload)}")

    # ---- outcomes ------------------------------------------------------------------------------

    def _failure(self, submission: Submission, error: Exception) -> Outcome:
        match error:
            case DeferredError():
                return self._put_back(submission, str(error), error.until or self.clock())
            case RejectedError():
                return Outcome(submission, "error", str(error)[:MAX_REASON_CHARACTERS])
            case TransientError():
                return self._retry(submission, str(error))
            case PersonGoneError():
                return self._retry(submission, "the person was gone when it was to be written")
            case _:
                self.log.error("lead_failed", event_id=submission.event_id, **error_location(error))
                return self._retry(submission, f"internal error ({type(error).__name__})")

    def _retry(self, submission: Submission, reason: str) -> Outcome:
        pause = self.settings.retries.pause_after(submission.tries)
        if pause is None:
            return Outcome(
                submission, "error", f"given up after {submission.tries} tries: {reason}"
            )
        return Outcome(submission, reason=reason, due_at=self.clock() + pause)

    def _wait(self, submission: Submission, newer_due_at: datetime | None) -> Outcome:
        """Puts an older submission back until after the newer one: a lookup before costs tokens."""
        reason = "waits for a newer submission of this person"
        now = self.clock()
        return self._put_back(submission, reason, max(now, newer_due_at or now) + PAUSE_AFTER_NEWER)

    def _put_back(self, submission: Submission, reason: str, due_at: datetime) -> Outcome:
        """An outcome that is due again and does not count as a try."""
        return Outcome(submission, reason=reason, due_at=due_at, tried=False)

    # ---- time and concurrency ------------------------------------------------------------------

    def _require_time(self) -> None:
        if self.clock() >= self._stop_at:
            raise DeferredError("the time of this portion is over")

    def _deadline(self, share: float) -> datetime:
        return self.clock() + timedelta(seconds=self.settings.lead_seconds * share)

    async def _run_all(
        self, items: Sequence[Item], task: Callable[[Item], Awaitable[Result]]
    ) -> list[Result]:
        """The results of a task for all items, a few at a time; one with a half-open breaker."""
        states = (api.state.breaker.state for api in self.apis.values())
        workers = 1 if "half_open" in states else self.settings.concurrency
        queue = iter(enumerate(items))
        results: dict[int, Result] = {}

        async def worker() -> None:
            for index, item in queue:
                results[index] = await task(item)

        await asyncio.gather(*(worker() for _ in range(min(workers, len(items)))))
        return [results[index] for index in range(len(items))]


def _add_to_person(
    persons: dict[tuple[str, int], LeadGroup], group: LeadGroup, person_id: int
) -> None:
    """Adds a group to its person, who may have submissions under another e-mail address."""
    key = (group.destination.name, person_id)
    earlier = persons[key].submissions if key in persons else ()
    submissions = sorted((*earlier, *group.submissions), key=lambda entry: entry.event_id)
    persons[key] = LeadGroup(group.destination, tuple(submissions))


def _withheld(submission: Submission) -> Outcome:
    return Outcome(submission, "held", f"{WITHHELD}: {'; '.join(submission.suspicion)}")


def _not_found(submission: Submission, reason: str) -> Outcome:
    if submission.is_rejected:
        return Outcome(submission, "rejected", NOT_TAKEN)
    return Outcome(submission, "not_found", reason)


def _without_error(failure: Outcome) -> Outcome:
    """The outcome of a failed lookup: a rejected form that cannot be checked stays rejected."""
    if failure.status == "error" and failure.submission.is_rejected:
        return replace(failure, status="rejected")
    return failure


def _superseded(submission: Submission, person_id: int) -> Outcome:
    if submission.is_rejected:
        # The person may have been added by the later one.
        return Outcome(submission, "rejected", "a later submission of this person was taken")
    reason = "the person already has the values of a newer submission"
    return Outcome(submission, "synced", reason, person_id)


def _synced_reason(submission: Submission, payload: Payload, note: str | None) -> str | None:
    accepted = ACCEPTED_REASON if submission.is_rejected else None
    reasons = (accepted, note, _left_out_reason(payload))
    return "; ".join(filter(None, reasons))[:MAX_REASON_CHARACTERS] or None


def _left_out_reason(payload: Payload) -> str | None:
    text = "; ".join(payload.left_out)
    return f"left out: {text}"[:MAX_REASON_CHARACTERS] if text else None
