"""The parts of a multipart form, as wrangler sends it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NAME = re.compile(rb'name="([^"]*)"')
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a form."""

    name: str
    media_type: str
    content: bytes


def read_parts(content_type: str, body: bytes) -> list[Part]:
    """Split a body into its parts; an empty list if it is no multipart form."""
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return []
    separator = b"--" + boundary[1].encode()
    # Every part begins behind its separator's line end, and ends before one.
    raw_parts = (b"\r\n" + body).split(b"\r\n" + separator)[1:-1]
    return [_read_part(raw.removeprefix(b"\r\n")) for raw in raw_parts]


def _read_part(raw: bytes) -> Part:
    head, _, content = raw.partition(b"\r\n\r\n")
    media_type = "text/plain"
    name = ""
    for line in head.split(b"\r\n"):
        header, _, value = line.partition(b":")
        if header.lower() == b"content-type":
            media_type = value.strip().decode().partition(";")[0]
        elif header.lower() == b"content-disposition" and (match := _NAME.search(value)):
            name = match[1].decode()
    return Part(name, media_type, content)
