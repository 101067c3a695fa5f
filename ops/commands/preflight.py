"""`ppp preflight`: whether this may be deployed, and if not, why and what to do."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.cloudflare.account import described, find_account
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.commands.fields import DEFAULT_MAP
from ops.deploy.check_verdict import Finding
from ops.deploy.facts import Facts
from ops.deploy.preflight_checks import Preflight, Wanted, are_fine, as_objects
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.output import AsJson, announce, console, counted, plain, show_json

HOURS = 26.0
COLOURS = {"pass": "green", "fail": "red", "skipped": "yellow"}

MapFile = Annotated[
    Path, typer.Option("--map", metavar="FILE", help="The field map, if it shall be compared.")
]
MaxAge = Annotated[
    float, typer.Option("--max-backup-age", min=0.1, metavar="HOURS", help="Of the last backup.")
]
Without = Annotated[
    list[str] | None,
    typer.Option("--without", metavar="SECRET", help="Go without it; may be repeated."),
]
Accept = Annotated[
    str | None,
    typer.Option(
        "--accept-database",
        metavar="ID",
        help="This database is new here and right: empty on purpose, or restored into.",
    ),
]
First = Annotated[
    bool,
    typer.Option("--first", help="Over a Worker that makes no backups, as the JavaScript one."),
]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp preflight --env production")
def preflight(
    *,
    local: Local = False,
    env: Env = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this; repeatable.")
    ] = None,
    first: First = False,
    accept_database: Accept = None,
    without: Without = None,
    max_backup_age: MaxAge = HOURS,
    field_map: MapFile = DEFAULT_MAP,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Says whether this checkout may be deployed, and if not, why and what to do.

    Nothing is changed. The checks: database, migrations, rows, backup, traffic, secrets, fields,
    bundle, snapshot. Exits with 1 if one fails.
    """
    target = choose_target(env, persist_to, local=local)
    wanted = Wanted(field_map, max_backup_age, without or (), accept_database, first)
    announce(described(target, find_account(target)), as_json=as_json)
    with tempfile.TemporaryDirectory() as folder:
        made = Preflight(Facts(target, Path(folder)), wanted)
        unknown = set(only or ()).difference(made.checks())
        if unknown:
            known = ", ".join(made.checks())
            raise WrongUsageError(f"there is no check {min(unknown)}: they are {known}")
        findings = made.findings(only or ())
    if as_json:
        show_json({"environment": target.name, "fine": are_fine(findings), **as_objects(findings)})
    else:
        show(console(), findings)
    return ExitCode.FINE if are_fine(findings) else ExitCode.PROBLEMS


def show(terminal: Console, findings: Mapping[str, Finding]) -> None:
    """The findings for a person: a table, then what to do."""
    table = Table("Check", "Verdict", "Why", box=None, pad_edge=False)
    for name, each in findings.items():
        table.add_row(name, Text(each.verdict, COLOURS[each.verdict]), plain(each.why))
    terminal.print(table)
    failing = {name: each for name, each in findings.items() if each.verdict == "fail"}
    for name, each in failing.items():
        terminal.print(f"\n{name}, next: {each.next_step}", soft_wrap=True)
    verdict = f"{counted(len(failing), 'check')} failed" if failing else "nothing stands against it"
    typer.echo(f"\n{verdict}")
