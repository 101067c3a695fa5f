from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from services.archive.parts import ARCHIVE, PART_SUFFIX, RECEIVED, manifest_of
from services.core.ndjson_parts import DamagedPartError, unpack
from services.core.ports import Bucket, Row

# In the order of their keys.
FOLDERS = (ARCHIVE, RECEIVED)


# What is read of an event to know whose it is.
TOLD = (
    *("visitor_id", "event_type", "form_data", "event_data"),
    *("page_url", "referrer_url", "page_title"),
)


_VISITOR = re.compile(r'"visitor_id": ?"([^"\\]*)"')


_IS_FORM = re.compile(r'"event_type": ?"form_submit"')


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """One part: events of one pixel on one day, a line each."""

    key: str
    lines: Sequence[str]
    manifest: Mapping[str, object]

    @property
    def day(self) -> str:
        """`<pixel>/<day>`."""
        return "/".join(self.key.split("/")[1:3])

    @property
    def is_received(self) -> bool:
        """Whether others sent it. Ids in it are theirs, and say nothing of rows here."""
        return is_received(self.key)


def is_received(key: str) -> bool:
    """Whether a part was sent by others."""
    return key.startswith(f"{RECEIVED}/")


def visitors_of(line: str) -> Sequence[str]:
    """The visitor of an event's line, without reading it; with more if others nested something."""
    found: list[str] = _VISITOR.findall(line)
    return found


def is_form(line: str) -> bool:
    """Whether an event's line is a form submission's."""
    return _IS_FORM.search(line) is not None


def read_event(line: str) -> Row:
    """The event of a line. What is `TOLD` is there and a text or None, whatever others sent."""
    event = json.loads(line)
    return {**event, **{name: _text(event.get(name)) for name in TOLD}}


async def all_part_keys(bucket: Bucket, after: str) -> AsyncIterator[str]:
    """The keys of all parts behind a key, archived and received ones, in their order.

    Raises:
        UnavailableError: R2 failed.
    """
    for folder in FOLDERS:
        async for key in part_keys(bucket, folder, after):
            yield key


async def part_keys(bucket: Bucket, folder: str, after: str) -> AsyncIterator[str]:
    """The keys of a folder's parts behind a key, in their order.

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


async def read_part(
    bucket: Bucket, key: str, being_rewritten: Sequence[str] = ()
) -> ArchivedPart | None:
    """A part with its manifest; None if it is not there any more.

    `being_rewritten` is what was noted of a replacement that broke off: if it is this part's, its
    content may be new already while its manifest is old.

    Raises:
        DamagedPartError: it is not what its manifest says.
        UnavailableError: R2 failed.
    """
    manifest, content = await bucket.get(manifest_of(key)), await bucket.get(key)
    return checked_part(key, content, manifest, being_rewritten)


def checked_part(
    key: str,
    content: bytes | None,
    manifest_text: bytes | None,
    being_rewritten: Sequence[str] = (),
) -> ArchivedPart | None:
    """A part and its manifest as R2 gave them, as `read_part` does; None if neither is there.

    Raises:
        DamagedPartError: it is not what its manifest says.
    """
    if content is None and manifest_text is None:
        return None
    try:
        manifest = json.loads(manifest_text or b"")
        count, sha256 = int(manifest["count"]), str(manifest["sha256"])
    except (ValueError, KeyError, TypeError):
        raise DamagedPartError(f"{key} has no manifest that can be read") from None
    try:
        return ArchivedPart(key, unpack(key, content, count, sha256), manifest)
    except DamagedPartError:
        if key not in being_rewritten:
            raise
    _, sha256, rows = being_rewritten
    return ArchivedPart(key, unpack(key, content, int(rows), sha256), manifest)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)
