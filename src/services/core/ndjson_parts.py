"""Parts of tables in R2: gzipped JSON lines, with the SHA-256 of the stored object.

A part is read back and compared before anything relies on it.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

# Level 6 is twice as slow for some percent less.
GZIP_LEVEL = 4


class DamagedPartError(Exception):
    """A part is missing, or is not what its manifest says; the message says which and how."""


@dataclass(frozen=True, slots=True)
class PackedPart:
    """A part as it is stored."""

    content: bytes
    rows: int

    @property
    def sha256(self) -> str:
        """The digest of the object, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def pack(lines: Sequence[str]) -> PackedPart:
    """Lines without line ends, at least one, as a part. The same lines are the same bytes."""
    text = "\n".join(lines) + "\n"
    return PackedPart(gzip.compress(text.encode(), GZIP_LEVEL, mtime=0), len(lines))


def unpack(key: str, content: bytes | None, rows: int, sha256: str) -> list[str]:
    """The lines of a part that was read back.

    Raises:
        DamagedPartError: it is missing, or it is not the part with these rows and this digest.
    """
    if content is None:
        raise DamagedPartError(f"{key} is missing")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DamagedPartError(f"{key} has another checksum")
    try:
        # Not splitlines: a line may hold other separators of Unicode.
        lines = gzip.decompress(content).decode().split("\n")[:-1]
    except (EOFError, OSError, UnicodeDecodeError, zlib.error) as error:
        raise DamagedPartError(f"{key} cannot be read: {error}") from None
    if len(lines) != rows:
        raise DamagedPartError(f"{key} has {len(lines)} rows, not {rows}")
    return lines
