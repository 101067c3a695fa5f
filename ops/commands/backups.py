"""`ppp backups`: lists the backups in the bucket, or verifies one of them."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.backup.choose_backup import backup_as_json, backups_in_bucket, show_backups
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.restore.restore_steps import describe, prepare_restore
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson
from ops.terminal.output import announce_list, console, show_json
from ops.terminal.workspace import workspace

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp backups --env production --verify 20261121T020000Z-full")
def backups(
    *,
    local: Local = False,
    env: Env = None,
    verify: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Fetch this backup and assemble it on this machine."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, help="Show at most this many rows, the newest.")
    ] = 30,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Lists the backups, or checks one as a restore would.

    They are read from the bucket, so that this works without a database. Nothing is written. Exits
    with 1 if there is no backup, or if the one to verify is not complete.
    """
    target = choose_target(env, persist_to, local=local)
    announce_list(f"{target}; R2 {target.bucket}")
    if verify:
        return _verify(target, verify, as_json=as_json)
    stored = backups_in_bucket(target)
    if as_json:
        show_json({"backups": [backup_as_json(backup) for backup in stored[:limit]]})
    elif stored:
        show_backups(console(), stored[:limit])
        if len(stored) > limit:
            typer.echo(f"\n{len(stored) - limit:,} older ones: --limit {len(stored)} shows them")
    else:
        typer.echo("there is no backup yet: the cron makes the first one, or ./ppp backup")
    return ExitCode.FINE if stored else ExitCode.PROBLEMS


def _verify(target: Target, backup_id: str, *, as_json: bool) -> int:
    with workspace() as folder:
        prepared = prepare_restore(target, backups_in_bucket(target), backup_id, folder)
    if as_json:
        chain = [manifest.id for manifest in prepared.chain]
        show_json({"backup": backup_id, "whole": True, "chain": chain, **prepared.as_json()})
    else:
        for line in describe(prepared):
            typer.echo(line)
    return ExitCode.PROBLEMS if prepared.content.staging.skipped_rows else ExitCode.FINE
