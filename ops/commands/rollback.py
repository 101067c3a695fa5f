"""`ppp rollback`: give an earlier version of the code all traffic."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import pairwise
from typing import Annotated, Any

import httpx
import typer

from ops.cloudflare.account import describe_target, find_account
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.cloudflare.versions import (
    BEHIND_MIGRATION,
    is_behind_migration,
    is_secret_change,
    list_deployments,
    sole_version,
    traffic_shares,
)
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import WranglerCommand
from ops.deploy.deployment import DATA_STAYS
from ops.deploy.deployment_log import (
    TIME_FORMAT,
    DeploymentEntry,
    append_to_log,
    new_deployment_id,
    read_log,
)
from ops.deploy.rollout import FULL_TRAFFIC
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import (
    announce,
    confirm,
    console,
    note,
    plain,
    require_no_question,
    show_json,
    show_table,
)
from ops.worker_api.retries import Sleep, polling
from ops.worker_api.worker import choose_worker

# A new deployment takes up to two minutes to reach every location of Cloudflare.
MAX_HEALTH_CHECKS, PAUSE_SECONDS, TIMEOUT_SECONDS = 24, 5, 30
MAX_LOG_ENTRIES = 20
NO_EARLIER_VERSION = "there is no earlier version with all the traffic to go back to"

Deployments = Sequence[Mapping[str, Any]]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp rollback --env production --dry-run")
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(
            metavar="[VERSION]", help="The version.  [default: the last that had all traffic]"
        ),
    ] = None,
    *,
    local: Local = False,
    env: Env = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Gives an earlier version of the code all traffic.

    First it lists the deployments, from the log in R2 and from Cloudflare; with --local, where
    there are no versions, it does only that. Then it checks that the Worker is healthy. Data is not
    rolled back. Exits with 1 if there is no version to go back to, if Cloudflare would not bring it
    back because of a Durable Object migration, or if the Worker is not healthy.
    """
    target = choose_target(env, persist_to, local=local)
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run or local)
    announce(describe_target(target, find_account(target)), as_json=as_json)
    log = _read_log_if_possible(target)
    deployments = list_deployments(WorkerCommands(target)) if target.environment else []
    if not as_json:
        if log is not None:
            _show_log(log)
        _show_deployments(deployments)
    version = version or earlier_version(deployments)
    outcome: dict[str, object] = {"environment": target.name, "version": version, "log": log}
    if version is None or local:
        note("there are no versions on this machine" if local else NO_EARLIER_VERSION)
    else:
        _require_no_migration(WorkerCommands(target), version, deployments)
        command = WorkerCommands(target).split({version: FULL_TRAFFIC}, "rolled back by hand")
        note(DATA_STAYS)
        if dry_run:
            outcome["commands"] = [str(command)]
            typer.echo(command, err=as_json)
        elif yes or confirm(f"Give {version} all the traffic ({target.name})?"):
            outcome["done"] = _roll_back(target, command, version, deployments)
    if as_json:
        show_json(outcome)
    return ExitCode.FINE if {"commands", "done"} & outcome.keys() else ExitCode.PROBLEMS


def _read_log_if_possible(target: Target) -> Sequence[DeploymentEntry] | None:
    """Return the log, or None with a note: going back must not wait for R2 or a whole log."""
    try:
        return read_log(Bucket(target))
    except OpsError as error:
        note(f"the log of deployments could not be read: {error}")
        return None


def _require_no_migration(
    worker_commands: WorkerCommands, version: str, deployments: Deployments
) -> None:
    """Propose no version that Cloudflare would refuse, as the JavaScript Worker's is mostly.

    Raises:
        OpsError: a Durable Object migration lies between it and the one that serves.
    """
    for current in traffic_shares(deployments[0]) if deployments else ():
        if is_behind_migration(worker_commands, version, current):
            raise OpsError(f"{version} cannot be brought back: {BEHIND_MIGRATION}")


def earlier_version(deployments: Deployments) -> str | None:
    """Return the last version that had all traffic before the code that has it now.

    `deployments` are the newest first. A changed secret makes a version of the same code.
    """
    if not deployments:
        return None
    same_code = {sole_version(deployments[0]), None}
    for newer, older in pairwise(deployments):
        if is_secret_change(newer) and sole_version(newer) in same_code:
            same_code.add(sole_version(older))
    earlier = map(sole_version, deployments[1:])
    return next((version for version in earlier if version not in same_code), None)


def _roll_back(
    target: Target, command: WranglerCommand, version: str, deployments: Deployments
) -> DeploymentEntry:
    """Give the version all traffic, log it, and wait until it is healthy.

    Raises:
        OpsError: wrangler failed, or the version is unhealthy.
    """
    command.run()
    now = datetime.now(UTC)
    shares = traffic_shares(deployments[0]) if deployments else {}
    entry: DeploymentEntry = {
        "id": new_deployment_id(now),
        "kind": "rollback",
        "state": "finished",
        "at": now.strftime(TIME_FORMAT),
        "environment": target.name,
        "database": target.database,
        "database_id": target.database_id,
        "worker_version": version,
        "previous_version": ", ".join(shares),
    }
    try:
        append_to_log(Bucket(target), entry)
    except OpsError as error:
        note(f"the log of deployments could not be written: {error}")
    worker = choose_worker(target.environment, None, local=False)
    note(f"{version} has all the traffic, and {require_health(worker.url, version)}")
    return entry


@dataclass(frozen=True, slots=True)
class HealthAnswer:
    """What `/health` answered, as the end of a sentence; or what is wrong with it."""

    text: str = ""
    problem: str = ""

    def is_healthy(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problem


def require_health(url: str, version: str, sleep: Sleep = time.sleep) -> str:
    """Wait until the version answers and is healthy; return that as the end of a sentence.

    It takes as long as a deployment takes to spread. The JavaScript Worker does not tell its
    version.

    Raises:
        NoAnswerError: another version answers, or it is unhealthy, after the last attempt.
    """
    checks = polling(
        HealthAnswer.is_healthy,
        pause_seconds=PAUSE_SECONDS,
        max_attempts=MAX_HEALTH_CHECKS,
        sleep=sleep,
    )
    answer: HealthAnswer = checks(_ask_health, url, version)
    if answer.problem:
        raise NoAnswerError(
            f"rolled back, but {url}/health {answer.problem}: docs/runbook.md#rollback"
        )
    return answer.text


def _ask_health(url: str, version: str) -> HealthAnswer:
    try:
        answer = httpx.get(f"{url}/health", timeout=TIMEOUT_SECONDS)
        health = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        return HealthAnswer(problem=f"gives no answer as it should be ({error})")
    running = health.get("worker_version") if isinstance(health, dict) else None
    if running not in {None, version}:
        return HealthAnswer(problem=f"is answered by the version {running}")
    if answer.status_code != HTTPStatus.OK:
        return HealthAnswer(problem=f"says {answer.status_code}: {plain(answer.text[:300])}")
    if running is None:
        return HealthAnswer(
            "what answers is healthy; it does not tell its version, as the old Worker"
        )
    return HealthAnswer("answers and is healthy")


def _show_log(log: Sequence[DeploymentEntry]) -> None:
    if not log:
        typer.echo("the log of deployments is empty")
        return
    newest = log[: -MAX_LOG_ENTRIES - 1 : -1]
    rows = [
        (_minute(entry["at"]), _state(entry), entry.get("version"), entry.get("worker_version"))
        for entry in newest
    ]
    show_table(console(), ("when (UTC)", "what", "version", "worker version id"), rows)
    for entry in newest:
        details = (f"{name} {entry[name]}" for name in ("backup", "reason") if entry.get(name))
        typer.echo(f"{entry['id']}: {', '.join(details) or 'no backup'}")


def _state(entry: DeploymentEntry) -> str:
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
        for version, share in traffic_shares(deployment).items()
    ]
    show_table(console(), ("when (UTC)", "traffic", "worker version id", "message"), rows)
    typer.echo()


def _message(deployment: Mapping[str, Any]) -> str:
    return str((deployment.get("annotations") or {}).get("workers/message") or "")
