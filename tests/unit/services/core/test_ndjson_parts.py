"""Parts: what comes back is what went in, or it is said what is wrong."""

from __future__ import annotations

import gzip

import pytest

from services.core.ndjson_parts import DamagedPartError, PackedPart, pack, unpack

LINES = ['{"id":1,"page_title":"Grüße \\u2028 x"}', '{"id":2,"page_title":"\u2028\u0085"}']
OTHER = pack(['{"id":3}'])


def test_the_lines_come_back_as_they_were() -> None:
    packed = pack(LINES)
    assert packed.rows == 2
    assert unpack("a", packed.content, packed.rows, packed.sha256) == LINES


def test_the_same_lines_are_the_same_bytes() -> None:
    assert pack(LINES).content == pack(LINES).content


def test_a_missing_part_is_named() -> None:
    with pytest.raises(DamagedPartError, match="archive/x is missing"):
        unpack("archive/x", None, 1, OTHER.sha256)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pack(LINES).content[:-4], "another checksum"),
        (pack(LINES).content[:-1] + b"\x01", "another checksum"),
        (OTHER.content, "another checksum"),
    ],
    ids=["truncated", "changed", "another one"],
)
def test_a_part_that_was_changed_is_found_by_its_checksum(content: bytes, problem: str) -> None:
    packed = pack(LINES)
    with pytest.raises(DamagedPartError, match=f"a has {problem}"):
        unpack("a", content, packed.rows, packed.sha256)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pack(LINES).content[:-9], "cannot be read"),
        (b"no gzip", "cannot be read"),
        (gzip.compress(b"\xff\n"), "cannot be read"),
        (gzip.compress(b"{}\n{}\n{}\n"), "has 3 rows, not 2"),
    ],
    ids=["truncated", "no gzip", "no text", "other rows"],
)
def test_a_part_that_was_damaged_before_its_checksum_was_taken_is_found(
    content: bytes, problem: str
) -> None:
    with pytest.raises(DamagedPartError, match=f"a {problem}"):
        unpack("a", content, 2, PackedPart(content, 2).sha256)
