"""`ppp backup`: a backup at this moment, made by the Worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from ops.backup.backup_maker import VERIFIED, BackupMaker, BackupRow, list_backups
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson
from ops.terminal.output import counted, plain, show_json
from ops.terminal.progress import progress
from ops.worker_api.client import Api
from ops.worker_api.with_api import with_api

FULL_KINDS = {"full", "manual"}

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp backup --env production --label 'before the import'")
@with_api
def backup(
    api: Api,
    *,
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What the backup is for; no personal data.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Makes and verifies a backup of the whole database.

    The Worker makes it, portion by portion, and reads every part back; if this command is
    interrupted, the cron continues. A manual backup that is already running is completed instead.
    The API key, an admin's, is read from the environment variable PPP_API_KEY.
    """
    with progress("backup", _expected_rows(list_backups(api))) as show:
        maker = BackupMaker(api, lambda running: show(int(running["rows"])))
        backup_id = maker.make(label)
    [verified] = [row for row in list_backups(api) if row["id"] == backup_id]
    if as_json:
        show_json(verified)
    else:
        typer.echo(_describe(verified))
    return ExitCode.FINE


def _expected_rows(backups: Sequence[BackupRow]) -> int:
    """Estimate the rows of a backup by those of the last full one; 0 if there is none."""
    full = [row for row in backups if row["kind"] in FULL_KINDS and row["state"] == VERIFIED]
    return int(full[0]["rows"]) if full else 0


def _describe(row: BackupRow) -> str:
    label = f" ({plain(row['label'])})" if row["label"] else ""
    return (
        f"{row['id']}{label}: {counted(int(row['rows']), 'row')} in"
        f" {counted(int(row['parts']), 'part')}, {int(row['bytes']):,} bytes, verified"
    )
