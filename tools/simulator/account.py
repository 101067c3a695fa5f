"""The company's account: its persons, their custom fields, and the index that lags behind."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Lock
from typing import NamedTuple

from simulator.fields import BUILT_IN_FIELDS, DEMO_FIELDS, Field, field_code

__all__ = ["Account", "Field", "Person", "Write", "demo_account", "field_code"]


class Write(NamedTuple):
    """What one PATCH wrote, and when."""

    time: str
    custom_fields: dict[str, object]


@dataclass(frozen=True, slots=True)
class Person:
    """A person as it was when asked for; later writes do not change it."""

    id: int
    name: str
    emails: list[str]
    phones: list[str]
    custom_fields: dict[str, object]
    is_deleted: bool
    add_time: str
    update_time: str
    writes: list[Write] = field(default_factory=list)
    changed: frozenset[str] = frozenset()
    """The custom fields that the newest write changed."""
    is_erased: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """What a PATCH asks for; None leaves a part as it is, a custom field's None clears it."""

    custom_fields: Mapping[str, object]
    name: str | None = None
    emails: Sequence[str] | None = None
    phones: Sequence[str] | None = None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _updated(person: Person, update: Update) -> Person:
    now, before = _now(), person.custom_fields
    after = {**before, **update.custom_fields}
    return replace(
        person,
        name=person.name if update.name is None else update.name,
        emails=person.emails if update.emails is None else list(update.emails),
        phones=person.phones if update.phones is None else list(update.phones),
        custom_fields={code: value for code, value in after.items() if value is not None},
        update_time=now,
        writes=[*person.writes, Write(now, dict(update.custom_fields))],
        changed=frozenset(code for code in after if after[code] != before.get(code)),
    )


class Account:
    """The persons and fields of one company; safe to use from several threads.

    Attributes:
        fields: the person fields, the built-in ones first; change the list at will.
        enrich_only: refuse a PATCH of anything but custom fields, as this product never sends one.
    """

    def __init__(self, fields: Iterable[Field] = (), *, enrich_only: bool = True) -> None:
        """Starts without persons; `fields` are the custom ones."""
        self.fields = [*BUILT_IN_FIELDS, *fields]
        self.enrich_only = enrich_only
        self._persons: dict[int, Person] = {}
        self._searchable_from: dict[int, float] = {}
        self._ids = itertools.count(1)
        self._lock = Lock()

    def add_person(  # noqa: PLR0913  # what a test may want to say about a person
        self,
        name: str,
        emails: Sequence[str] = (),
        *,
        phones: Sequence[str] = (),
        custom_fields: Mapping[str, object] | None = None,
        is_deleted: bool = False,
        update_time: str | None = None,
        seconds_until_searchable: float = 0.0,
    ) -> int:
        """Adds a person and returns the id; the search finds it once the seconds have passed."""
        now = _now()
        with self._lock:
            person_id = next(self._ids)
            self._persons[person_id] = Person(
                id=person_id,
                name=name,
                emails=list(emails),
                phones=list(phones),
                custom_fields=dict(custom_fields or {}),
                is_deleted=is_deleted,
                add_time=min(now, update_time or now),
                update_time=update_time or now,
            )
            self._searchable_from[person_id] = time.monotonic() + seconds_until_searchable
        return person_id

    def person(self, person_id: int) -> Person:
        """The person as it is now, deleted and erased ones too.

        Raises:
            KeyError: there never was such a person.
        """
        with self._lock:
            return self._persons[person_id]

    def persons(self) -> list[Person]:
        """Everybody, in the order of their ids, deleted and erased ones too."""
        with self._lock:
            return list(self._persons.values())

    def searchable(self) -> list[Person]:
        """Whom the search index holds by now: some may be deleted or erased."""
        now = time.monotonic()
        with self._lock:
            return [
                self._persons[person_id]
                for person_id, searchable_from in self._searchable_from.items()
                if searchable_from <= now
            ]

    def existing(self, person_id: int) -> Person | None:
        """The person, deleted or not, unless it was erased or never there."""
        with self._lock:
            person = self._persons.get(person_id)
        return None if person is None or person.is_erased else person

    def update(self, person_id: int, update: Update) -> Person | None:
        """Applies a checked PATCH as a whole; None if the person is gone."""
        with self._lock:
            person = self._persons.get(person_id)
            if person is None or person.is_deleted or person.is_erased:
                return None
            self._persons[person_id] = _updated(person, update)
            return self._persons[person_id]

    def delete_person(self, person_id: int, *, keep_in_index: bool = True) -> None:
        """Marks the person as deleted; the search may go on finding it without any mark."""
        with self._lock:
            deleted = replace(self._persons[person_id], is_deleted=True, update_time=_now())
            self._persons[person_id] = deleted
            if not keep_in_index:
                self._searchable_from.pop(person_id, None)

    def erase_person(self, person_id: int) -> None:
        """Lets the person answer 404 from now on, though the search still finds it."""
        with self._lock:
            self._persons[person_id] = replace(self._persons[person_id], is_erased=True)

    def custom_fields(self) -> dict[str, Field]:
        """The custom fields by their code."""
        return {field.field_code: field for field in self.fields if field.is_custom_field}


def demo_account() -> Account:
    """An account with a field for everything the product knows, and three invented persons."""
    account = Account(DEMO_FIELDS)
    account.add_person("Jane Doe", ["jane@example.com"], phones=["+1 555 0100"])
    account.add_person("Otto Beispiel", ["otto@example.com", "o.beispiel@example.com"])
    account.add_person("Marie Exemple", ["marie+shop@example.com"])
    return account
