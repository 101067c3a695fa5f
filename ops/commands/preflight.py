"""`ppp preflight`: may this checkout be deployed; if not, why and what to do."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from build_hook import record_preflight
from ops.cloudflare.account import describe_target, find_account
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.commands.fields import DEFAULT_MAP
from ops.deploy.check_result import CheckResult
from ops.deploy.checkout import note_unknown_code
from ops.deploy.facts import DeploymentFacts
from ops.deploy.preflight_checks import Preflight, PreflightOptions, all_passed, results_as_json
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import announce, console, counted, note, show_json, show_table

DEFAULT_MAX_BACKUP_HOURS = 26.0
NOTHING_AGAINST = "nothing stands against it"
COLOURS = {"pass": "green", "fail": "red", "skipped": "yellow"}

MapFile = Annotated[
    Path, typer.Option("--map", metavar="FILE", help="The field map to compare with the account.")
]
MaxBackupAge = Annotated[
    float,
    typer.Option(
        "--max-backup-age", min=0.1, metavar="HOURS", help="Refuse if the last backup is older."
    ),
]
OptionalSecrets = Annotated[
    list[str] | None,
    typer.Option(
        "--without",
        metavar="SECRET",
        help="Deploy although this secret is missing; may be repeated.",
    ),
]
AcceptedDatabase = Annotated[
    str | None,
    typer.Option(
        "--accept-database",
        metavar="ID",
        help="Accept this database, which is new here: empty on purpose, or restored.",
    ),
]
FirstDeployment = Annotated[
    bool,
    typer.Option(
        "--first", help="Replace a Worker that makes no backups, such as the JavaScript one."
    ),
]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp preflight --env production")
def preflight(
    *,
    local: Local = False,
    env: Env = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="Make only this check; may be repeated."),
    ] = None,
    first: FirstDeployment = False,
    accept_database: AcceptedDatabase = None,
    optional_secrets: OptionalSecrets = None,
    max_backup_age: MaxBackupAge = DEFAULT_MAX_BACKUP_HOURS,
    field_map: MapFile = DEFAULT_MAP,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Checks whether this checkout may be deployed.

    Says for each check that fails why, and what to do. Changes nothing. The checks: database, loss,
    migrations, rows, jobs (what those of the next day delete or move), projects (what the
    JavaScript Worker read in another way), backup, traffic, secrets, settings, fields, bundle,
    snapshot. Exits with 1 if one fails.
    """
    target = choose_target(env, persist_to, local=local)
    options = PreflightOptions(
        field_map, max_backup_age, optional_secrets or (), accept_database, first
    )
    announce(describe_target(target, find_account(target)), as_json=as_json)
    note_unknown_code()
    with tempfile.TemporaryDirectory() as folder:
        preflight = Preflight(DeploymentFacts(target, Path(folder)), options, note_check)
        unknown = set(only or ()).difference(preflight.checks())
        if unknown:
            names = ", ".join(preflight.checks())
            raise WrongUsageError(f"there is no check {min(unknown)}: they are {names}")
        results = preflight.run(only or ())
    fine = all_passed(results)
    if fine and target.environment and not only:
        record_preflight()
    if as_json:
        show_json({"environment": target.name, "fine": fine, **results_as_json(results)})
    else:
        show_results(console(), results)
    return ExitCode.FINE if fine else ExitCode.PROBLEMS


def note_check(name: str) -> None:
    """Print which check is made."""
    note(f"checking: {name}")


def show_results(terminal: Console, results: Mapping[str, CheckResult]) -> None:
    """Print a table of the results, then the next step of each failure."""
    rows = [(name, result.verdict, result.reason) for name, result in results.items()]
    show_table(terminal, ("check", "verdict", "why"), rows, COLOURS)
    failures = {name: result for name, result in results.items() if result.verdict == "fail"}
    for name, result in failures.items():
        terminal.print(f"\n{name}, next: {result.next_step}")
    summary = f"{counted(len(failures), 'check')} failed" if failures else NOTHING_AGAINST
    typer.echo(f"\n{summary}")
