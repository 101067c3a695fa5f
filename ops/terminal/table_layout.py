"""The lines of a table: how wide its columns are, and where texts are broken. No id ever is."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from rich.cells import cell_len

GAP = "  "
# Ids, keys and file names fit. A longer word, such as an address, may be broken.
MAX_WHOLE_WORD = 80


def table_lines(
    rows: Sequence[Sequence[str]], numeric: Sequence[bool], width: int | None
) -> Iterator[str]:
    """Yield the lines of a table whose first row are the headers.

    `numeric` are the columns that are aligned to the right, all false where there are no rows.
    A `width` of None breaks no text; else a row may take several lines. A table whose ids need more
    is wider: the terminal breaks the line, and still copies the id as one.
    """
    columns = list(zip(*rows, strict=True))
    widths = _widths(columns, width)
    alignment = [str.rjust if is_numeric else str.ljust for is_numeric in numeric]
    alignment += [str.ljust] * (len(columns) - len(alignment))
    for row in rows:
        pieces = [_pieces(text, room) for text, room in zip(row, widths, strict=True)]
        for line in zip_longest(*pieces, fillvalue=""):
            aligned = (
                align(text, room - cell_len(text) + len(text))
                for align, text, room in zip(alignment, line, widths, strict=True)
            )
            yield GAP.join(aligned).rstrip()


def _widths(columns: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Compute the widths: those of the texts, or as little less as the table must be narrower."""
    natural = [max(map(cell_len, texts)) for texts in columns]
    if width is None:
        return natural
    least = [max(map(_longest_word, texts)) for texts in columns]
    excess = sum(natural) + len(GAP) * (len(columns) - 1) - width
    while excess > 0:
        slack = [room if room > needed else 0 for room, needed in zip(natural, least, strict=True)]
        widest = max(slack)
        if not widest:
            break
        natural[slack.index(widest)] -= 1
        excess -= 1
    return natural


def _longest_word(text: str) -> int:
    lengths = [cell_len(word) for word in text.split()]
    return max((length for length in lengths if length <= MAX_WHOLE_WORD), default=1)


def _pieces(text: str, room: int) -> list[str]:
    if cell_len(text) <= room:
        return [text]
    return textwrap.wrap(text, room, break_on_hyphens=False) or [""]
