"""Projects and pixels as people manage them: listed by name, created, changed, switched off.

Both are rows of the same form; `entry_kinds` holds their statements. Each method but `change` is
one round trip.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass

from services.core.errors import ConflictError, NotFoundError
from services.core.ports import Database, NewId, Row, UnavailableError
from services.projects.entry_values import Entry, EntryKind, chosen_id, read_values

# A change is made again on the row that somebody else changed in between.
MAX_CHANGE_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class EntryQuery:
    """Which page of a list: at most `limit` entries, from the name `cursor` on.

    `ids` are those that may be listed; None is all.
    """

    limit: int
    cursor: str
    include_inactive: bool
    ids: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Entries in the order of their names; `next_cursor` is the name that begins the next page."""

    entries: Sequence[Entry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Register:
    """All entries of one kind. Every method raises UnavailableError when D1 fails."""

    kind: EntryKind
    database: Database
    new_id: NewId

    @property
    def noun(self) -> str:
        """What one entry is called: project or pixel."""
        return self.kind.noun

    def as_json(self, entry: Entry) -> Mapping[str, object]:
        """The entry as the API answers it."""
        return self.kind.as_json(entry)

    async def page(self, query: EntryQuery, project_id: str | None = None) -> EntryPage:
        """One page of the entries, of a project where they belong to one.

        Raises:
            NotFoundError: there is no such project.
        """
        parameters = {
            "project_id": project_id,
            "cursor": query.cursor,
            "include_inactive": query.include_inactive,
            "ids": None if query.ids is None else sorted(query.ids),
            "rows": query.limit + 1,
        }
        owners, rows = await self._with_owner((self.kind.page,), parameters)
        if self.kind.owner and not owners:
            raise NotFoundError("Project not found")
        entries = [Entry(**row) for row in rows]
        # One row more than asked for is where the next page begins.
        next_cursor = entries[query.limit].name if len(entries) > query.limit else None
        return EntryPage(entries[: query.limit], next_cursor)

    async def find(self, entry_id: str) -> Entry:
        """The entry with this id, active or not.

        Raises:
            NotFoundError: no entry has this id.
        """
        [rows] = await self.database.batch_rows((self.kind.by_id,), json.dumps({"id": entry_id}))
        return self._required(rows)

    async def create(self, fields: Mapping[str, object], project_id: str | None = None) -> Entry:
        """Creates an entry, under a new id or the one that is chosen.

        Raises:
            InvalidFieldsError: a field cannot be stored.
            NotFoundError: there is no such project.
            ConflictError: the name or the id is taken, or the project is switched off.
        """
        values = read_values(self.kind, fields, None, project_id)
        entry_id = chosen_id(self.kind, fields) or self.new_id()
        parameters = {"id": entry_id, "project_id": project_id, **asdict(values)}
        owner = (self.kind.owner,) if self.kind.owner else ()
        statements = (*owner, self.kind.by_id, self.kind.create, self.kind.by_name)
        answers = await self.database.batch_rows(statements, json.dumps(parameters))
        owners, same_id, named = answers[0], answers[-3], answers[-1]
        if same_id:
            raise self._id_conflict(same_id[0])
        if named and named[0]["id"] == parameters["id"]:
            return Entry(**named[0])
        if self.kind.owner and not owners:
            raise NotFoundError("Project not found")
        if named:
            raise self._name_conflict(named[0])
        raise ConflictError("The project is inactive", "make it active first: PUT it with active 1")

    async def change(self, entry_id: str, fields: Mapping[str, object]) -> Entry:
        """Changes the given fields of an entry and keeps all others.

        No concurrent change is lost: it is read, and this one is made on top of it.

        Raises:
            InvalidFieldsError: a field cannot be stored.
            NotFoundError: no entry has this id.
            ConflictError: the name is taken.
            UnavailableError: others changed the entry at each attempt.
        """
        entry = await self.find(entry_id)
        for _ in range(MAX_CHANGE_ATTEMPTS):
            values = read_values(self.kind, fields, entry, entry.project_id)
            if values == entry.values():
                return entry
            parameters = {
                "id": entry_id,
                "project_id": entry.project_id,
                **asdict(values),
                "stored": asdict(entry),
            }
            changed, rows, named = await self.database.batch_rows(
                (self.kind.change, self.kind.by_id, self.kind.by_name), json.dumps(parameters)
            )
            entry = self._required(rows)
            if changed:
                return entry
            if named and named[0]["id"] != entry_id:
                raise self._name_conflict(named[0])
        raise UnavailableError(f"the {self.kind.noun} was changed by others in five attempts")

    async def switch_off(self, entry_id: str) -> Entry:
        """Makes an entry inactive; an inactive one stays so.

        Raises:
            NotFoundError: no entry has this id.
        """
        _, rows = await self.database.batch_rows(
            (self.kind.switch_off, self.kind.by_id), json.dumps({"id": entry_id})
        )
        return self._required(rows)

    async def _with_owner(
        self, statements: Sequence[str], parameters: Mapping[str, object]
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        """The rows of the owner, for kinds that have one, and those of the last statement."""
        owner = (self.kind.owner,) if self.kind.owner else ()
        answers = await self.database.batch_rows((*owner, *statements), json.dumps(parameters))
        return answers[0], answers[-1]

    def _required(self, rows: Sequence[Row]) -> Entry:
        if not rows:
            raise NotFoundError(f"{self.kind.noun.capitalize()} not found")
        return Entry(**rows[0])

    def _id_conflict(self, row: Row) -> ConflictError:
        return ConflictError(
            f"A {self.kind.noun} of this id exists already",
            f"it is named {row['name']}: PUT it to change it, or leave the id out",
        )

    def _name_conflict(self, row: Row) -> ConflictError:
        state = "" if row["active"] else ", which is inactive: PUT it with active 1 to use it again"
        return ConflictError(
            f"A {self.kind.noun} of this name exists already",
            f"choose another name, or use {row['id']}{state}",
        )
