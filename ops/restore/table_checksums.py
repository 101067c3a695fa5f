"""Compares the rows of two databases by the answers to the same queries.

SQLite has no digest. So the values of each column are counted and summed up (a text by its length
in bytes and its last letter), and a sample of complete rows is compared, which is every row of a
small table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice, zip_longest
from typing import Any, Protocol

from ops.restore.staging_database import StagingDatabase, Table

# D1 answers with at most 100 columns, and each column here takes two.
_MAX_COLUMNS = 40
SAMPLED_ROWS = 200
# Integers only: versions of SQLite differ in how they sum floats.
_MEASURE = """
iif(
  typeof("{column}") = 'text',
  length(CAST("{column}" AS BLOB)) + coalesce(unicode(substr("{column}", -1)), 0),
  CAST("{column}" AS INTEGER)
)
"""

ResultSets = Sequence[Sequence[Mapping[str, Any]]]


class Queryable(Protocol):
    """A database that runs statements and returns the rows of each."""

    def ask(self, *statements: str) -> ResultSets:
        """Raises NoAnswerError if it does not answer."""


@dataclass(frozen=True, slots=True)
class TableChecksum:
    """The statements that compare the rows of one table which meet `condition`."""

    table: Table
    condition: str = "true"

    def sums(self) -> Sequence[str]:
        """Build the statements that count the rows, and count and sum up each column."""
        return [
            f'SELECT count(*) AS "rows", {self._measured(start)}'
            f' FROM "{self.table.name}" WHERE {self.condition}'
            for start in range(0, len(self.table.columns), _MAX_COLUMNS)
        ]

    def sample(self, rows: int) -> str:
        """Build the statement that reads a sample of `rows` rows, evenly spread, in key order."""
        columns = ", ".join(f'"{name}"' for name in self.table.columns)
        order = ", ".join(self.table.key)
        return f"""
          SELECT {columns} FROM (
            SELECT *, row_number() OVER (ORDER BY {order}) AS "position"
            FROM "{self.table.name}" WHERE {self.condition}
          ) WHERE "position" % {max(1, rows // SAMPLED_ROWS)} = 0 ORDER BY "position"
        """

    def _measured(self, start: int) -> str:
        return ", ".join(
            f'count("{column}") AS "{column}: values", '
            f'total({_MEASURE.format(column=column)}) AS "{column}: sum"'
            for column in self.table.columns[start : start + _MAX_COLUMNS]
        )


def query_staging(staging: StagingDatabase, statements: Sequence[str]) -> ResultSets:
    """Run statements in the staging database, and return their rows as D1 would."""
    result_sets = []
    for statement in statements:
        cursor = staging.database.execute(statement)
        names = [column[0] for column in cursor.description]
        result_sets.append([dict(zip(names, row, strict=True)) for row in cursor])
    return result_sets


def differences(
    staging: StagingDatabase, database: Queryable, checksums: Sequence[TableChecksum]
) -> Mapping[str, Sequence[str]]:
    """Describe how the database differs from the staging database, by table.

    Raises:
        NoAnswerError: the database does not answer.
    """
    counts = staging.row_counts()
    statements = [[*table.sums(), table.sample(counts[table.table.name])] for table in checksums]
    # Each takes a minute for a million events: both at once.
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(database.ask, *chain.from_iterable(statements))
        expected_results = [
            query_staging(staging, table_statements) for table_statements in statements
        ]
        results = iter(answers.result())
    by_table: dict[str, Sequence[str]] = {}
    for checksum, expected in zip(checksums, expected_results, strict=True):
        name = checksum.table.name
        if different := _compare(name, expected, list(islice(results, len(expected)))):
            by_table[name] = different
    return by_table


def _compare(table: str, expected: ResultSets, actual: ResultSets) -> Sequence[str]:
    problems: list[str] = []
    for [expected_sums], [actual_sums] in zip(expected[:-1], actual[:-1], strict=True):
        if expected_sums["rows"] != actual_sums["rows"]:
            return [f"{table} has {actual_sums['rows']:,} rows, not {expected_sums['rows']:,}"]
        problems += [
            f"{table}.{name} are {actual_sums[name]:,}, not {expected_sum:,}"
            for name, expected_sum in expected_sums.items()
            if actual_sums[name] != expected_sum
        ]
    pairs = zip_longest(expected[-1], actual[-1])
    if different := sum(row != other for row, other in pairs):
        problems.append(
            f"{table}: {different} of {len(expected[-1])} rows compared whole are different"
        )
    return problems
