"""One command of wrangler: run, or written down for a shell, in the very same words."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.terminal.errors import NoAnswerError
from paths import ROOT
from wrangler import WranglerError, wrangler, wrangler_report

# Within double quotes these mean something to a shell.
_SPECIAL = frozenset('"$`\\!')
_JSON = re.compile(r"^[\[{]", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BEFORE, _AFTER = "[ERROR]", "\U0001fab5"
NOT_LOGGED_IN = (
    "wrangler is not logged in at Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN"
)


class RefusedError(NoAnswerError):
    """wrangler failed; the message is the one sentence that it said."""


@dataclass(frozen=True, slots=True)
class Command:
    """The words behind `wrangler`. A `config` of None is wrangler.toml.

    All that runs it raises RefusedError where wrangler fails, and NoAnswerError where nobody is
    logged in.
    """

    words: tuple[str, ...]
    config: Path | None

    def __str__(self) -> str:
        config = ("--config", _from_root(self.config)) if self.config else ()
        return " ".join(_quoted(word) for word in ("npx", "wrangler", *self.words, *config))

    def run(self) -> str:
        """Runs it and returns what it said."""
        try:
            return wrangler(*self.words, config=self.config)
        except WranglerError as error:
            raise _refusal(str(error)) from None

    def read_json(self) -> Any:  # noqa: ANN401  # whatever wrangler was asked for
        """Runs it and reads the JSON that it says, with or without words before it."""
        begins = _JSON.search(said := self.run())
        try:
            return json.loads(said[begins.start() if begins else 0 :])
        except ValueError:
            raise NoAnswerError("wrangler answered without JSON: is its version right?") from None

    def report(self) -> Sequence[dict[str, Any]]:
        """Runs it and returns what wrangler notes for programs, such as a version's id."""
        try:
            return wrangler_report(*self.words, config=self.config)
        except WranglerError as error:
            raise _refusal(str(error)) from None


def _refusal(said: str) -> NoAnswerError:
    complaint = _complaint(said)
    if "CLOUDFLARE_API_TOKEN" in complaint:
        return NoAnswerError(NOT_LOGGED_IN)
    return RefusedError(complaint)


def _complaint(said: str) -> str:
    """The one sentence in what wrangler says when it fails, which is JSON as far as D1 is asked."""
    try:
        said = json.JSONDecoder().raw_decode(said, said.index("{"))[0]["error"]["text"]
    except (ValueError, LookupError, TypeError):
        said = _COLOUR.sub("", said).partition("\n")[2]
        said = (said.partition(_BEFORE)[2] or said).partition(_AFTER)[0]
    return " ".join(said.split())[:300]


def _from_root(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


def _quoted(word: str) -> str:
    """The word for a shell; SQL in double quotes, because it has single ones itself."""
    if "'" in word and not _SPECIAL.intersection(word):
        return f'"{word}"'
    return shlex.quote(word)
