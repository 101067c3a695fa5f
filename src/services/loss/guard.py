"""Refuses events when D1 is another database than the high-water mark's; no query if it is that.

An isolate learns with each lookup of a pixel which database answers. It reads the mark only of a
database that it does not know yet, or where a pixel is missing, and at most once a minute of one.
"""

from __future__ import annotations

from services.core.ports import Bucket, UnavailableError
from services.loss.high_water_mark import KEY, HighWaterMark, UnreadableMarkError, parse_mark

MARK_SECONDS = 60


class LostDatabaseError(UnavailableError):
    """The database is not the one that is meant: what was stored there would be lost."""


class DatabaseGuard:
    """What one isolate knows of the database that is meant."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._trusted_id: str | None = None
        self._mark: HighWaterMark | None = None
        self._mark_until = 0.0
        self._compared_id: str | None = None

    async def require_database(
        self, database_id: str | None, pixels: int | None, now: float
    ) -> None:
        """Requires that a database is the one that is meant.

        `pixels` is their number if one was looked up that is missing, else None. `now` is in Unix
        seconds. Without a mark, or while R2 fails, every database counts as the one that is meant:
        tracking never stops for want of a mark.

        Raises:
            LostDatabaseError: the database is another one, or has fewer pixels than there were.
        """
        if database_id == self._trusted_id and pixels is None:
            return
        if pixels is not None and self._mark is None:
            self._mark_until = 0.0
        mark = await self._current_mark(database_id, now)
        if mark is None:
            return
        if database_id != mark.database_id:
            raise LostDatabaseError(
                f"the database is another one: {database_id}, not {mark.database_id}"
            )
        self._trusted_id = database_id
        if pixels is not None and pixels < mark.pixels:
            raise LostDatabaseError(f"the database has {pixels} pixels, and had {mark.pixels}")

    async def _current_mark(self, database_id: str | None, now: float) -> HighWaterMark | None:
        """The mark, at most a minute old, and read again for another database."""
        if now < self._mark_until and database_id == self._compared_id:
            return self._mark
        try:
            mark = parse_mark(await self._bucket.get(KEY))
        except (UnavailableError, UnreadableMarkError):
            # The cron says so.
            mark = None
        # Not before it is read: what arrives meanwhile would be let through without a mark.
        self._mark, self._compared_id = mark, database_id
        self._mark_until = now + MARK_SECONDS
        return mark
