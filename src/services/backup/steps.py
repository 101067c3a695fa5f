"""The steps of a backup: each writes or verifies a part, and a run may end after any.

A full backup reads the growing tables while events arrive, then writes the changes since it started
until there are none: the last ones are read in one transaction, which makes the whole consistent.
An hourly backup starts with the changes since the one before it. Then the other tables are written,
then every part is read back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.backup.changes import read_changes
from services.backup.records import Backup, ChangeMarker
from services.backup.store import BackupStore
from services.backup.sums import require_sums
from services.backup.tables import Table, read_tables
from services.core.json_lines import ABOVE_MAX_ROWID, MIN_ROWS, rows_of_next_page
from services.core.ports import Clock, Database

READ_IDENTITY = "SELECT id FROM database_identity WHERE ?1 IS NOT NULL"
MIN_PART_CHARACTERS = 4_000_000
# Of short rows. A run has 1,000 queries of D1.
# https://developers.cloudflare.com/d1/platform/limits/
MAX_BACKUP_PAGE_ROWS = 5_000


@dataclass(slots=True)
class BackupSteps:
    """What one step of a backup works with.

    Changes are read few at first, more as they are short: an isolate that could not hold them is
    followed by one that begins with few again.
    """

    database: Database
    store: BackupStore
    clock: Clock
    _changed_rows: int = MIN_ROWS

    async def step(self, backup: Backup) -> None:
        """Does the next step of a running backup; the last one makes it verified.

        Raises:
            UnavailableError: D1 or R2 failed; the step can be done again.
            DamagedPartError: a part is not what was written.
            MisfitError: the rows do not add up.
            UnknownNameError: the schema cannot be backed up.
        """
        tables = await read_tables(self.database)
        match backup.progress.phase:
            case "walk":
                await self._walk(backup, tables)
            case "changes":
                await self._write_changes(backup, tables)
            case "whole":
                await self._write_whole(backup, tables)
            case "verify":
                await self._verify(backup)

    async def _walk(self, backup: Backup, tables: Sequence[Table]) -> None:
        await self._write_next(backup, tables, "walk")
        if not backup.progress.tables:
            backup.progress.phase = "changes"

    async def _write_changes(self, backup: Backup, tables: Sequence[Table]) -> None:
        progress = backup.progress
        growing = [table for table in tables if table.grows]
        changes = await read_changes(self.database, growing, backup, self._changed_rows)
        self._changed_rows = rows_of_next_page(changes.lines.get("tracking_events", ()))
        if changes.deleted:
            await self.store.put_part(backup, "row_changes", "deleted", changes.deleted)
        for table, lines in changes.lines.items():
            await self.store.put_part(backup, table, "changes", lines)
        progress.marker = changes.marker
        if changes.is_all and progress.counts:
            require_sums(progress, changes.totals, changes.counts)
            backup.finished_at = self.clock()
            whole_tables = [table.name for table in tables if not table.grows]
            progress.totals = {**changes.totals, **dict.fromkeys(whole_tables, 0)}
            progress.tables, progress.phase = whole_tables, "whole"
        # Counting reads whole tables: only once, when few changes are left.
        progress.counts = changes.is_all

    async def _write_whole(self, backup: Backup, tables: Sequence[Table]) -> None:
        progress = backup.progress
        name, before = progress.tables[0], progress.rows
        await self._write_next(backup, tables, "whole")
        progress.totals[name] += progress.rows - before
        if not progress.tables:
            progress.phase = "verify"

    async def _write_next(
        self, backup: Backup, tables: Sequence[Table], kind: Literal["walk", "whole"]
    ) -> None:
        """Writes the next part of the current table, if it has more rows."""
        progress = backup.progress
        table = next(table for table in tables if table.name == progress.tables[0])
        until = _highest_id(table, progress.start) if kind == "walk" else ABOVE_MAX_ROWID
        lines, after = await self._read_part(table, progress.after, until)
        if lines:
            await self.store.put_part(backup, table.name, kind, lines)
        progress.after = after
        if after is None:
            progress.tables.pop(0)

    async def _read_part(
        self, table: Table, after: str | None, until: int
    ) -> tuple[list[str], str | None]:
        """Rows after a key, up to a part's size; the key of the last one, None at the end."""
        lines: list[str] = []
        characters, page_rows = 0, MIN_ROWS
        while characters < MIN_PART_CHARACTERS:
            key = [] if after is None else json.loads(after)
            parameters = json.dumps({"after": key, "until": until, "rows": page_rows})
            statement = table.page(is_first=after is None)
            [rows] = await self.database.batch_rows((statement,), parameters)
            page = [row["line"] for row in rows]
            lines += page
            if len(rows) < page_rows:
                return lines, None
            after, characters = rows[-1]["position"], characters + sum(map(len, page))
            page_rows = rows_of_next_page(page, MAX_BACKUP_PAGE_ROWS)
        return lines, after

    async def _verify(self, backup: Backup) -> None:
        progress = backup.progress
        if progress.verified < progress.written:
            await self.store.check_part(progress.parts[progress.verified])
            progress.verified += 1
            return
        backup.verified_at = self.clock()
        [[identity]] = await self.database.batch_rows((READ_IDENTITY,), "{}")
        await self.store.finish(backup, identity["id"])
        backup.state = "verified"
        progress.parts = []


def _highest_id(table: Table, marker: ChangeMarker) -> int:
    highest = {"tracking_events": marker.event, "system_logs": marker.log}
    return highest.get(table.name, ABOVE_MAX_ROWID)
