"""Run SQL on D1 through wrangler.

Statements are constants. The only variable parts are checked numbers, members of an enum and
hex-encoded text, because wrangler takes no parameters: untrusted input never becomes SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import RefusedError, WranglerCommand
from ops.terminal.errors import NoAnswerError

Row = dict[str, Any]

MAX_IDS_PER_STATEMENT = 500


class MissingSchemaError(NoAnswerError):
    """The database answers, and lacks a table, a column or an index."""


@dataclass(frozen=True, slots=True)
class Database:
    """The D1 database of a target."""

    target: Target

    def ask(self, *statements: str) -> Sequence[Sequence[Row]]:
        """Run the statements in one request and return the rows of each.

        Raises:
            NoAnswerError: wrangler or D1 failed.
        """
        try:
            return [answer["results"] for answer in self._execute_command(statements).read_json()]
        except RefusedError as error:
            raise self._error(str(error)) from None
        except (LookupError, TypeError):
            raise NoAnswerError("wrangler answered without rows: is its version right?") from None

    def command(self, *statements: str) -> str:
        """Return the shell command that `ask` runs."""
        return str(self._execute_command(statements))

    def _execute_command(self, statements: Iterable[str]) -> WranglerCommand:
        sql = "; ".join(" ".join(statement.split()) for statement in statements)
        arguments = ("d1", "execute", *self.target.arguments(), "--json", "--command", sql)
        return WranglerCommand(arguments, self.target.config)

    def _error(self, complaint: str) -> NoAnswerError:
        if any(f"no such {kind}" in complaint for kind in ("table", "column", "index")):
            # Not the migrations first: where the tables are gone, they hide that.
            options = "--local" if self.target.environment is None else "--env production"
            return MissingSchemaError(
                f"the database lacks tables or migrations ({complaint}): "
                f"./ppp status {options} says what to do first"
            )
        return NoAnswerError(f"the database did not answer: {complaint}")


def integer_list(values: Iterable[int]) -> str:
    """Return integers as SQL for `IN (…)`."""
    return ", ".join(str(int(value)) for value in values)


def text_literal(text: str) -> str:
    """Return untrusted text as an SQL expression that holds it in hex."""
    return f"CAST(x'{text.encode(errors='replace').hex()}' AS TEXT)"


def id_batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """Split ids into batches that fit a statement, of which D1 allows 100 KB."""
    for start in range(0, len(ids), MAX_IDS_PER_STATEMENT):
        yield ids[start : start + MAX_IDS_PER_STATEMENT]
