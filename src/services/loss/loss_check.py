"""Judges whether the database is lost, and raises the mark while it is not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from services.core.logs import Log
from services.core.ports import Bucket, Clock, Database, UnavailableError
from services.loss.contents import (
    COUNT_EVENTS,
    RAISE_EVENT_IDS,
    DatabaseContents,
    read_database_contents,
)
from services.loss.high_water_mark import (
    KEY,
    HighWaterMark,
    UnreadableMarkError,
    parse_mark,
    raised_mark,
)
from services.loss.judgement import is_set_back, judge_loss

# Counting reads the whole table: larger ones are counted once an hour.
MAX_EVENTS_COUNTED_EACH_TIME = 20_000
HOUR_CHARACTERS = len("2026-05-01T12")


RebuildMark = Callable[[], Awaitable[HighWaterMark | None]]
"""Makes a mark out of the backups in R2, or None; raises UnavailableError if R2 fails."""


@dataclass(frozen=True, slots=True)
class LossJudgement:
    """Why the database is lost, or None. It is not judged while D1 or R2 does not answer.

    Without an identity it may be half restored: rows that belong together are not all there.
    """

    reason: str | None = None
    is_judged: bool = True
    has_identity: bool = True


@dataclass(frozen=True, slots=True)
class LossCheck:
    """Compares the database with the mark in R2."""

    database: Database
    bucket: Bucket
    rebuild_mark: RebuildMark
    clock: Clock

    async def reason(self, log: Log) -> str | None:
        """Why the database is lost, or None.

        Raises:
            UnavailableError: D1 or R2 failed.
        """
        return judge_loss(await self.mark(log), await read_database_contents(self.database))

    async def judge(self, log: Log) -> LossJudgement:
        """Judges; never raises UnavailableError."""
        try:
            return LossJudgement(await self.reason(log))
        except UnavailableError as error:
            log.warning("loss_not_judged", reason=str(error))
            return LossJudgement(is_judged=False)

    async def judge_and_raise(self, log: Log) -> LossJudgement:
        """Judges, and raises the mark of a database that is not lost. Never raises an error."""
        try:
            mark, contents = await self.mark(log), await read_database_contents(self.database)
            reason = judge_loss(mark, contents)
            if reason:
                log.error("database_lost", reason=reason)
                if mark and mark.is_rebuilt:
                    # So that isolates know it, too, and store nothing in another database.
                    await self.bucket.put(KEY, mark.as_bytes())
                if mark and is_set_back(mark, contents):
                    await self._raise_event_ids(mark.highest_event)
            elif contents.database_id is not None:
                await self._raise(mark, contents)
        except UnavailableError as error:
            log.warning("loss_not_judged", reason=str(error))
            return LossJudgement(is_judged=False)
        return LossJudgement(reason, has_identity=contents.database_id is not None)

    async def mark(self, log: Log) -> HighWaterMark | None:
        """The mark, or None; in place of one that cannot be read, what the backups say.

        Raises:
            UnavailableError: R2 failed.
        """
        try:
            return parse_mark(await self.bucket.get(KEY))
        except UnreadableMarkError as error:
            log.error("mark_unreadable", key=KEY, reason=str(error))
            return await self.rebuild_mark()

    async def _raise(self, mark: HighWaterMark | None, contents: DatabaseContents) -> None:
        now = self.clock()
        is_counted = mark is None or _is_count_due(mark, contents, now)
        events = await self._count_events() if is_counted else None
        await self.bucket.put(KEY, raised_mark(mark, contents, events, now).as_bytes())

    async def _raise_event_ids(self, highest_event: int) -> None:
        """Lets the events of a database that was set back have ids that no other event had."""
        parameters = json.dumps({"highest": highest_event})
        await self.database.batch_rows(RAISE_EVENT_IDS, parameters)

    async def _count_events(self) -> int:
        [row] = await self.database.rows(COUNT_EVENTS)
        events: int = row["events"]
        return events


def _is_count_due(mark: HighWaterMark, contents: DatabaseContents, now: datetime) -> bool:
    if contents.highest_event <= MAX_EVENTS_COUNTED_EACH_TIME:
        return True
    return mark.seen_at[:HOUR_CHARACTERS] != now.isoformat()[:HOUR_CHARACTERS]
