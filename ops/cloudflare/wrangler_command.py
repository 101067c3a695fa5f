"""One wrangler command, run or printed for a shell."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from build_hook import FORCE_VARIABLE
from ops.terminal.errors import NoAnswerError
from paths import ROOT
from wrangler import WranglerError, wrangler, wrangler_report

# A command of ours has made its own checks.
_CHECKED = {FORCE_VARIABLE: "1"}
# A shell interprets these within double quotes.
_SPECIAL = frozenset('"$`\\!')
_JSON = re.compile(r"^[\[{]", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MESSAGE_START, _MESSAGE_END = "[ERROR]", "\U0001fab5"
# Before the same message once more, with where wrangler noticed it.
_REPEATED = "\N{HEAVY BALLOT X}"
_ADVICE = "If you think this is a bug"
_REQUEST = re.compile(r"^A request to the Cloudflare API \(\S*\) failed\. ?")
MAX_MESSAGE_CHARACTERS = 1_000
NOT_LOGGED_IN = (
    "wrangler is not logged in at Cloudflare: run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN"
)


class RefusedError(NoAnswerError):
    """wrangler failed; the message is its own, in one line."""


@dataclass(frozen=True, slots=True)
class WranglerCommand:
    """The arguments of `wrangler`. A `config` of None is wrangler.toml.

    Every method that runs it raises RefusedError if wrangler fails, and NoAnswerError if it is not
    logged in.
    """

    arguments: tuple[str, ...]
    config: Path | None

    def __str__(self) -> str:
        config = ("--config", _relative_to_root(self.config)) if self.config else ()
        return " ".join(_shell_word(word) for word in ("npx", "wrangler", *self.arguments, *config))

    def run(self) -> str:
        """Run the command and return its output."""
        try:
            return wrangler(*self.arguments, config=self.config, variables=_CHECKED)
        except WranglerError as error:
            raise _refusal(str(error)) from None

    def read_json(self) -> Any:  # noqa: ANN401  # whatever wrangler was asked for
        """Run the command and read the JSON of its output, which may follow other text."""
        start = _JSON.search(output := self.run())
        try:
            return json.loads(output[start.start() if start else 0 :])
        except ValueError:
            raise NoAnswerError("wrangler answered without JSON: is its version right?") from None

    def report(self) -> Sequence[dict[str, Any]]:
        """Run the command and return the entries that wrangler writes for scripts."""
        try:
            return wrangler_report(*self.arguments, config=self.config, variables=_CHECKED)
        except WranglerError as error:
            raise _refusal(str(error)) from None


def _refusal(output: str) -> NoAnswerError:
    message = _error_message(output)
    if "CLOUDFLARE_API_TOKEN" in message:
        return NoAnswerError(NOT_LOGGED_IN)
    return RefusedError(message)


def _error_message(output: str) -> str:
    """Return the error message in wrangler's output, which is JSON for commands of D1."""
    try:
        error = json.JSONDecoder().raw_decode(output, output.index("{"))[0]["error"]
        text = " ".join([error["text"], *(hint["text"] for hint in error.get("notes", ()))])
    except (ValueError, LookupError, TypeError):
        text = _COLOUR.sub("", output).partition("\n")[2]
        text = (text.partition(_MESSAGE_START)[2] or text).partition(_MESSAGE_END)[0]
        text = text.partition(_REPEATED)[0].strip() or text
    message = " ".join(text.partition(_ADVICE)[0].split())
    # What the API answered says more than its address.
    return (_REQUEST.sub("", message) or message)[:MAX_MESSAGE_CHARACTERS]


def _relative_to_root(file: Path) -> str:
    return str(file.relative_to(ROOT) if file.is_relative_to(ROOT) else file)


def _shell_word(word: str) -> str:
    """Quote a word for a shell: SQL in double quotes, because it contains single ones."""
    if "'" in word and not _SPECIAL.intersection(word):
        return f'"{word}"'
    return shlex.quote(word)
