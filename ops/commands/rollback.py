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
    bound_database,
    is_behind_migration,
    is_secret_change,
    list_deployments,
    sole_version,
    traffic_shares,
)
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import RefusedError
from ops.deploy.deployment import DATA_STAYS
from ops.deploy.deployment_log import (
    TIME_FORMAT,
    DeploymentEntry,
    append_to_log,
    new_deployment_id,
    read_log,
)
from ops.deploy.rollout import FULL_TRAFFIC
from ops.deploy.traffic import BY_HAND, RETRY_PAUSES_SECONDS, give_all_traffic, is_return
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.interrupts import finished_first
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
from ops.worker_api.retries import Sleep, outage_retries, polling
from ops.worker_api.worker import choose_worker

# A new deployment takes up to two minutes to reach every location of Cloudflare.
MAX_HEALTH_CHECKS, PAUSE_SECONDS, TIMEOUT_SECONDS = 24, 5, 30
MAX_LOG_ENTRIES = 20
NO_EARLIER_VERSION = (
    "no earlier version with all the traffic is among the last ten deployments or in the log: "
    "npx wrangler versions list --env production shows others, which can be named"
)

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
    rolled back. Repeated, it changes nothing: to go further back, or forth, name a version. Exits
    with 1 if there is no version to go back to, if Cloudflare would not bring it back because of a
    Durable Object migration, if it uses another database, or if the Worker is not healthy.
    """
    target = choose_target(env, persist_to, local=local)
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run or local)
    announce(describe_target(target, find_account(target)), as_json=as_json)
    log = _read_log_if_possible(target)
    commands = WorkerCommands(target)
    deployments = _list_deployments(commands) if target.environment else []
    if not as_json:
        if log is not None:
            _show_log(log)
        _show_deployments(deployments)
    outcome: dict[str, object] = {"environment": target.name, "version": version, "log": log}
    serving = _serving_already(deployments, version)
    if serving:
        outcome |= {"version": serving, "serves_already": True}
        _confirm_serving(target, serving, deployments, log)
    elif version := version or earlier_version(deployments, log or ()):
        outcome["version"] = version
        _require_possible(commands, version, deployments)
        command = commands.split({version: FULL_TRAFFIC}, BY_HAND)
        note(DATA_STAYS)
        if dry_run:
            outcome["commands"] = [str(command)]
            typer.echo(command, err=as_json)
        elif yes or confirm(f"Give {version} all the traffic ({target.name})?"):
            outcome["done"] = _roll_back(target, version, deployments)
    else:
        note("there are no versions on this machine" if local else NO_EARLIER_VERSION)
    if as_json:
        show_json(outcome)
    is_done = {"commands", "done", "serves_already"} & outcome.keys()
    return ExitCode.FINE if is_done else ExitCode.PROBLEMS


def _read_log_if_possible(target: Target) -> Sequence[DeploymentEntry] | None:
    """Return the log, or None with a note: going back must not wait for R2 or a whole log."""
    try:
        return read_log(Bucket(target))
    except OpsError as error:
        note(f"the log of deployments could not be read: {error}")
        return None


def _list_deployments(commands: WorkerCommands) -> Deployments:
    return outage_retries(RefusedError, pauses=RETRY_PAUSES_SECONDS)(list_deployments, commands)


def _serving_already(deployments: Deployments, version: str | None) -> str | None:
    """Return the version that serves where it is the one that is wanted, else None.

    Without a version that is the one that a rollback gave all traffic: whoever repeats the command,
    because its answer was lost, must not bring the bad version back.
    """
    serving = sole_version(deployments[0]) if deployments else None
    is_wanted = is_return(deployments) if version is None else version == serving
    return serving if is_wanted else None


def _confirm_serving(
    target: Target,
    version: str,
    deployments: Deployments,
    log: Sequence[DeploymentEntry] | None,
) -> None:
    """Say that a version serves already, and log the rollback whose answer was lost."""
    former = _version_left(version, deployments)
    note(
        f"{version} serves already: nothing was changed. For another one, name it: "
        f"./ppp rollback {former or 'VERSION'} --env {target.environment}"
    )
    is_logged = any(entry.get("worker_version") == version for entry in (log or ())[-1:])
    if log is not None and is_return(deployments) and not is_logged and _is_by_hand(deployments):
        _log_rollback(target, version, former or "")


def _version_left(version: str, deployments: Deployments) -> str | None:
    """Return the version that had traffic last before this one, but for changed secrets."""
    changes = [deployment for deployment in deployments if not is_secret_change(deployment)]
    versions = (version_id for change in changes for version_id in traffic_shares(change))
    return next((version_id for version_id in versions if version_id != version), None)


def _is_by_hand(deployments: Deployments) -> bool:
    return any(_message(deployment) == BY_HAND for deployment in deployments[:1])


def _traffic(deployment: Mapping[str, Any]) -> str:
    return ", ".join(traffic_shares(deployment))


def _require_possible(commands: WorkerCommands, version: str, deployments: Deployments) -> None:
    """Propose no version that Cloudflare would refuse, or that would write elsewhere.

    Raises:
        OpsError: the version is bound to another database than the one that serves.
    """
    _require_no_migration(commands, version, deployments)
    serving = next(iter(traffic_shares(deployments[0])), None) if deployments else None
    if serving is None:
        return
    databases = [bound_database(commands, version_id) for version_id in (version, serving)]
    if None not in databases and databases[0] != databases[1]:
        raise OpsError(
            f"{version} is bound to the database {databases[0]}, and what serves to "
            f"{databases[1]}: going back would send the events to a database that is lost or old. "
            "Deploy the older code from its own checkout, with the database_id of today in its "
            "wrangler.toml: ./ppp deploy --at-once"
        )


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


def earlier_version(deployments: Deployments, log: Sequence[DeploymentEntry] = ()) -> str | None:
    """Return the last version that had all traffic before the code that has it now.

    `deployments` are the newest first, at most ten; the log, the oldest first, goes further back. A
    changed secret makes a version of the same code.
    """
    if not deployments:
        return None
    same_code = {sole_version(deployments[0]), None}
    for newer, older in pairwise(deployments):
        if is_secret_change(newer) and sole_version(newer) in same_code:
            same_code.add(sole_version(older))
    logged = [entry.get("worker_version") for entry in log[::-1] if entry["state"] == "finished"]
    earlier = (*map(sole_version, deployments[1:]), *logged)
    return next((version for version in earlier if version not in same_code), None)


def _roll_back(target: Target, version: str, deployments: Deployments) -> DeploymentEntry:
    """Give the version all traffic, log it, and wait until it is healthy.

    Raises:
        OpsError: it does not have the traffic, or it is unhealthy.
    """
    with finished_first("rollback"):
        problem = give_all_traffic(WorkerCommands(target), version, BY_HAND)
        if problem:
            raise NoAnswerError(
                f"{version} does not have all the traffic ({problem}). Run it again, with the "
                f"version: ./ppp rollback {version} --env {target.environment}"
            )
        entry = _log_rollback(target, version, _traffic(deployments[0]) if deployments else "")
    worker = choose_worker(target.environment, None, local=False)
    note(f"{version} has all the traffic, and {require_health(worker.url, version)}")
    return entry


def _log_rollback(target: Target, version: str, previous: str) -> DeploymentEntry:
    """Write a rollback into the log, where it can be written; return its entry."""
    now = datetime.now(UTC)
    entry: DeploymentEntry = {
        "id": new_deployment_id(now),
        "kind": "rollback",
        "state": "finished",
        "at": now.strftime(TIME_FORMAT),
        "environment": target.name,
        "database": target.database,
        "database_id": target.database_id,
        "worker_version": version,
        "previous_version": previous,
    }
    try:
        append_to_log(Bucket(target), entry)
    except OpsError as error:
        note(f"the log of deployments could not be written: {error}")
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
