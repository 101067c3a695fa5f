"""`ppp restore`: a new database from a backup, or the live one at an earlier time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.backup.choose_backup import BackupChooser, backups_in_bucket, read_time, show_backups
from ops.cloudflare import new_database as named_database
from ops.cloudflare.database import Database
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.restore.identity import accept_restored, identify_restored
from ops.restore.local_switch import (
    read_as_worker,
    replay_locally,
    serve_locally,
    wait_until_served,
)
from ops.restore.lost_events import find_lost_events
from ops.restore.restore_report import RestoreReport
from ops.restore.restore_steps import (
    PreparedRestore,
    completed_steps,
    describe,
    fill_database,
    prepare_restore,
    verify_database,
)
from ops.restore.sql_files import read_state
from ops.restore.time_travel import travel_back
from ops.terminal.errors import ExitCode, OpsError, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import (
    announce,
    confirm,
    console,
    counted,
    note,
    require_answerable,
    require_no_question,
    show_json,
)
from ops.terminal.workspace import workspace

MAX_SHOWN = 10
REPLAY_LATER = "Events that wait in R2 are stored by the cron, or at once by ./ppp replay."


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """Which backup is to be restored, and into which database."""

    backup: str | None
    before: datetime | None
    name: str | None
    overwrite: bool


commands = typer.Typer()


@commands.command(epilog="Example: ./ppp restore --env production --at 2026-11-21T03:00")
def restore(
    *,
    local: Local = False,
    env: Env = None,
    backup: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Restore this backup.  [default: the newest verified]"),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Restore the newest backup from before this time."),
    ] = None,
    new_name: Annotated[
        str | None,
        typer.Option(
            "--into",
            metavar="NAME",
            help="The database to fill, empty or new.  [default: a new one]",
        ),
    ] = None,
    overwrite: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Empty the database named by --into first; repeat its name to confirm.",
        ),
    ] = None,
    to_time: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Instead, take the live database back to this time."),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Restores a backup into a database, and compares both.

    Everything is fetched, checked and assembled on this machine before anything is written. After
    an interrupted restore, run the same command again to continue. --to-time uses Time Travel,
    which knows every minute of the last 30 days, but only of a database that still exists. Exits
    with 1 if the database differs from the backup.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    require_answerable(yes=yes, dry_run=dry_run)
    live = choose_target(env, persist_to, local=local)
    announce(live, as_json=as_json)
    if to_time:
        if backup or at or new_name or overwrite:
            raise WrongUsageError("--to-time goes alone: it takes the live database back")
        return travel_back(live, read_time(to_time), yes=yes, dry_run=dry_run, as_json=as_json)
    options = _read_options(backup, at, new_name, overwrite)
    started = time.monotonic()
    with workspace() as folder:
        prepared = _prepare(live, options, folder, as_json=as_json)
        name = options.name or default_name(live, prepared.backup.id)
        if dry_run:
            _show_plan(live, name, prepared, exists=options.overwrite, as_json=as_json)
            return ExitCode.FINE
        question = f"Restore {prepared.backup.id} into {name} ({live.name})?"
        if not yes and not confirm(question):
            return ExitCode.PROBLEMS
        database, step = _empty_database(live, name, prepared, overwrite=options.overwrite)
        try:
            fill_database(database, prepared, after=step)
        except KeyboardInterrupt:
            raise OpsError(
                f"stopped: run the same command again to continue filling {name}"
            ) from None
        is_live = database.database_id == live.database_id
        is_for_make_dev = _is_for_make_dev(live, database)
        problems = verify_database(database, prepared, is_live=is_live)
        if is_for_make_dev and not problems:
            problems = read_as_worker(database, prepared)
        lost = find_lost_events(live, prepared)
        if not problems:
            identify_restored(Database(database), prepared.content.staging)
        seconds = time.monotonic() - started
        next_step = how_to_switch(live, database)
        if is_for_make_dev and not problems:
            try:
                # First, so that no run of the cron finds a copy that the mark does not know.
                accept_restored(database, prepared.backup.id)
            finally:
                serve_locally(database)
            next_step = f"{wait_until_served(database)}\n{replay_locally()}"
        elif is_live and not problems:
            accept_restored(live, prepared.backup.id)
            next_step = f"{next_step}\n{REPLAY_LATER}"
    report = RestoreReport(database, prepared, problems, lost, next_step, seconds)
    report.show(as_json=as_json)
    return report.exit_code


def _read_options(
    backup_id: str | None, at: str | None, new_name: str | None, overwrite: str | None
) -> RestoreOptions:
    name = new_name or overwrite
    if name:
        named_database.require_name(name)
    if overwrite and overwrite != name:
        raise WrongUsageError("--overwrite must be the very name that --into has")
    return RestoreOptions(backup_id, read_time(at) if at else None, name, overwrite=bool(overwrite))


def _prepare(
    live: Target, options: RestoreOptions, folder: Path, *, as_json: bool
) -> PreparedRestore:
    backups = backups_in_bucket(live)
    chosen = BackupChooser(live, folder).choose(backups, options.backup, options.before)
    if not as_json:
        newest = backups[:MAX_SHOWN]
        show_backups(console(), newest)
        typer.echo(f"\nchosen: {chosen}")
    prepared = prepare_restore(live, backups, chosen, folder)
    for line in describe(prepared):
        typer.echo(line, err=as_json)
    return prepared


def default_name(live: Target, backup_id: str) -> str:
    """Name the database of a restore; a repeated restore gets the same name.

    On this machine a restored database replaces the local one, so the name depends on that one's
    id: the next restore of the same backup gets a new database.
    """
    [first] = live.settings["d1_databases"]
    is_first = live.environment or live.database_id == first["database_id"]
    suffix = "" if is_first else f"-{live.database_id[:8]}"
    return f"{live.database}-{backup_id.lower()}"[: 63 - len(suffix)] + suffix


def _is_for_make_dev(live: Target, database: Target) -> bool:
    """Return whether `make dev` must switch to the restored database."""
    is_of_make_dev = live.environment is None and live.persist_to is None
    return is_of_make_dev and database.database_id != live.database_id


def _show_plan(
    live: Target, name: str, prepared: PreparedRestore, *, exists: bool, as_json: bool
) -> None:
    """Print what a restore would lack, and the commands that it would run."""
    database = named_database.named_target(live, name, prepared.folder)
    file = prepared.folder / "step-1.sql"
    commands = [
        *(
            [str(named_database.create_command(live, name))]
            if live.environment and not exists
            else []
        ),
        f"{named_database.execute_file_command(database, file)}  (file by file)",
    ]
    lost = find_lost_events(live, prepared)
    if as_json:
        show_json(
            {
                "backup": prepared.backup.id,
                "database": name,
                "not_in_backup": lost and lost.as_json(),
                "commands": commands,
            }
        )
    else:
        typer.echo("\n".join([*([str(lost)] if lost else []), *commands]))


def _empty_database(
    live: Target, name: str, prepared: PreparedRestore, *, overwrite: bool
) -> tuple[Target, int]:
    """Find or create the database to fill; return it with the number of steps it has had."""
    database = named_database.find(live, name, prepared.folder)
    if database is None:
        database = named_database.create(live, name, prepared.folder)
        note(f"made {database}")
        return database, 0
    state = read_state(Database(database))
    is_ours = state.plan == prepared.content.plan
    step = 0 if overwrite and not is_ours else completed_steps(state, prepared, name)
    if step:
        note(f"{name} has {counted(step, 'step')} of this restore already: it goes on there")
    elif state.rows:
        named_database.drop_all_tables(Database(database))
    return database, step


def how_to_switch(live: Target, database: Target) -> str:
    """Say how the Worker is switched to the restored database."""
    if database.database_id == live.database_id:
        return "It is the database that the Worker uses: nothing is left to do."
    table = f"[[env.{live.environment}.d1_databases]]" if live.environment else "[[d1_databases]]"
    deploy = f"./ppp deploy --env {live.environment} --accept-database {database.database_id}"
    next_command = deploy if live.environment else "make dev"
    return (
        f"To use it, write into wrangler.toml, under {table}:\n"
        f'  database_name = "{database.database}"\n'
        f'  database_id = "{database.database_id}"\n'
        f"then: {next_command}"
    )
