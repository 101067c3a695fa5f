"""Reads the parts of the archive and of `received/` in R2: their keys, checks and event lines."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.archive.parts import ARCHIVE, PART_SUFFIX, RECEIVED, part_manifest_key
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, Row
from services.core.text import read_long_json

# In the order of their keys.
PART_FOLDERS = (ARCHIVE, RECEIVED)

# The columns that tell whose an event is.
SUBJECT_COLUMNS = (
    *("visitor_id", "event_type", "form_data", "event_data"),
    *("page_url", "referrer_url", "page_title"),
)

_VISITOR_ID = re.compile(r'"visitor_id": ?"([^"\\]*)"')
# The old Worker stored the fields of a form with whatever type the page gave the event.
_IS_FORM = re.compile(r'"event_type": ?"form_submit"|"form_data": ?[^n ]')


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """A part that was read from R2: one JSON line for each event of one pixel and day."""

    key: str
    lines: Sequence[str]
    manifest: Mapping[str, object]

    @property
    def day(self) -> str:
        """`<pixel>/<day>`."""
        return "/".join(self.key.split("/")[1:3])

    @property
    def is_received(self) -> bool:
        """Whether another deployment sent it. Its ids are not those of rows here."""
        return is_received(self.key)


# ---- keys --------------------------------------------------------------------------------------


def is_received(key: str) -> bool:
    """Whether the part with this key was sent by another deployment."""
    return key.startswith(f"{RECEIVED}/")


async def all_part_keys(bucket: Bucket, after: str) -> AsyncIterator[str]:
    """Yields the keys of all parts after a key, archived and received ones, in their order.

    Raises:
        UnavailableError: R2 failed.
    """
    for folder in PART_FOLDERS:
        async for key in part_keys(bucket, folder, after):
            yield key


async def part_keys(bucket: Bucket, folder: str, after: str) -> AsyncIterator[str]:
    """Yields the keys of a folder's parts after a key, in their order.

    Raises:
        UnavailableError: R2 failed.
    """
    cursor: str | None = None
    while True:
        page = await bucket.page(f"{folder}/", cursor)
        for name in page.names:
            if name > after and name.endswith(PART_SUFFIX):
                yield name
        if page.cursor is None:
            return
        cursor = page.cursor


# ---- parts -------------------------------------------------------------------------------------


async def read_part(
    bucket: Bucket, key: str, pending_rewrite: Sequence[str] = ()
) -> ArchivedPart | None:
    """Reads a part with its manifest; None if it no longer exists.

    `pending_rewrite` is the `PartReplacement.journal` of an interrupted replacement. If it is of
    this part, the content may be new already while the manifest is old.

    Raises:
        DamagedPartError: the content does not match the manifest.
        UnavailableError: R2 failed.
    """
    manifest, content = await bucket.get(part_manifest_key(key)), await bucket.get(key)
    return check_part(key, content, manifest, pending_rewrite)


def check_part(
    key: str,
    content: bytes | None,
    manifest_text: bytes | None,
    pending_rewrite: Sequence[str] = (),
) -> ArchivedPart | None:
    """Checks what R2 holds of a part against its manifest; None if it holds neither.

    Raises:
        DamagedPartError: the content does not match the manifest.
    """
    if content is None and manifest_text is None:
        return None
    try:
        manifest: Any = read_long_json((manifest_text or b"").decode())
        count, sha256 = int(manifest["count"]), str(manifest["sha256"])
    except (ValueError, KeyError, TypeError, OverflowError):
        raise DamagedPartError(f"{key} has no manifest that can be read") from None
    try:
        return ArchivedPart(key, unpack(key, content, count, sha256), manifest)
    except DamagedPartError:
        if key not in pending_rewrite:
            raise
    _, sha256, rows = pending_rewrite
    return ArchivedPart(key, unpack(key, content, int(rows), sha256), manifest)


# ---- lines -------------------------------------------------------------------------------------


def visitor_ids_in(line: str) -> Sequence[str]:
    """The visitor of an event's line, found without parsing it.

    A received line may have more of them, in nested objects.
    """
    ids: list[str] = _VISITOR_ID.findall(line)
    return ids


def is_form_line(line: str) -> bool:
    """Whether an event's line may be that of a form, found without parsing it."""
    return _IS_FORM.search(line) is not None


def read_event_line(line: str) -> Row:
    """Parses an event's line; every one of `SUBJECT_COLUMNS` is there as a text or None."""
    event = json.loads(line)
    return {**event, **{name: _text(event.get(name)) for name in SUBJECT_COLUMNS}}


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
