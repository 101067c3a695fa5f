"""Which version of the Worker has the traffic, and how a version gets all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ops.cloudflare.versions import (
    current_deployment,
    is_secret_change,
    sole_version,
    traffic_shares,
)
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import RefusedError
from ops.deploy.rollout import FULL_TRAFFIC
from ops.terminal.errors import NoAnswerError, describe_error
from ops.terminal.output import note
from ops.worker_api.retries import outage_retries

# Between attempts at what may be done twice, as giving a version the traffic that it has.
RETRY_PAUSES_SECONDS = (1, 5)
# The messages of deployments that gave an earlier version all traffic again.
BY_HAND = "rolled back by hand"
BACK_FROM = "back from "

Deployment = Mapping[str, Any]


def read_deployment(commands: WorkerCommands) -> Deployment | None:
    """Return the deployment that has the traffic, or None where nobody can tell."""
    retries = outage_retries(RefusedError, pauses=RETRY_PAUSES_SECONDS)
    try:
        return retries(current_deployment, commands)
    except NoAnswerError as error:
        note(f"code: which version serves is not known: {error}")
        return None


def describe_shares(deployment: Deployment | None) -> str:
    """Return the id of the version that has all traffic, or the shares, or that none knows."""
    shares = traffic_shares(deployment) if deployment else {}
    if len(shares) == 1:
        return next(iter(shares))
    return ", ".join(f"{version} {share:g} %" for version, share in shares.items()) or "not known"


def describe_serving(commands: WorkerCommands) -> str:
    """Return what has the traffic now, as `describe_shares` says it, also after Ctrl+C."""
    try:
        return describe_shares(read_deployment(commands))
    except KeyboardInterrupt:
        return describe_shares(None)


def split_traffic(commands: WorkerCommands, shares: Mapping[str, int], message: str) -> None:
    """Give versions their shares of the traffic; again after an outage, which changes no more.

    Raises:
        NoAnswerError: wrangler failed again and again.
    """
    command = commands.split(shares, message)
    outage_retries(RefusedError, pauses=RETRY_PAUSES_SECONDS)(command.run)


def give_all_traffic(commands: WorkerCommands, version: str, message: str) -> str | None:
    """Give a version all traffic; return why it does not have it, None where it has.

    An answer may be lost behind the change, so after any failure, and Ctrl+C, it is looked up.
    """
    try:
        split_traffic(commands, {version: FULL_TRAFFIC}, message)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # after any error, and Ctrl+C, people must be told which code serves
        serving = describe_serving(commands)
        return None if serving == version else f"{describe_error(error)}; what serves: {serving}"
    return None


def is_return(deployments: Sequence[Deployment]) -> bool:
    """Whether the newest deployments gave an earlier version all traffic again, by hand or not.

    `deployments` are the newest first. A changed secret makes a version of the same code.
    """
    for deployment in deployments:
        if not is_secret_change(deployment):
            message = str((deployment.get("annotations") or {}).get("workers/message") or "")
            is_back = message == BY_HAND or message.startswith(BACK_FROM)
            return is_back and sole_version(deployment) is not None
    return False
