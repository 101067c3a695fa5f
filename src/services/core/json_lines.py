"""Rows as JSON lines, made by SQLite and read page by page; Python only passes them on."""

from __future__ import annotations

from collections.abc import Sequence

# A page of the longest rows that can be stored must fit into an isolate, several times over.
MIN_ROWS = 100
MAX_PAGE_LINES = 1_000
PAGE_CHARACTERS = 1_500_000
# Greater than every id that SQLite assigns.
ABOVE_MAX_ROWID = 2**63 - 1

# D1 allows a function 32 arguments.
_ARGUMENTS = 20


def joined(expressions: Sequence[str]) -> str:
    """The SQL of the expressions' values with commas between them."""
    groups = [
        f"concat_ws(',', {', '.join(expressions[start : start + _ARGUMENTS])})"
        for start in range(0, len(expressions), _ARGUMENTS)
    ]
    return f"concat_ws(',', {', '.join(groups)})"


def json_line(columns: Sequence[str]) -> str:
    """The SQL of a row as one JSON object on one line, with these columns by their names."""
    return f"'{{' || {joined([_member(column) for column in columns])} || '}}'"


def _member(column: str) -> str:
    return f"""'"{column}":' || json_quote({column})"""


def rows_of_next_page(lines: Sequence[str], limit: int = MAX_PAGE_LINES) -> int:
    """How many rows the next page may have, judged by the length of the lines of this one."""
    fitting_rows = PAGE_CHARACTERS * len(lines) // max(1, sum(map(len, lines)))
    return max(MIN_ROWS, min(limit, fitting_rows, 2 * len(lines)))
