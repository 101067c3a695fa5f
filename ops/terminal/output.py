"""How commands speak: to people on stdout; to scripts with JSON there, and all else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated

import typer
from rich.console import Console, JustifyMethod
from rich.table import Table

from ops.terminal.errors import WrongUsageError
from services.core.text import clean

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts, and nothing else.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be done, change nothing.")
]

LONGEST = 1_000
DASH = "-"
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def announce(what: object, *, as_json: bool) -> None:
    """Says what is about to be touched, before anything is."""
    typer.echo(f"{what}\n" if not as_json else str(what), err=as_json)


def note(text: str) -> None:
    """Says something beside the result."""
    typer.echo(text, err=True)


def show_json(value: object) -> None:
    """Writes the result for a script."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def console() -> Console:
    """The terminal, or 80 columns of plain text."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def show_table(terminal: Console, headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes rows under their headers: numbers at the right, ids in one piece."""
    cells = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False)
    for header, column in zip(headers, zip(*cells, strict=True), strict=True):
        of_numbers = all(isinstance(cell, int | float) or cell is None for cell in column)
        justify: JustifyMethod = "right" if of_numbers else "left"
        table.add_column(header, justify=justify, overflow="fold", no_wrap=header.endswith("id"))
    for row in cells:
        table.add_row(*map(_cell, row))
    terminal.print(table)


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        return f"{value:,}"
    return plain(value)


def confirmed(question: str) -> bool:
    """Asks before something changes.

    Raises:
        WrongUsageError: there is nobody who could answer.
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
    """Sees that a script is not asked anything.

    Raises:
        WrongUsageError: it would be.
    """
    if as_json and not (yes or dry_run):
        raise WrongUsageError("--json asks no questions: add --yes or --dry-run")


def plain(text: object) -> str:
    """Text of strangers as one line, without what a terminal would obey."""
    return clean(str(text or ""), LONGEST) or DASH


def spoken(seconds: float) -> str:
    """A duration as people say it: `40 s`, `12 min`, `3 h 5 min`, `4 d 2 h`."""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def counted(number: int, noun: str) -> str:
    """`1 lead`, `2 leads`, `1,200 leads`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
