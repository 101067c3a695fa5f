"""Refuses events when D1 is another database than the high-water mark's; no query if it is that.

An isolate learns with each lookup of a pixel which database answers. It reads the mark only of a
database that it does not know yet, or where a pixel is missing, and at most once a minute of one.
What a pixel would refuse for good is judged by all that the database holds: what was set back has
the pixels and domains of an earlier day.
"""

from __future__ import annotations

from contextlib import suppress

from services.core.ports import Bucket, Database, UnavailableError
from services.loss.contents import read_database_contents
from services.loss.high_water_mark import KEY, HighWaterMark, UnreadableMarkError, parse_mark
from services.loss.judgement import is_other_copy, judge_loss

MARK_SECONDS = 60
# One call that fails must let nothing into a database that is lost.
TRIES = 2
UNREAD_SECONDS = 5
# As long as one judgement stands, however many events are refused.
JUDGED_SECONDS = 10


class LostDatabaseError(UnavailableError):
    """The database is not the one that is meant: what was stored there would be lost."""


class DatabaseGuard:
    """What one isolate knows of the database that is meant."""

    def __init__(self, database: Database, bucket: Bucket, environment: str = "") -> None:
        self._database = database
        self._bucket = bucket
        self._environment = environment
        self._loss: str | None = None
        self._judged_until = 0.0
        self._trusted: tuple[str | None, str | None] | None = None
        self._mark: HighWaterMark | None = None
        self._mark_until = 0.0
        self._compared: tuple[str | None, str | None] | None = None

    async def require_database(
        self, database_id: str | None, generation: str | None, pixels: int | None, now: float
    ) -> None:
        """Requires that a copy of a database is the one that is meant.

        `pixels` is their number if one was looked up that is missing, else None. `now` is in Unix
        seconds. Without a mark every database counts as the one that is meant: tracking never
        stops for want of a mark. While R2 fails, the last mark that this isolate read stands.

        Raises:
            LostDatabaseError: the database is another one, or has fewer pixels than there were.
        """
        database = (database_id, generation)
        if database == self._trusted and pixels is None:
            return
        if pixels is not None and self._mark is None:
            self._mark_until = 0.0
        mark = await self._current_mark(database, now)
        if mark is None:
            return
        if database_id != mark.database_id:
            raise LostDatabaseError(
                f"the database is another one: {database_id}, not {mark.database_id}"
            )
        if is_other_copy(mark, generation):
            raise LostDatabaseError("the database is another copy of the one that is meant")
        self._trusted = database
        if pixels is not None and pixels < mark.pixels:
            raise LostDatabaseError(f"the database has {pixels} pixels, and had {mark.pixels}")

    async def require_whole(self, now: float) -> None:
        """Requires that the database is not lost, before an event is refused for good.

        `now` is in Unix seconds. While D1 or R2 does not answer, the last judgement stands.

        Raises:
            LostDatabaseError: it counts as lost; the message says why.
        """
        if now >= self._judged_until:
            await self._judge()
            self._judged_until = now + JUDGED_SECONDS
        if self._loss:
            raise LostDatabaseError(self._loss)

    async def _judge(self) -> None:
        try:
            mark = await self._read_mark()
            self._loss = judge_loss(mark, await read_database_contents(self._database))
        except (UnavailableError, UnreadableMarkError):
            # The cron says so.
            return

    async def _read_mark(self) -> HighWaterMark | None:
        """The mark; None in place of that of another environment, of which the cron says so."""
        mark = parse_mark(await self._bucket.get(KEY))
        return mark if mark and mark.is_of(self._environment) else None

    async def _current_mark(
        self, database: tuple[str | None, str | None], now: float
    ) -> HighWaterMark | None:
        """The mark, at most a minute old, and read again for another database."""
        if now < self._mark_until and database == self._compared:
            return self._mark
        mark, seconds = self._mark, UNREAD_SECONDS
        for _ in range(TRIES):
            with suppress(UnavailableError, UnreadableMarkError):
                # The cron says so where it cannot be read.
                mark, seconds = await self._read_mark(), MARK_SECONDS
                break
        # Not before it is read: what arrives meanwhile would be let through without a mark.
        self._mark, self._compared = mark, database
        self._mark_until = now + seconds
        return mark
