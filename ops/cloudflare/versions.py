"""The versions of the Worker at Cloudflare: which have the traffic, and who may ask which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ops.cloudflare.worker_commands import Commands
from ops.cloudflare.wrangler_command import Command, RefusedError
from ops.terminal.errors import NoAnswerError

# What Cloudflare says of a Worker that was never deployed.
_NOT_THERE = ("does not exist", "has no deployments")

OVERRIDE = "Cloudflare-Workers-Version-Overrides"


def override(worker: str, version: str) -> Mapping[str, str]:
    """The header of a request that one version of the current deployment shall answer.

    A version answers so with no share of the traffic, too. A preview address does not exist for a
    Worker with a Durable Object of its own.
    """
    return {OVERRIDE: f'{worker}="{version}"'}


def version_of(command: Command) -> str:
    """Runs an upload or a deployment and returns the new version's id.

    Raises:
        NoAnswerError: wrangler failed, or named no version.
    """
    for entry in command.report():
        if entry.get("type") in {"version-upload", "deploy"} and entry.get("version_id"):
            return str(entry["version_id"])
    raise NoAnswerError("wrangler named no version: npx wrangler versions list shows what there is")


def current_deployment(commands: Commands) -> Mapping[str, Any] | None:
    """The deployment that has the traffic; None where no Worker is there yet.

    Raises:
        NoAnswerError: wrangler failed.
    """
    try:
        status: Mapping[str, Any] = commands.current_deployment().read_json()
    except RefusedError as error:
        if any(words in str(error) for words in _NOT_THERE):
            return None
        raise
    return status


def deployments_of(commands: Commands) -> Sequence[Mapping[str, Any]]:
    """The last deployments, the newest first.

    Raises:
        NoAnswerError: wrangler failed.
    """
    deployments: list[Mapping[str, Any]] = commands.list_deployments().read_json()
    return deployments[::-1]


def shares_of(deployment: Mapping[str, Any]) -> Mapping[str, float]:
    """The versions of a deployment with their shares of the traffic in percent."""
    return {each["version_id"]: each["percentage"] for each in deployment["versions"]}


def whole_version(deployment: Mapping[str, Any] | None) -> str | None:
    """The version that has all the traffic of a deployment, or None if it is split."""
    shares = shares_of(deployment) if deployment else {}
    return next(iter(shares)) if len(shares) == 1 else None
