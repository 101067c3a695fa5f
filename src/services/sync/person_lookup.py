"""Which person in Pipedrive a lead is. Never a guess, and never a new one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from services.pipedrive.answers import Person, PersonMatch
from services.pipedrive.client import PipedriveClient
from services.tracking.form_data import Lead

ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class NotFound:
    """Nobody, or nobody for sure; says why."""

    reason: str


@dataclass(slots=True)
class PersonLookup:
    """Finds the persons of one account during one run; an e-mail address is searched for once.

    `_addresses` holds what the search said about each: a person, nobody for sure, or None: nobody.
    """

    api: PipedriveClient
    _addresses: dict[str, int | NotFound | None] = field(default_factory=dict)

    async def find(self, lead: Lead, until: datetime) -> int | NotFound:
        """The id of the lead's person, who was there and not deleted a moment ago.

        By e-mail address; of several persons the one that was updated last. Only if none has it,
        by first and last name, if exactly one person has that name.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        email = lead.email or ""
        if not await self._is_known(email, until):
            self._addresses[email] = await self._search(email, until)
        found = self._addresses[email]
        return await self._by_name(lead, until) if found is None else found

    async def _is_known(self, email: str, until: datetime) -> bool:
        if email not in self._addresses:
            return False
        known = self._addresses[email]
        return not isinstance(known, int) or await self._present(known, until)

    async def _search(self, email: str, until: datetime) -> int | NotFound | None:
        for _ in range(ATTEMPTS):
            candidates = await self._by_email(email, until)
            if not candidates:
                return None
            persons = [await self.api.person(found.id, until) for found in candidates]
            active = [person for person in persons if person and not person.is_deleted]
            if active:
                return _updated_last(active)
            if None not in persons:
                return NotFound("the person with this e-mail address is deleted")
            # One is gone, perhaps merged into another: the search may know better by now.
        return NotFound("the person with this e-mail address is gone")

    async def _by_email(self, email: str, until: datetime) -> list[PersonMatch]:
        found = await self.api.search(email, "email", until)
        return [one for one in found if one.emails is None or email.casefold() in one.emails]

    async def _by_name(self, lead: Lead, until: datetime) -> int | NotFound:
        if not lead.first_name or not lead.last_name:
            return NotFound("nobody has this e-mail address")
        name = f"{lead.first_name} {lead.last_name}"
        found = await self.api.search(name, "name", until)
        same = [one for one in found if _plain(one.name) == _plain(name)]
        if not same:
            return NotFound("nobody has this e-mail address or this name")
        if len(same) > 1:
            return NotFound(f"nobody has this e-mail address, and {len(same)} have this name")
        if not await self._present(same[0].id, until):
            return NotFound("nobody has this e-mail address, and who has this name is deleted")
        return same[0].id

    async def _present(self, person_id: int, until: datetime) -> bool:
        person = await self.api.person(person_id, until)
        return person is not None and not person.is_deleted


def _updated_last(persons: list[Person]) -> int:
    return max(persons, key=lambda person: (person.update_time, person.id)).id


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
