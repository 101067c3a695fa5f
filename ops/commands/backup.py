"""`ppp backup`: a backup at this moment, made by the Worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from ops.backup.backup_maker import VERIFIED, BackupMaker, list_backups
from ops.terminal.errors import ExitCode
from ops.terminal.output import AsJson, counted, plain, show_json
from ops.terminal.progress import progress
from ops.worker_api.client import open_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url

_WHOLE = {"full", "manual"}

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp backup --env production --label 'before the import'")
def backup(
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    label: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What it is for; nothing personal.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Makes a backup of the whole database, and waits until every part was read back.

    The Worker makes it, portion by portion; if this command is stopped, its cron goes on. One that
    somebody began before is taken to its end instead, so that there are never two. The API key, an
    admin's, is read from the environment variable PPP_API_KEY.
    """
    with open_api(env, url, local=local) as api:
        known = list_backups(api)
        with progress("backup", _rows_expected(known)) as show:
            made_id = BackupMaker(api, lambda made: show(int(made["rows"]))).make(label)
        [made] = [each for each in list_backups(api) if each["id"] == made_id]
    if as_json:
        show_json(made)
    else:
        typer.echo(_described(made))
    return ExitCode.FINE


def _rows_expected(known: Sequence[Mapping[str, Any]]) -> int:
    """About as many as the last one of the whole database had; 0 where there is none."""
    whole = [each for each in known if each["kind"] in _WHOLE and each["state"] == VERIFIED]
    return int(whole[0]["rows"]) if whole else 0


def _described(made: Mapping[str, Any]) -> str:
    label = f" ({plain(made['label'])})" if made["label"] else ""
    return (
        f"{made['id']}{label}: {counted(int(made['rows']), 'row')} in"
        f" {counted(int(made['parts']), 'part')}, {int(made['bytes']):,} bytes, verified"
    )
