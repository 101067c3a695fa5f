"""Changes parts in R2: takes the events of one person out of them, and deletes expired days.

A part is `archive/<pixel>/<day>/<batch>.ndjson.gz`, or `received/…` if another deployment sent it,
with its manifest beside it (`<batch>.json`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.archive.parts import ARCHIVE, PART_SUFFIX, events_digest, part_manifest_key
from services.archive.reading import ArchivedPart, is_received
from services.core.ndjson_parts import PackedPart, pack, unpack
from services.core.ports import Bucket

# Stands for the checksum of a part without events.
EMPTY_PART_SHA256 = ""

_ARCHIVE_KEY = re.compile(r"archive/[^/]+/(\d{4}-\d{2}-\d{2})/[^/]+\.(?:ndjson\.gz|json)")


def day_of_key(key: str) -> str | None:
    """The day of a part or manifest of the archive (`2026-05-01`); None for another key."""
    match = _ARCHIVE_KEY.fullmatch(key)
    return match[1] if match else None


async def delete_part(bucket: Bucket, key: str) -> None:
    """Deletes a part, with its manifest unless it was received: see `PartReplacement`.

    Raises:
        UnavailableError: R2 failed; the part must be deleted again.
    """
    await bucket.delete([key] if is_received(key) else [key, part_manifest_key(key)])


def batch_counts(key: str, events: int, sha256: str, size_bytes: int) -> Mapping[str, object]:
    """The parameters of `batches.RECOUNT_BATCH` for a part with this key."""
    _, pixel_id, day, name = key.split("/")
    return {
        "pixel_id": pixel_id,
        "day": day,
        "batch": name.removesuffix(PART_SUFFIX),
        "events": events,
        "sha256": sha256,
        "bytes": size_bytes,
    }


def erased_ids(manifest: Mapping[str, object]) -> Collection[int]:
    """The ids of the events that were erased from a received part."""
    ids = manifest.get("erased_ids")
    return ids if isinstance(ids, list) else ()


@dataclass(frozen=True)
class PartReplacement:
    """A part and the lines that remain of it; without lines the part is deleted.

    The manifest of a received part outlives its events. It keeps the digest of the batch as sent,
    and lists erased ids before the events go. A batch that is sent again is recognized by the
    digest, and its erased events stay out.
    """

    part: ArchivedPart
    lines: Sequence[str]

    @property
    def journal(self) -> list[str]:
        """Key, checksum and number of rows, to be stored before `write`; `read_part` takes it."""
        packed = self._packed
        sha256 = packed.sha256 if packed else EMPTY_PART_SHA256
        return [self.part.key, sha256, str(len(self.lines))]

    @cached_property
    def _packed(self) -> PackedPart | None:
        return pack(self.lines) if self.lines else None

    @property
    def counts(self) -> Mapping[str, object]:
        """The parameters of `batches.RECOUNT_BATCH`: key, rows, checksum, bytes."""
        packed = self._packed
        if packed is None:
            return batch_counts(self.part.key, 0, EMPTY_PART_SHA256, 0)
        return batch_counts(self.part.key, packed.rows, packed.sha256, len(packed.content))

    async def write(self, bucket: Bucket) -> None:
        """Writes the remaining lines over the part, reads them back, then writes the manifest.

        Raises:
            DamagedPartError: R2 returned other content; the manifest still has the old sums, so
                that `read_part` raises too.
            UnavailableError: R2 failed; `write` must be called again.
        """
        key, packed = self.part.key, self._packed
        history: Mapping[str, object]
        if self.part.is_received:
            history = {"erased_ids": self._erased_ids()}
            await self._put_manifest(bucket, history)
        else:
            history = {"events_sha256": events_digest(self.lines)}
        if packed is None:
            await delete_part(bucket, key)
            return
        await bucket.put(key, packed.content)
        unpack(key, await bucket.get(key), packed.rows, packed.sha256)
        sums = {"count": packed.rows, "sha256": packed.sha256, "bytes": len(packed.content)}
        await self._put_manifest(bucket, {**sums, **history})

    def _erased_ids(self) -> Sequence[int]:
        remaining = frozenset(self.lines)
        ids = [json.loads(line)["id"] for line in self.part.lines if line not in remaining]
        return sorted({*erased_ids(self.part.manifest), *ids})

    async def _put_manifest(self, bucket: Bucket, changes: Mapping[str, object]) -> None:
        manifest = {**self.part.manifest, **changes}
        await bucket.put(part_manifest_key(self.part.key), json.dumps(manifest).encode())


async def delete_parts_before_day(
    bucket: Bucket, pixel_id: str, day: str, max_objects: int
) -> Collection[str]:
    """Deletes a pixel's parts and manifests of days before `day`; returns the keys of the parts.

    Raises:
        UnavailableError: R2 failed.
    """
    # Keys sort by day, so the first page has the oldest.
    page = await bucket.page(f"{ARCHIVE}/{pixel_id}/", None)
    days = ((name, day_of_key(name)) for name in page.names)
    expired = [name for name, key_day in days if key_day is not None and key_day < day]
    expired = expired[:max_objects]
    await bucket.delete(expired)
    return [name for name in expired if name.endswith(PART_SUFFIX)]
