"""Judges whether the database is lost, and raises the mark while it is not."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.core.logs import Log
from services.core.ports import Bucket, Clock, Database, UnavailableError
from services.core.stored_time import MAX_CLOCK_DIFFERENCE, format_stored_time
from services.loss.contents import (
    COUNT_EVENTS,
    MAX_EVENTS_MEANWHILE,
    RAISE_EVENT_IDS,
    read_database_contents,
)
from services.loss.high_water_mark import (
    KEY,
    HighWaterMark,
    UnreadableMarkError,
    counted_mark,
    parse_mark,
    raised_mark,
)
from services.loss.judgement import is_set_back, judge_loss
from services.loss.row_counts import judge_rows, read_row_counts

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
    environment: str = ""

    async def reason(self, log: Log) -> str | None:
        """Why the database is lost, or None.

        Raises:
            UnavailableError: D1 or R2 failed.
        """
        mark, contents = await self.mark(log), await read_database_contents(self.database)
        return judge_loss(mark, contents, self.environment)

    async def judge(self, log: Log) -> LossJudgement:
        """Judges; never raises UnavailableError."""
        try:
            return LossJudgement(await self.reason(log))
        except UnavailableError as error:
            log.warning("loss_not_judged", reason=str(error))
            return LossJudgement(is_judged=False)

    async def judge_and_update_mark(self, log: Log) -> LossJudgement:
        """Judges whether the database is lost, and if not updates its mark. Raises no error."""
        try:
            mark, contents = await self.mark(log), await read_database_contents(self.database)
            reason = judge_loss(mark, contents, self.environment)
            is_ours = mark is not None and mark.is_of(self.environment)
            if reason:
                log.error("database_lost", reason=reason)
                if mark and mark.is_rebuilt:
                    # So that isolates know it, too, and store nothing in another database.
                    await self.bucket.put(KEY, mark.as_bytes())
                if mark and is_ours and is_set_back(mark, contents):
                    await self._raise_event_ids(mark.highest_event)
            elif contents.database_id is not None:
                events = await self._count_events() if mark is None else None
                raised = raised_mark(mark, contents, events, self.clock())
                raised = replace(raised, environment=self.environment)
                await self.bucket.put(KEY, raised.as_bytes())
        except UnavailableError as error:
            log.warning("loss_not_judged", reason=str(error))
            return LossJudgement(is_judged=False)
        return LossJudgement(reason, has_identity=contents.database_id is not None)

    async def judge_counts(
        self, totals: Mapping[str, int], counted_at: datetime, log: Log
    ) -> str | None:
        """Stores the counts of a backup in the mark; returns why they are too few, or None.

        Raises:
            UnavailableError: D1 or R2 failed.
        """
        mark = await self.mark(log)
        if mark is None or mark.missing:
            return mark.missing if mark else None
        # What was counted while a clock was ahead is compared with nothing.
        latest = format_stored_time(self.clock() + MAX_CLOCK_DIFFERENCE)
        before = mark.counts if mark.counted_at <= latest else {}
        if before and format_stored_time(counted_at) < mark.counted_at:
            # A later backup was quicker, and was judged.
            return None
        since = mark.counted_at if before else ""
        rows = await read_row_counts(self.database, totals, since, counted_at)
        reason = judge_rows(before, rows)
        if reason:
            log.error("database_lost", reason=reason)
            mark = replace(mark, missing=reason)
        else:
            mark = counted_mark(mark, rows, counted_at)
        await self.bucket.put(KEY, mark.as_bytes())
        return reason

    async def judge_after_backup(self, judgement: LossJudgement, log: Log) -> LossJudgement:
        """The judgement after a backup, which may have counted too few rows. Never raises."""
        if judgement.reason or not judgement.is_judged:
            return judgement
        try:
            mark = await self.mark(log)
        except UnavailableError as error:
            log.warning("loss_not_judged", reason=str(error))
            return judgement
        return replace(judgement, reason=(mark.missing if mark else "") or None)

    async def mark(self, log: Log) -> HighWaterMark | None:
        """The mark; in place of one that is gone or cannot be read, what the backups say.

        None where there is no backup either that names its database.

        Raises:
            UnavailableError: R2 failed.
        """
        try:
            mark = parse_mark(await self.bucket.get(KEY))
        except UnreadableMarkError as error:
            log.error("mark_unreadable", key=KEY, reason=str(error))
            return await self.rebuild_mark()
        if mark is None and (mark := await self.rebuild_mark()):
            log.error("mark_missing", key=KEY)
        return mark

    async def _raise_event_ids(self, highest_event: int) -> None:
        """Lets the events of a database that was set back have ids that no other event had."""
        parameters = json.dumps({"highest": highest_event + MAX_EVENTS_MEANWHILE})
        await self.database.batch_rows(RAISE_EVENT_IDS, parameters)

    async def _count_events(self) -> int:
        [row] = await self.database.rows(COUNT_EVENTS)
        events: int = row["events"]
        return events
