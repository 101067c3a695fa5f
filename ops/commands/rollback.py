"""`ppp rollback`: gives an earlier version of the code all traffic."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import httpx
import typer

from ops.cloudflare.account import described, find_account
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.cloudflare.versions import deployments_of, shares_of, whole_version
from ops.cloudflare.worker_commands import Commands
from ops.cloudflare.wrangler_command import Command
from ops.deploy.deployment import DATA_STAYS
from ops.deploy.deployment_log import TIME, Entry, add_to_log, new_id, read_log
from ops.deploy.rollout import WHOLE
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.output import (
    AsJson,
    DryRun,
    Yes,
    announce,
    confirmed,
    console,
    note,
    require_no_question,
    show_json,
    show_table,
)
from ops.worker_api.worker import choose_worker

TRIES, PAUSE_SECONDS, SECONDS = 6, 5, 30
MAX_SHOWN = 20
NOTHING = "there is no earlier version with all the traffic to go back to"

Deployments = Sequence[Mapping[str, Any]]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp rollback --env production --dry-run")
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(metavar="[VERSION]", help="Else the one that had all the traffic before."),
    ] = None,
    *,
    local: Local = False,
    env: Env = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Gives an earlier version of the code all traffic, and sees that it is healthy.

    First it lists what was deployed, from the log in R2 and from Cloudflare; with --local, where
    there are no versions, it does only that. Data is not taken back. Exits with 1 if there is no
    version to go back to, or the one that runs is not healthy.
    """
    target = choose_target(env, persist_to, local=local)
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run or local)
    announce(described(target, find_account(target)), as_json=as_json)
    log = read_log(Bucket(target))
    deployments = deployments_of(Commands(target)) if target.environment else []
    if not as_json:
        _show_log(log)
        _show_deployments(deployments)
    wanted = version or earlier_version(deployments)
    answer: dict[str, object] = {"environment": target.name, "version": wanted, "log": log}
    if wanted is None or local:
        note("there are no versions on this machine" if local else NOTHING)
    else:
        command = Commands(target).split({wanted: WHOLE}, "rolled back by hand")
        note(DATA_STAYS)
        if dry_run:
            answer["commands"] = [str(command)]
            typer.echo(command, err=as_json)
        elif yes or confirmed(f"Give {wanted} all the traffic ({target.name})?"):
            answer["done"] = _rolled_back(target, command, wanted, deployments)
    if as_json:
        show_json(answer)
    return ExitCode.FINE if {"commands", "done"} & answer.keys() else ExitCode.PROBLEMS


def earlier_version(deployments: Deployments) -> str | None:
    """The last version that had all the traffic and is not the one that has it now.

    `deployments` come the newest first.
    """
    if not deployments:
        return None
    now = whole_version(deployments[0])
    whole = map(whole_version, deployments[1:])
    return next((each for each in whole if each and each != now), None)


def _rolled_back(target: Target, command: Command, wanted: str, deployments: Deployments) -> Entry:
    """Rolls back, looks and logs.

    Raises:
        OpsError: it was not possible, or the version does not answer as it should.
    """
    command.run()
    now = datetime.now(UTC)
    shares = shares_of(deployments[0]) if deployments else {}
    entry: Entry = {
        "id": new_id(now),
        "kind": "rollback",
        "state": "finished",
        "at": now.strftime(TIME),
        "environment": target.name,
        "database": target.database,
        "database_id": target.database_id,
        "worker_version": wanted,
        "previous_version": ", ".join(shares),
    }
    try:
        add_to_log(Bucket(target), entry)
    except OpsError as error:
        note(f"the log of deployments could not be written: {error}")
    _require_health(choose_worker(target.environment, None, local=False).url)
    note(f"{wanted} has all the traffic, and is healthy")
    return entry


def _require_health(url: str) -> None:
    """Sees that the Worker is healthy, for as long as a deployment takes to be known everywhere.

    Raises:
        OpsError: it is not.
    """
    said = ""
    for _ in range(TRIES):
        try:
            answer = httpx.get(f"{url}/health", timeout=SECONDS)
        except httpx.HTTPError as error:
            said = f"no answer ({error})"
        else:
            if answer.status_code == HTTPStatus.OK:
                return
            said = f"{answer.status_code}: {answer.text[:300]}"
        time.sleep(PAUSE_SECONDS)
    raise NoAnswerError(f"rolled back, but {url}/health says {said}: docs/runbook.md#rollback")


def _show_log(log: Sequence[Entry]) -> None:
    if not log:
        typer.echo("the log of deployments is empty")
        return
    newest = log[: -MAX_SHOWN - 1 : -1]
    rows = [
        (_minute(each["at"]), _what(each), each.get("version"), each.get("worker_version"))
        for each in newest
    ]
    show_table(console(), ("when (UTC)", "what", "version", "worker version id"), rows)
    for each in newest:
        details = (f"{name} {each[name]}" for name in ("backup", "reason") if each.get(name))
        typer.echo(f"{each['id']}: {', '.join(details) or 'no backup'}")


def _what(entry: Entry) -> str:
    return str(entry["state"] if entry["kind"] == "deployment" else entry["kind"])


def _minute(time_text: str) -> str:
    return time_text[:16].replace("T", " ")


def _show_deployments(deployments: Deployments) -> None:
    if not deployments:
        return
    typer.echo("\nat Cloudflare, the newest first")
    rows = [
        [_minute(deployment["created_on"]), f"{share:g} %", version, _message(deployment)]
        for deployment in deployments
        for version, share in shares_of(deployment).items()
    ]
    show_table(console(), ("when (UTC)", "traffic", "worker version id", "message"), rows)
    typer.echo()


def _message(deployment: Mapping[str, Any]) -> str:
    return str((deployment.get("annotations") or {}).get("workers/message") or "")
