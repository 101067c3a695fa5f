"""`ppp backups`: the backups in the bucket, and whether one of them is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from ops.backup.choose_backup import as_json as backup_as_json
from ops.backup.choose_backup import known_backups, show_backups
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.restore.restore_steps import described, prepare
from ops.terminal.errors import ExitCode
from ops.terminal.output import AsJson, announce, console, show_json
from ops.terminal.workspace import workspace

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp backups --env production --verify 20261121T020000Z-full")
def backups(
    *,
    local: Local = False,
    env: Env = None,
    verify: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Fetch all of this one and put it together here."),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Show as many, the newest.")] = 30,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Lists the backups, or checks one of them as a restore would, and writes nothing.

    They are read from the bucket itself, so that this works when the database is gone. Exits with 1
    if there is none, or if the one to verify is not whole.
    """
    target = choose_target(env, persist_to, local=local)
    announce(f"{target}; R2 {target.bucket}", as_json=as_json)
    if verify:
        return _verify(target, verify, as_json=as_json)
    found = known_backups(target)
    if as_json:
        show_json({"backups": [backup_as_json(each) for each in found[:limit]]})
    elif found:
        show_backups(console(), found[:limit])
        if len(found) > limit:
            typer.echo(f"\n{len(found) - limit:,} older ones: --limit {len(found)} shows them")
    else:
        typer.echo("there is no backup yet: the cron makes the first one, or ./ppp backup")
    return ExitCode.FINE if found else ExitCode.PROBLEMS


def _verify(target: Target, backup_id: str, *, as_json: bool) -> int:
    with workspace() as folder:
        prepared = prepare(target, known_backups(target), backup_id, folder)
    if as_json:
        chain = [manifest.id for manifest in prepared.chain]
        show_json({"backup": backup_id, "whole": True, "chain": chain, **prepared.as_json()})
    else:
        for line in described(prepared):
            typer.echo(line)
    return ExitCode.PROBLEMS if prepared.content.staging.left_out else ExitCode.FINE
