"""`ppp replay`: the events that wait in R2 are stored now."""

from __future__ import annotations

from dataclasses import asdict

import typer

from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson, DryRun
from ops.terminal.output import counted, show_json
from ops.terminal.progress import progress
from ops.worker_api.client import Api
from ops.worker_api.waiting import count_waiting, replay_waiting
from ops.worker_api.with_api import with_api

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp replay --env production")
@with_api
def replay(
    api: Api,
    *,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Stores the events that wait in R2, without the cron.

    After a lost database was restored, or after D1 failed. Each event is stored once, in its
    order, with the time at which it was received; an interrupted replay is repeated. It needs an
    admin's key. Exits with 1 if events wait on.
    """
    waiting = count_waiting(api)
    if dry_run:
        if as_json:
            show_json({"waiting": waiting})
        else:
            typer.echo(f"{counted(waiting, 'event')} wait")
        return ExitCode.FINE
    with progress("replay", waiting) as show:
        outcome = replay_waiting(api, show)
    if as_json:
        show_json(asdict(outcome))
    else:
        typer.echo(str(outcome))
    return ExitCode.PROBLEMS if outcome.waiting or outcome.unreadable else ExitCode.FINE
