"""How commands speak: to people on stdout; to scripts with JSON there, and all else on stderr."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from services.text import clean

AsJson = Annotated[bool, typer.Option("--json", help="JSON for scripts, and nothing else.")]

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
