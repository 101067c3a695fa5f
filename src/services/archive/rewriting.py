"""Events in R2, read part by part and changed where those of one person have to go.

A part is `archive/<pixel>/<day>/<batch>.ndjson.gz`, or `received/…` of what others sent here, with
its manifest beside it (`<batch>.json`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.archive.parts import (
    ARCHIVE,
    PART_SUFFIX,
    events_digest,
    manifest_of,
)
from services.archive.reading import ArchivedPart, is_received
from services.core.ndjson_parts import Packed, pack, unpack
from services.core.ports import Bucket

# In place of the checksum of a part of which no event is left.
NOTHING = ""

_OF_A_DAY = re.compile(r"archive/[^/]+/(\d{4}-\d{2}-\d{2})/[^/]+\.(?:ndjson\.gz|json)")


def day_of(key: str) -> str | None:
    """The day of a part or manifest of the archive: `2026-05-01`; None of another key."""
    found = _OF_A_DAY.fullmatch(key)
    return found[1] if found else None


async def delete_part(bucket: Bucket, key: str) -> None:
    """Deletes a part, with its manifest unless it was received: see `Replacement`.

    Raises:
        UnavailableError: R2 failed; it is to be deleted again.
    """
    await bucket.delete([key] if is_received(key) else [key, manifest_of(key)])


def counted(key: str, events: int, sha256: str, size: int) -> Mapping[str, object]:
    """A part as `archive_batches.RECOUNT_BATCH` reads it; `size` is in bytes."""
    _, pixel_id, day, name = key.split("/")
    return {
        "pixel_id": pixel_id,
        "day": day,
        "batch": name.removesuffix(PART_SUFFIX),
        "events": events,
        "sha256": sha256,
        "bytes": size,
    }


def erased_ids(manifest: Mapping[str, object]) -> Collection[int]:
    """The events that were erased from a received part since it was sent."""
    ids = manifest.get("erased_ids")
    return ids if isinstance(ids, list) else ()


@dataclass(frozen=True)
class Replacement:
    """What a part is to be without some of its events: nothing, if none is left.

    The manifest of a received part outlives all of its events. It keeps the digest of what was
    sent, and has the ids of what was erased before the events go: a batch that comes again is
    known by it, and brings none of them back.
    """

    part: ArchivedPart
    lines: Sequence[str]

    @property
    def noted(self) -> list[str]:
        """What has to be remembered before it is written: key, checksum, rows; see `read_part`."""
        packed = self._packed
        return [self.part.key, packed.sha256 if packed else NOTHING, str(len(self.lines))]

    @cached_property
    def _packed(self) -> Packed | None:
        return pack(self.lines) if self.lines else None

    @property
    def counted(self) -> Mapping[str, object]:
        """What `archive_batches.RECOUNT_BATCH` reads."""
        packed = self._packed
        if packed is None:
            return counted(self.part.key, 0, NOTHING, 0)
        return counted(self.part.key, packed.rows, packed.sha256, len(packed.content))

    async def write(self, bucket: Bucket) -> None:
        """Puts it in place of the part, reads it back, then writes the manifest.

        Raises:
            DamagedPartError: what R2 gave back is not what was written; the manifest has the old
                sums, and `read_part` says so.
            UnavailableError: R2 failed; it is to be written again.
        """
        key, packed = self.part.key, self._packed
        more: Mapping[str, object]
        if self.part.is_received:
            more = {"erased_ids": self._erased()}
            await self._put_manifest(bucket, more)
        else:
            more = {"events_sha256": events_digest(self.lines)}
        if packed is None:
            await delete_part(bucket, key)
            return
        await bucket.put(key, packed.content)
        unpack(key, await bucket.get(key), packed.rows, packed.sha256)
        sums = {"count": packed.rows, "sha256": packed.sha256, "bytes": len(packed.content)}
        await self._put_manifest(bucket, {**sums, **more})

    def _erased(self) -> Sequence[int]:
        kept = frozenset(self.lines)
        gone = [json.loads(line)["id"] for line in self.part.lines if line not in kept]
        return sorted({*erased_ids(self.part.manifest), *gone})

    async def _put_manifest(self, bucket: Bucket, changes: Mapping[str, object]) -> None:
        manifest = {**self.part.manifest, **changes}
        await bucket.put(manifest_of(self.part.key), json.dumps(manifest).encode())


async def delete_days_before(
    bucket: Bucket, pixel_id: str, first_kept: str, most: int
) -> Collection[str]:
    """Deletes the parts of a pixel's days before one, at most so many; returns their keys.

    Raises:
        UnavailableError: R2 failed.
    """
    # Days are in their order, so the first page has the oldest.
    page = await bucket.page(f"{ARCHIVE}/{pixel_id}/", None)
    days = ((name, day_of(name)) for name in page.names)
    old = [name for name, day in days if day is not None and day < first_kept][:most]
    await bucket.delete(old)
    return [name for name in old if name.endswith(PART_SUFFIX)]
