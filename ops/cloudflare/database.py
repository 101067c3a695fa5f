"""D1, through wrangler: SQL goes in, rows come back.

Statements are constants of ours. What varies in them is a number that was checked, a word of an
enum, or the digits of a text; nothing that somebody typed becomes SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import Command, RefusedError
from ops.terminal.errors import NoAnswerError

Row = dict[str, Any]

MAX_IDS = 500


@dataclass(frozen=True, slots=True)
class Database:
    """The D1 database of a target."""

    target: Target

    def ask(self, *statements: str) -> Sequence[Sequence[Row]]:
        """Runs the statements in one go and returns the rows of each.

        Raises:
            NoAnswerError: wrangler, or D1 behind it, failed.
        """
        try:
            return [answer["results"] for answer in self._asked(statements).read_json()]
        except RefusedError as error:
            raise NoAnswerError(self._explain(str(error))) from None
        except (LookupError, TypeError):
            raise NoAnswerError("wrangler answered without rows: is its version right?") from None

    def command(self, *statements: str) -> str:
        """What `ask` runs, for a shell."""
        return str(self._asked(statements))

    def _asked(self, statements: Iterable[str]) -> Command:
        sql = "; ".join(" ".join(statement.split()) for statement in statements)
        words = ("d1", "execute", *self.target.arguments(), "--json", "--command", sql)
        return Command(words, self.target.config)

    def _explain(self, complaint: str) -> str:
        if any(f"no such {each}" in complaint for each in ("table", "column", "index")):
            remedy = "`make deploy`" if self.target.environment else "`make dev`"
            return f"the database lacks migrations, which {remedy} applies ({complaint})"
        return f"the database did not answer: {complaint}"


def numbers(values: Iterable[int]) -> str:
    """A list of numbers for `IN (…)`."""
    return ", ".join(str(int(value)) for value in values)


def text_literal(text: str) -> str:
    """A text that somebody typed, as SQL that consists of its digits."""
    return f"CAST(x'{text.encode(errors='replace').hex()}' AS TEXT)"


def portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """The ids, at most 500 at a time: D1 allows a statement 100 KB."""
    for start in range(0, len(ids), MAX_IDS):
        yield ids[start : start + MAX_IDS]
