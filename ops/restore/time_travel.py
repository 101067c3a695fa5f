"""Restores a database that still exists to a minute of the last 30 days: D1's Time Travel."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import typer

from ops.backup.high_water import (
    marked_as_lost,
    raise_event_ids,
    read_database_contents,
)
from ops.cloudflare.database import Database, MissingSchemaError
from ops.cloudflare.new_database import READ_TABLES
from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import RefusedError, WranglerCommand
from ops.restore.erase_again import Erasure, deletions, erasures_in, read_erasures, recounts
from ops.restore.identity import renew_generation
from ops.terminal.errors import ExitCode, NoAnswerError, WrongUsageError
from ops.terminal.output import counted, note, show_json
from ops.terminal.workspace import workspace
from services.loss.contents import MAX_EVENTS_MEANWHILE, DatabaseContents

MAX_AGE = timedelta(days=30)


def travel_back(
    target: Target, moment: datetime, *, yes: bool, dry_run: bool, as_json: bool
) -> int:
    """Restore a database to a moment; all later changes are lost.

    Raises:
        WrongUsageError: there is no Time Travel to this moment, or on this machine.
        NoAnswerError: Cloudflare refuses, or the database is gone.
    """
    _require_possible(target, moment)
    commands = (_info_command(target, moment), _restore_command(target, moment))
    if dry_run:
        if as_json:
            show_json({"commands": [str(command) for command in commands]})
        else:
            typer.echo("\n".join(map(str, commands)))
        return ExitCode.FINE
    if not yes:
        _require_typed(target, moment)
    with workspace() as folder:
        erasures = read_erasures(target, moment, folder)
    contents = read_database_contents(target)
    erasures = erasures_in(contents.database_id, erasures)
    # More may come until the database goes back.
    highest = contents.highest_event + MAX_EVENTS_MEANWHILE
    try:
        bookmark = commands[0].read_json()
        # By its numbers alone it may look whole: no run of the cron may lie behind that moment.
        with marked_as_lost(target, f"Time Travel took the database back to {_iso(moment)}"):
            restored = _travel(target, commands[1], contents)
    except RefusedError as error:
        raise NoAnswerError(
            f"{target.database} cannot go back: {error}. If it was deleted, its Time Travel is gone"
            " with it: ./ppp restore without --to-time makes a new one out of a backup"
        ) from None
    with suppress(MissingSchemaError):
        # First of all: an event that comes now must not get the id of one that was erased.
        raise_event_ids(target, highest)
    erase_again(Database(target), erasures)
    renew_generation(Database(target))
    if as_json:
        erased = [erasure.receipt for erasure in erasures]
        summary = {"database": target.database, "to": bookmark, "restored": restored}
        show_json({**summary, "erased_again": erased})
    else:
        typer.echo(f"{target.database} is what it was at {moment:%Y-%m-%d %H:%M:%S} UTC")
        if erasures:
            typer.echo(f"{counted(len(erasures), 'erasure')} after it were done again")
        typer.echo(
            "It counts as lost until somebody accepts it: ./ppp accept-database --env "
            f"{target.environment} --reason 'taken back to {moment:%Y-%m-%dT%H:%M}Z'"
        )
    return ExitCode.FINE


def _travel(target: Target, command: WranglerCommand, contents: DatabaseContents) -> object:
    """Take the database back, and say how to undo it before anything behind it can fail.

    An answer may be lost behind the change; so the database is looked at, which had `contents`.

    Raises:
        RefusedError: it did not go back.
        NoAnswerError: nobody can tell whether it did.
    """
    start = datetime.now(UTC)
    try:
        restored = command.read_json()
    except RefusedError as error:
        if not _is_back(target, contents, error):
            raise
        note(f"the answer was lost ({error}), and the database went back")
        note(f"To undo it: {_command(target, 'restore', '--timestamp', _iso(start))}")
        return {}
    undo = restored.get("previous_bookmark") if isinstance(restored, dict) else None
    if undo:
        note(f"To undo it: {_undo_command(target, str(undo))}")
    return restored


def _is_back(target: Target, before: DatabaseContents, error: RefusedError) -> bool:
    """Whether the database holds less than it did, or its last run of the cron is an older one."""
    try:
        now = read_database_contents(target)
    except NoAnswerError as unknown:
        raise NoAnswerError(
            f"nobody can tell whether {target.database} went back ({error}; {unknown}). It counts "
            "as lost until somebody accepts it: look at it, then repeat this or ./ppp "
            f"accept-database --env {target.environment}"
        ) from None
    is_older = (now.last_run or "") < (before.last_run or "")
    return is_older or now.highest_event < before.highest_event


def erase_again(database: Database, erasures: Sequence[Erasure]) -> None:
    """Repeat erasures in a restored database, in the tables that it had at that moment.

    Raises:
        NoAnswerError: it does not answer; the restore to the same moment can be repeated.
    """
    if not erasures:
        return
    tables = {row["name"] for row in database.ask(READ_TABLES)[0]}
    for statement in (*deletions(erasures), *recounts(erasures)):
        if statement.table in tables:
            database.ask(statement.text)


def _require_possible(target: Target, moment: datetime) -> None:
    if target.environment is None:
        raise WrongUsageError(
            "Time Travel is at Cloudflare only: --to-time goes with --env; "
            "on this machine restore a backup, or `make clean` for a new database"
        )
    now = datetime.now(UTC)
    if moment > now:
        raise WrongUsageError("--to-time is in the future")
    if now - moment > MAX_AGE:
        raise WrongUsageError(
            f"Time Travel knows the last {MAX_AGE.days} days only: restore a backup with --at"
        )


def _require_typed(target: Target, moment: datetime) -> None:
    typer.echo(f"Everything after {moment:%Y-%m-%d %H:%M:%S} UTC will be gone, all tables at once.")
    try:
        typed = typer.prompt("Type the name of the database to go on")
    except typer.Abort:
        typed = ""
    if typed != target.database:
        raise WrongUsageError(f"nothing was changed: that is not {target.database}")


def _info_command(target: Target, moment: datetime) -> WranglerCommand:
    return _command(target, "info", "--timestamp", _iso(moment))


def _restore_command(target: Target, moment: datetime) -> WranglerCommand:
    return _command(target, "restore", "--timestamp", _iso(moment))


def _undo_command(target: Target, bookmark: str) -> WranglerCommand:
    return _command(target, "restore", "--bookmark", bookmark)


def _command(target: Target, verb: str, *options: str) -> WranglerCommand:
    arguments = ("d1", "time-travel", verb, target.database, *options, "--json")
    return WranglerCommand((*arguments, "--env", target.name), target.config)


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
