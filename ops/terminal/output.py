"""How commands print: results to stdout, as text or JSON, and everything else to stderr."""

from __future__ import annotations

import json
import re
import select
import sys
from collections.abc import Iterable, Mapping, Sequence
from io import BufferedReader

import typer
from rich.console import Console
from rich.text import Text

from ops.terminal.errors import WrongUsageError
from ops.terminal.table_layout import table_lines
from services.core.text import clean

MAX_TEXT_CHARACTERS = 1_000
DASH = "-"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def announce(target: object, *, as_json: bool) -> None:
    """Print what the command works on, before it begins."""
    typer.echo(f"{target}\n" if not as_json else str(target), err=as_json)


def announce_list(target: object) -> None:
    """Print what the command reads, to stderr: its list is for pipes, too."""
    typer.echo(str(target), err=True)


def note(text: str) -> None:
    """Print a line to stderr."""
    typer.echo(text, err=True)


def show_json(value: object) -> None:
    """Print the result as JSON."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> Console:
    """Return stdout. No text is broken here: a terminal breaks it where it must."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)


def show_table(
    terminal: Console,
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    colours: Mapping[str, str] | None = None,
) -> None:
    """Print a table with numbers aligned to the right; where it is piped, one line for each row.

    On a terminal texts are broken between words, ids never. `colours` are those of single cells.
    """
    cells = [list(row) for row in rows]
    numeric = [
        all(isinstance(cell, int | float) or cell is None for cell in column)
        for column in zip(*cells, strict=True)
    ]
    texts = [list(headers), *([_cell_text(cell) for cell in row] for row in cells)]
    width = terminal.width if terminal.is_terminal else None
    head, *body = table_lines(texts, numeric, width)
    terminal.print(head, style="bold")
    for line in body:
        text = Text(line)
        for cell, colour in (colours or {}).items():
            text.highlight_regex(rf"(?:^|  ){re.escape(cell)}(?=  |$)", colour)
        terminal.print(text)


def _cell_text(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,}"
    # None is cut: what stands at a text's end may be what it is about.
    text = str(value or "")
    return clean(text, len(text)) or DASH


def confirm(question: str) -> bool:
    """Ask a yes-or-no question and return whether the answer is yes.

    Raises:
        WrongUsageError: stdin ended before an answer.
    """
    try:
        answer = typer.confirm(question)
    except typer.Abort:
        typer.echo()
        raise WrongUsageError("nothing was changed: answer y, or add --yes") from None
    if not answer:
        typer.echo("nothing was changed")
    return answer


def require_no_question(*, as_json: bool, yes: bool, dry_run: bool) -> None:
    """Check that the options leave no question to ask where the output is JSON.

    Raises:
        WrongUsageError: --json is given without --yes or --dry-run.
    """
    if as_json and not (yes or dry_run):
        raise WrongUsageError("--json asks no questions: add --yes or --dry-run")


def require_answerable(*, yes: bool, dry_run: bool) -> None:
    """Check before long work that somebody can answer the question at its end.

    Raises:
        WrongUsageError: stdin has ended already, and neither --yes nor --dry-run is given.
    """
    if not (yes or dry_run) and _is_stdin_over():
        raise WrongUsageError("nobody can answer here (stdin has ended): add --yes or --dry-run")


def _is_stdin_over() -> bool:
    """Return whether stdin has nothing more to read; a pipe may get its answer later."""
    if sys.stdin is None or sys.stdin.closed:
        return True
    buffer = getattr(sys.stdin, "buffer", None)
    if not isinstance(buffer, BufferedReader) or sys.stdin.isatty():
        return False
    readable, _, _ = select.select([buffer], [], [], 0)
    return bool(readable) and not buffer.peek(1)


def plain(text: object) -> str:
    """Return untrusted text as one line without control characters; a dash if it is empty."""
    return clean(str(text or ""), MAX_TEXT_CHARACTERS) or DASH


def format_duration(seconds: float) -> str:
    """Return a duration in its two largest units: `40 s`, `12 min`, `3 h 5 min`, `4 d 2 h`."""
    rounded = max(0, round(seconds))
    if rounded < MINUTE:
        return f"{rounded} s"
    if rounded < HOUR:
        return f"{rounded // MINUTE} min"
    if rounded < DAY:
        return f"{rounded // HOUR} h {rounded % HOUR // MINUTE} min"
    return f"{rounded // DAY} d {rounded % DAY // HOUR} h"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 lead`, `2 leads`, `1,200 leads`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
