"""`ppp accept-database`: the database is right as it is, though it holds less than it did."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from ops.backup.high_water import accept_database as write_acceptance
from ops.backup.high_water import read_database_contents, read_mark
from ops.cloudflare.account import describe_target, find_account
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.facts import read_tables
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import announce, confirm, require_no_question, show_json
from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark
from services.loss.judgement import judge_loss

MAX_REASON_CHARACTERS = 200

commands = typer.Typer()


@commands.command(
    name="accept-database",
    epilog="Example: ./ppp accept-database --env production --reason 'restored to 14:00'",
)
def accept_database(
    *,
    reason: Annotated[str, typer.Option(help="Why it is right; it is remembered.")],
    local: Local = False,
    env: Env = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Accepts a database that is another one or holds less.

    The alarm database_lost ends, backups, the archive and retention go on, and deployments are
    allowed again. Time, reason and the mark before stay in the bucket (backups/high-water.json).
    What is lost and not in a backup stays lost: restore it instead, if it can be. A database
    without any table, as one that begins anew, gets its tables first, by the migrations.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    if not reason.strip() or len(reason) > MAX_REASON_CHARACTERS or not reason.isprintable():
        raise WrongUsageError(
            f"--reason must be 1 to {MAX_REASON_CHARACTERS} printable characters, and no personal"
            " data"
        )
    target = choose_target(env, persist_to, local=local)
    announce(describe_target(target, find_account(target)), as_json=as_json)
    mark, contents = read_mark(target), read_database_contents(target)
    loss = judge_loss(mark, contents)
    if not as_json:
        show_comparison(mark, contents)
        typer.echo(f"lost: {loss}" if loss else "nothing says that it is lost")
    is_blank = contents.database_id is None and not read_tables(target)
    if is_blank and not as_json:
        typer.echo("it has no tables: the migrations of this checkout make them first")
    result: dict[str, object] = {"lost": loss, "mark": mark and asdict(mark), "migrates": is_blank}
    is_done = not dry_run and (yes or confirm(f"Accept it as it is ({target.name})?"))
    if is_done:
        if is_blank:
            WorkerCommands(target).apply_migrations().run()
        accepted = write_acceptance(target, mark, reason.strip())
        result["accepted"] = asdict(accepted)
        if not as_json:
            typer.echo(
                "accepted: the next cron run ends the alarm, stores the events that wait in R2, and"
                " makes backups again"
            )
    if as_json:
        show_json(result)
    return ExitCode.FINE if is_done or dry_run else ExitCode.PROBLEMS


def show_comparison(mark: HighWaterMark | None, contents: DatabaseContents) -> None:
    """Print what the database held at most, and what it holds now."""
    if mark is None:
        typer.echo("mark: there is none yet")
    else:
        typer.echo(
            f"mark: {mark.database_id}, highest event {mark.highest_event:,} (at most"
            f" {mark.events:,} events), {mark.projects:,} projects, {mark.pixels:,} pixels,"
            f" on {mark.seen_at}"
        )
    typer.echo(
        f"now:  {contents.database_id or 'no tables'}, highest event {contents.highest_event:,},"
        f" {contents.projects:,} projects, {contents.pixels:,} pixels"
    )
