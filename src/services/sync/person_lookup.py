"""Which person in Pipedrive a lead is. A person is never guessed and never created."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from services.core.email_addresses import spellings
from services.pipedrive.answers import Person, PersonMatch
from services.pipedrive.client import MAX_SEARCH_PAGES, SEARCH_PAGE_SIZE, PipedriveClient
from services.pipedrive.limits import DeferredError
from services.tracking.form_data import Lead

MAX_SEARCHES = 2
# Of more namesakes none is looked at.
MAX_NAMESAKES = 10
# So many persons with one address are looked at, or the lead waits until there is time for it. Of
# more, the search ends where the time does.
ENOUGH_PERSONS = 20
MAX_SEARCHED = MAX_SEARCH_PAGES * SEARCH_PAGE_SIZE


@dataclass(frozen=True, slots=True)
class NoPerson:
    """No person, or none with certainty; `reason` says why."""

    reason: str


@dataclass(slots=True)
class PersonLookup:
    """Finds the persons of one account during one run; searches for each address once.

    `_addresses` holds the result by e-mail address: a person's id, NoPerson, or None where nobody
    has the address and the name is to be searched for. `_active` are those who have an address.
    """

    api: PipedriveClient
    _addresses: dict[str, int | NoPerson | None] = field(default_factory=dict)
    _active: dict[str, list[Person]] = field(default_factory=dict)
    _notes: dict[str, str] = field(default_factory=dict)

    async def find(self, lead: Lead, deadline: datetime) -> int | NoPerson:
        """The id of the lead's person, which exists and is not deleted now.

        By e-mail address, of several persons the last updated one. Only if none has the address, by
        first and last name, if exactly one person has that name.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        email = lead.email or ""
        if not await self._is_current(email, deadline):
            self._addresses[email] = await self._search(email, deadline)
        person = self._addresses[email]
        return await self._by_name(lead, deadline) if person is None else person

    async def find_added(self, email: str, since: datetime, deadline: datetime) -> int | NoPerson:
        """The id of who has this e-mail address and was added since a time, as `find` chooses.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        if email not in self._active:
            await self._search(email, deadline)
        active = self._active.get(email, [])
        added = [person for person in active if _was_added_since(person, since)]
        return _last_updated(added) if added else NoPerson("nobody was added with this address")

    async def _is_current(self, email: str, deadline: datetime) -> bool:
        if email not in self._addresses:
            return False
        person = self._addresses[email]
        return not isinstance(person, int) or await self._exists(person, deadline)

    async def _search(self, email: str, deadline: datetime) -> int | NoPerson | None:
        for _ in range(MAX_SEARCHES):
            candidates = await self._by_email(email, deadline)
            if not candidates:
                return None
            persons = await self._persons(email, candidates, deadline)
            active = [person for person in persons if person and not person.is_deleted]
            self._active[email] = active
            if active:
                return _last_updated(active)
            if None not in persons:
                return NoPerson("the person with this e-mail address is deleted")
            # One is gone, perhaps merged into another: a second search may show the new one.
        return NoPerson("the person with this e-mail address is gone")

    async def _persons(
        self, email: str, candidates: Sequence[PersonMatch], deadline: datetime
    ) -> Sequence[Person | None]:
        """The candidates as they are now; of very many those that there is time for."""
        if len(candidates) <= ENOUGH_PERSONS:
            return [await self.api.person(match.id, deadline) for match in candidates]
        persons: list[Person | None] = []
        try:
            # Whoever was added last was more likely updated last.
            for match in sorted(candidates, key=lambda match: match.id, reverse=True):
                persons.append(await self.api.person(match.id, deadline))  # noqa: PERF401  # it stops
        except DeferredError:
            if len(persons) < ENOUGH_PERSONS:
                raise
        if len(persons) < len(candidates) or len(candidates) >= MAX_SEARCHED:
            number = f"{len(candidates)}{' or more' if len(candidates) >= MAX_SEARCHED else ''}"
            self._notes[email] = (
                f"{number} persons have this e-mail address: the last updated of {len(persons)}"
                " was taken"
            )
        return persons

    def note_on(self, lead: Lead) -> str | None:
        """What to say about how the lead's person was chosen."""
        return self._notes.get(lead.email or "")

    async def _by_email(self, email: str, deadline: datetime) -> list[PersonMatch]:
        """Who has the address; one with an internationalized domain is searched in two spellings.

        An answer without addresses is believed.
        """
        matches = {
            match.id: match
            for spelling in spellings(email)
            for match in await self.api.search(spelling, "email", deadline)
        }
        return [
            match for match in matches.values() if match.emails is None or email in match.emails
        ]

    async def _by_name(self, lead: Lead, deadline: datetime) -> int | NoPerson:
        if not lead.first_name or not lead.last_name:
            return NoPerson("nobody has this e-mail address")
        name = f"{lead.first_name} {lead.last_name}"
        matches = await self.api.search(name, "name", deadline)
        namesakes = [match for match in matches if _normalized(match.name) == _normalized(name)]
        if not namesakes:
            return NoPerson("nobody has this e-mail address or this name")
        if len(namesakes) <= MAX_NAMESAKES:
            namesakes = [match for match in namesakes if await self._exists(match.id, deadline)]
        if not namesakes:
            return NoPerson("nobody has this e-mail address, and who has this name is deleted")
        if len(namesakes) > 1:
            return NoPerson(f"nobody has this e-mail address, and {len(namesakes)} have this name")
        return namesakes[0].id

    async def _exists(self, person_id: int, deadline: datetime) -> bool:
        person = await self.api.person(person_id, deadline)
        return person is not None and not person.is_deleted


def _last_updated(persons: list[Person]) -> int:
    return max(persons, key=lambda person: (person.update_time, person.id)).id


def _was_added_since(person: Person, since: datetime) -> bool:
    try:
        added = datetime.fromisoformat(person.add_time)
    except ValueError:
        return False
    return (added if added.tzinfo else added.replace(tzinfo=UTC)) >= since


def _normalized(name: str) -> str:
    return " ".join(name.casefold().split())
