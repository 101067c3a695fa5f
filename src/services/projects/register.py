"""Projects and pixels as people manage them: listed by name, created, changed, switched off.

Both are rows of the same form, of which `services.projects.project_table` and `services.projects.pixel_table` know the
tables. All statements read one JSON text (`?1`); each method but `change` is one round trip.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from services.core.ports import Database, NewId, Row, UnavailableError
from services.core.text import clean
from services.projects.configuration import (
    QUOTED,
    InvalidFieldsError,
    Shape,
    merge,
    read_configuration,
    same,
)

MOST_NAME_CHARACTERS = 100
MOST_URL_CHARACTERS = 2_048
# How often a change is tried again that was made on what somebody else changed meanwhile.
ATTEMPTS = 5
# What an answer has besides: it passes, so that an answer can be changed and sent back.
GIVEN = frozenset(("id", "project_id", "created_at", "updated_at", "embed_snippet"))

_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]\S*)?", re.IGNORECASE)


class NotFoundError(Exception):
    """There is no such project or pixel; the message says which of the two."""


class ConflictError(Exception):
    """It cannot be done as things stand; `advice` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Values:
    """What people decide of an entry, checked, as it is stored."""

    name: str
    url: str | None
    configuration: str | None
    active: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A project or a pixel, as it is stored. `project_id` is None of a project."""

    id: str
    project_id: str | None
    name: str
    url: str | None
    configuration: str | None
    active: int | None
    created_at: str | None
    updated_at: str | None

    def values(self) -> Values:
        """What people decide of it."""
        return Values(self.name, self.url, self.configuration, self.active)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of a list: at most so many, from a name on."""

    most: int
    cursor: str
    include_inactive: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries in the order of their names. `next_cursor` is None at the end."""

    entries: Sequence[Entry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Kind:
    """What entries of one kind are called, what they may say, and their statements.

    `find` reads by `id`, `named` by `name` and `project_id`; `owner` is the project of what is
    listed or created by `project_id`, None where nothing owns it.
    """

    noun: str
    url_field: str
    shape: Shape
    page: str
    find: str
    named: str
    create: str
    change: str
    switch_off: str
    owner: str | None = None

    def as_json(self, entry: Entry) -> dict[str, object]:
        """The entry as it stands in an answer."""
        owner = {} if entry.project_id is None else {"project_id": entry.project_id}
        return {
            "id": entry.id,
            **owner,
            "name": entry.name,
            self.url_field: entry.url,
            "configuration": read_configuration(entry.configuration),
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
            "active": int(bool(entry.active)),
        }


@dataclass(frozen=True, slots=True)
class Register:
    """All entries of one kind. Every method raises UnavailableError when D1 fails."""

    kind: Kind
    database: Database
    new_id: NewId

    async def page(self, wanted: Wanted, project_id: str | None = None) -> Page:
        """One page of the entries, of a project where they belong to one.

        Raises:
            NotFoundError: there is no such project.
        """
        parameters = {
            "project_id": project_id,
            "cursor": wanted.cursor,
            "include_inactive": wanted.include_inactive,
            "rows": wanted.most + 1,
        }
        owners, rows = await self._with_owner((self.kind.page,), parameters)
        if self.kind.owner and not owners:
            raise NotFoundError("Project not found")
        entries = [Entry(**row) for row in rows]
        # One row more than asked for is where the next page begins.
        next_cursor = entries[wanted.most].name if len(entries) > wanted.most else None
        return Page(entries[: wanted.most], next_cursor)

    async def find(self, entry_id: str) -> Entry:
        """The entry with this id, switched off or not.

        Raises:
            NotFoundError: there is none.
        """
        [rows] = await self.database.batch_rows((self.kind.find,), json.dumps({"id": entry_id}))
        return self._one(rows)

    async def create(self, sent: Mapping[str, object], project_id: str | None = None) -> Entry:
        """Creates an entry with an id of its own.

        Raises:
            InvalidFieldsError: what was sent cannot be stored.
            NotFoundError: there is no such project.
            ConflictError: the name is taken, or the project is switched off.
        """
        values = read_values(self.kind, sent, None, project_id)
        parameters = {"id": self.new_id(), "project_id": project_id, **asdict(values)}
        statements = (self.kind.create, self.kind.named)
        owners, named = await self._with_owner(statements, parameters)
        if named and named[0]["id"] == parameters["id"]:
            return Entry(**named[0])
        if self.kind.owner and not owners:
            raise NotFoundError("Project not found")
        if named:
            raise self._taken(named[0])
        raise ConflictError("The project is inactive", "make it active first: PUT it with active 1")

    async def change(self, entry_id: str, sent: Mapping[str, object]) -> Entry:
        """Changes what was sent of an entry and keeps everything else.

        A change that somebody else makes in between is not lost: theirs is read, and ours is made
        on it.

        Raises:
            InvalidFieldsError: what was sent cannot be stored.
            NotFoundError: there is none with this id.
            ConflictError: the name is taken.
        """
        entry = await self.find(entry_id)
        for _ in range(ATTEMPTS):
            values = read_values(self.kind, sent, entry, entry.project_id)
            if values == entry.values():
                return entry
            parameters = {
                "id": entry_id,
                "project_id": entry.project_id,
                **asdict(values),
                "stored": asdict(entry),
            }
            changed, found, named = await self.database.batch_rows(
                (self.kind.change, self.kind.find, self.kind.named), json.dumps(parameters)
            )
            entry = self._one(found)
            if changed:
                return entry
            if named and named[0]["id"] != entry_id:
                raise self._taken(named[0])
        raise UnavailableError(f"the {self.kind.noun} is changed by others all the time")

    async def switch_off(self, entry_id: str) -> Entry:
        """Switches an entry off; one that is off stays so.

        Raises:
            NotFoundError: there is none with this id.
        """
        _, found = await self.database.batch_rows(
            (self.kind.switch_off, self.kind.find), json.dumps({"id": entry_id})
        )
        return self._one(found)

    async def _with_owner(
        self, statements: Sequence[str], parameters: Mapping[str, object]
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        """The rows of the owner, if there can be one, and of the last statement."""
        owner = (self.kind.owner,) if self.kind.owner else ()
        answers = await self.database.batch_rows((*owner, *statements), json.dumps(parameters))
        return answers[0], answers[-1]

    def _one(self, rows: Sequence[Row]) -> Entry:
        if not rows:
            raise NotFoundError(f"{self.kind.noun.capitalize()} not found")
        return Entry(**rows[0])

    def _taken(self, row: Row) -> ConflictError:
        state = "" if row["active"] else ", which is inactive: PUT it with active 1 to use it again"
        return ConflictError(
            f"A {self.kind.noun} of this name exists already",
            f"choose another name, or use {row['id']}{state}",
        )


def read_values(
    kind: Kind, sent: Mapping[str, object], stored: Entry | None, project_id: str | None
) -> Values:
    """Checks what was sent of an entry, and takes the rest from what is stored.

    A value that is stored already passes, whatever it is. A configuration of null says nothing.

    Raises:
        InvalidFieldsError: something is unknown, missing or cannot be stored.
    """
    problems: list[str] = []
    fields = ("name", kind.url_field, "configuration", "active")
    problems += _of_no_use(sent, fields)
    for field, given in (("id", stored and stored.id), ("project_id", project_id)):
        if sent.get(field, given) != given:
            problems.append(f"{field}: can neither be chosen nor changed; leave it out")
    values = Values(
        name=_name(sent, stored, problems),
        url=_url(kind.url_field, sent, stored, problems),
        configuration=_configuration(kind.shape, sent, stored, problems),
        active=_active(sent, stored, problems),
    )
    if problems:
        raise InvalidFieldsError(problems)
    return values


def _of_no_use(sent: Mapping[str, object], fields: Sequence[str]) -> Iterator[str]:
    for field in sent:
        if field not in fields and field not in GIVEN:
            yield f"{field[:QUOTED]}: is unknown; there are {', '.join(fields)}"


def _name(sent: Mapping[str, object], stored: Entry | None, problems: list[str]) -> str:
    if stored and sent.get("name", stored.name) == stored.name:
        return stored.name
    value = sent.get("name")
    name = clean(value, MOST_NAME_CHARACTERS + 1) if isinstance(value, str) else None
    if name and len(name) <= MOST_NAME_CHARACTERS:
        return name
    problems.append(f"name: must be a text of 1 to {MOST_NAME_CHARACTERS} characters")
    return ""


def _url(
    field: str, sent: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    before = stored.url if stored else None
    value = sent.get(field, before)
    if value == before:
        return before
    if value is None:
        return None
    if isinstance(value, str) and _is_web_address(value):
        return value
    problems.append(
        f"{field}: must be an http or https address of at most {MOST_URL_CHARACTERS} characters,"
        " without a user name, or null"
    )
    return None


def _is_web_address(value: str) -> bool:
    return (
        len(value) <= MOST_URL_CHARACTERS
        and value.isprintable()
        and _WEB_ADDRESS.fullmatch(value) is not None
    )


def _configuration(
    shape: Shape, sent: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    text = stored.configuration if stored else "{}"
    value = sent.get("configuration")
    if value is None:
        return text
    before = read_configuration(text)
    try:
        merged = merge(before, value, shape)
    except InvalidFieldsError as error:
        problems += error.problems
        return text
    return text if same(merged, before) else json.dumps(merged)


def _active(sent: Mapping[str, object], stored: Entry | None, problems: list[str]) -> int | None:
    if "active" not in sent:
        return stored.active if stored else 1
    value = sent["active"]
    if isinstance(value, int) and value in (0, 1):
        return int(value)
    problems.append("active: must be 1 or 0, or true or false")
    return None
