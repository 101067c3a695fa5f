"""Projects and pixels as people manage them: listed by name, created, changed, switched off.

Both are rows of the same form; `project_table` and `pixel_table` know the tables. All statements
read one JSON text (`?1`); each method but `change` is one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from services.core.errors import ConflictError, NotFoundError
from services.core.ports import Database, NewId, Row, UnavailableError
from services.projects.entry_values import Entry, Kind, read_values

# How often a change is tried again that was made on what somebody else changed meanwhile.
ATTEMPTS = 5


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
class Register:
    """All entries of one kind. Every method raises UnavailableError when D1 fails."""

    kind: Kind
    database: Database
    new_id: NewId

    @property
    def noun(self) -> str:
        """What one entry is called: project or pixel."""
        return self.kind.noun

    def as_json(self, entry: Entry) -> Mapping[str, object]:
        """The entry as the API answers it."""
        return self.kind.as_json(entry)

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
