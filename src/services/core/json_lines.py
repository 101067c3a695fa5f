"""Rows as JSON lines, made by SQLite and read page by page: Python only hands them on."""

from __future__ import annotations

from collections.abc import Sequence

# A page of the longest rows that can be stored must fit into an isolate, several times over.
FEWEST_ROWS = 100
PAGE_ROWS = 1_000
PAGE_CHARACTERS = 1_500_000
# Above every id that SQLite gives.
AFTER_ALL_IDS = 2**63 - 1

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


def rows_of_next_page(lines: Sequence[str], most: int = PAGE_ROWS) -> int:
    """How many rows the next page has, judged by how long those of this one are."""
    fitting = PAGE_CHARACTERS * len(lines) // max(1, sum(map(len, lines)))
    return max(FEWEST_ROWS, min(most, fitting, 2 * len(lines)))
