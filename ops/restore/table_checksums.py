"""Whether two databases hold the same rows: the same statements asked of both.

SQLite has no digest. So of each column of all rows the values are counted and summed up (numbers as
they are, texts as their bytes and last letters), and some rows, evenly spread, are compared whole:
all of a small table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Protocol

from ops.restore.staging_database import Staging, Table

# D1 answers with at most 100 columns, and two are asked of each.
_COLUMNS = 40
SAMPLED_ROWS = 200
# Whole numbers only: two versions of SQLite add fractions up differently.
_MEASURE = """
iif(
  typeof("{column}") = 'text',
  length(CAST("{column}" AS BLOB)) + coalesce(unicode(substr("{column}", -1)), 0),
  CAST("{column}" AS INTEGER)
)
"""

Answers = Sequence[Sequence[Mapping[str, Any]]]


class CanAnswer(Protocol):
    """A database: it runs statements and returns the rows of each."""

    def ask(self, *statements: str) -> Answers:
        """Raises NoAnswerError if it does not answer."""


@dataclass(frozen=True, slots=True)
class Questions:
    """Statements about one table: `sums` of all rows that `condition` names, and `rows` of some."""

    table: Table
    condition: str = "true"

    def sums(self) -> Sequence[str]:
        """The number of rows; of each column the number of values and a sum."""
        return [
            f'SELECT count(*) AS "rows", {self._measured(start)}'
            f' FROM "{self.table.name}" WHERE {self.condition}'
            for start in range(0, len(self.table.columns), _COLUMNS)
        ]

    def sample(self, rows: int) -> str:
        """Some of `rows` rows, evenly spread, in the order of their keys."""
        columns = ", ".join(f'"{each}"' for each in self.table.columns)
        order = ", ".join(self.table.key)
        return f"""
          SELECT {columns} FROM (
            SELECT *, row_number() OVER (ORDER BY {order}) AS "place"
            FROM "{self.table.name}" WHERE {self.condition}
          ) WHERE "place" % {max(1, rows // SAMPLED_ROWS)} = 0 ORDER BY "place"
        """

    def _measured(self, start: int) -> str:
        return ", ".join(
            f'count("{column}") AS "{column}: values", '
            f'total({_MEASURE.format(column=column)}) AS "{column}: sum"'
            for column in self.table.columns[start : start + _COLUMNS]
        )


def answers_of_staging(staging: Staging, statements: Sequence[str]) -> Answers:
    """What the database on this machine answers, as D1 would."""
    found = []
    for statement in statements:
        read = staging.database.execute(statement)
        names = [column[0] for column in read.description]
        found.append([dict(zip(names, row, strict=True)) for row in read])
    return found


def differences(
    staging: Staging, database: CanAnswer, questions: Sequence[Questions]
) -> Mapping[str, Sequence[str]]:
    """What the database does not hold as it was put together, by table; empty if all is the same.

    Raises:
        NoAnswerError: the database does not answer.
    """
    counts = staging.counts()
    statements = [[*each.sums(), each.sample(counts[each.table.name])] for each in questions]
    answers = iter(database.ask(*chain.from_iterable(statements)))
    found: dict[str, Sequence[str]] = {}
    for each, said in zip(questions, statements, strict=True):
        expected = answers_of_staging(staging, said)
        if unlike := _compared(each.table.name, expected, [next(answers) for _ in said]):
            found[each.table.name] = unlike
    return found


def _compared(table: str, expected: Answers, answered: Answers) -> Sequence[str]:
    found: list[str] = []
    for [wanted], [got] in zip(expected[:-1], answered[:-1], strict=True):
        if wanted["rows"] != got["rows"]:
            return [f"{table} has {got['rows']:,} rows, not {wanted['rows']:,}"]
        found += [
            f"{table}.{name} are {got[name]:,}, not {wanted[name]:,}"
            for name in wanted
            if got[name] != wanted[name]
        ]
    pairs = zip_longest(expected[-1], answered[-1])
    if unlike := sum(wanted != got for wanted, got in pairs):
        found.append(f"{table}: {unlike} of {len(expected[-1])} rows compared whole are different")
    return found
