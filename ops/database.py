"""D1, through wrangler: SQL goes in, rows come back.

Statements are constants of ours. What varies in them is a number that was checked, a word of an
enum, or the digits of a text; nothing that somebody typed becomes SQL.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ops.errors import NoAnswerError
from ops.target import Target
from wrangler import WranglerError, wrangler

Row = dict[str, Any]

MOST_IDS = 500
# Within double quotes these mean something to a shell.
_SPECIAL = frozenset('"$`\\!')


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
            said = wrangler(*self._arguments(statements), config=self.target.config)
            return [answer["results"] for answer in json.loads(said[said.index("[") :])]
        except WranglerError as error:
            raise NoAnswerError(self._explain(_complaint(str(error)))) from None
        except (ValueError, LookupError, TypeError):
            raise NoAnswerError("wrangler answered without JSON: is its version right?") from None

    def command(self, *statements: str) -> str:
        """What `ask` runs, for a shell."""
        config = ("--config", self.target.config.name) if self.target.config else ()
        words = ("npx", "wrangler", *self._arguments(statements), *config)
        return " ".join(_quoted(word) for word in words)

    def _arguments(self, statements: Iterable[str]) -> tuple[str, ...]:
        sql = "; ".join(" ".join(statement.split()) for statement in statements)
        return ("d1", "execute", *self.target.arguments(), "--json", "--command", sql)

    def _explain(self, complaint: str) -> str:
        if "CLOUDFLARE_API_TOKEN" in complaint:
            return (
                "wrangler is not logged in at Cloudflare: "
                "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN"
            )
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
    for start in range(0, len(ids), MOST_IDS):
        yield ids[start : start + MOST_IDS]


def _complaint(said: str) -> str:
    """The one sentence in what wrangler says when it fails, which is JSON as far as D1 is asked."""
    try:
        said = json.JSONDecoder().raw_decode(said, said.index("{"))[0]["error"]["text"]
    except (ValueError, LookupError, TypeError):
        said = said.partition("\n")[2]
    return " ".join(said.split())[:300]


def _quoted(word: str) -> str:
    """The word for a shell; SQL in double quotes, because it has single ones itself."""
    if "'" in word and not _SPECIAL.intersection(word):
        return f'"{word}"'
    return shlex.quote(word)
