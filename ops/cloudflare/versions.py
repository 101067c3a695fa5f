"""The versions of the Worker at Cloudflare and their shares of the traffic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ops.cloudflare.target import BINDING
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import RefusedError, WranglerCommand
from ops.terminal.errors import NoAnswerError

# The messages for a Worker that was never deployed.
_NEVER_DEPLOYED = ("does not exist", "has no deployments")

_PLAIN_TYPES = ("plain_text", "json")

BEHIND_MIGRATION = (
    "a Durable Object migration lies between it and the version that serves, and Cloudflare "
    "refuses that. Deploy the old code from its own checkout: the JavaScript Worker as "
    "docs/upgrade.md#back says, a version of this one with ./ppp deploy --at-once"
)

OVERRIDE_HEADER = "Cloudflare-Workers-Version-Overrides"


def version_override(worker: str, version: str) -> Mapping[str, str]:
    """Return the header that sends a request to one version of the current deployment.

    The version may have no share of the traffic. Preview URLs do not exist for a Worker with a
    Durable Object of its own.
    """
    return {OVERRIDE_HEADER: f'{worker}="{version}"'}


def run_upload(command: WranglerCommand) -> str:
    """Run an upload or a deployment and return the new version's id.

    Raises:
        NoAnswerError: wrangler failed, or named no version.
    """
    for entry in command.report():
        if entry.get("type") in {"version-upload", "deploy"} and entry.get("version_id"):
            return str(entry["version_id"])
    raise NoAnswerError("wrangler named no version: npx wrangler versions list shows what there is")


def current_deployment(commands: WorkerCommands) -> Mapping[str, Any] | None:
    """Return the deployment that has the traffic; None if the Worker was never deployed.

    Raises:
        NoAnswerError: wrangler failed.
    """
    try:
        status: Mapping[str, Any] = commands.current_deployment().read_json()
    except RefusedError as error:
        if any(message in str(error) for message in _NEVER_DEPLOYED):
            return None
        raise
    return status


def list_deployments(commands: WorkerCommands) -> Sequence[Mapping[str, Any]]:
    """Return the last deployments, the newest first.

    Raises:
        NoAnswerError: wrangler failed.
    """
    deployments: list[Mapping[str, Any]] = commands.list_deployments().read_json()
    return deployments[::-1]


def is_secret_change(deployment: Mapping[str, Any]) -> bool:
    """Return whether a changed secret made a deployment, whose code is that of the one before."""
    return (deployment.get("annotations") or {}).get("workers/triggered_by") == "secret"


def plain_variables(commands: WorkerCommands, version: str) -> Sequence[str]:
    """Return the names of the vars of a version that are no secrets.

    Raises:
        NoAnswerError: wrangler failed.
    """
    bindings = _resources(commands, version).get("bindings") or []
    return sorted(
        str(binding["name"]) for binding in bindings if binding.get("type") in _PLAIN_TYPES
    )


def bound_database(commands: WorkerCommands, version: str) -> str | None:
    """Return the id of the D1 database that a version uses; None if it names none.

    Raises:
        NoAnswerError: wrangler failed.
    """
    for binding in _resources(commands, version).get("bindings") or []:
        if binding.get("type") == "d1" and binding.get("name") == BINDING:
            database_id: str | None = binding.get("id") or binding.get("database_id")
            return database_id
    return None


def is_behind_migration(commands: WorkerCommands, version: str, current: str) -> bool:
    """Return whether a Durable Object migration lies between a version and the current one.

    Cloudflare gives such a version no traffic again.

    Raises:
        NoAnswerError: wrangler failed.
    """
    tags = {
        (_resources(commands, version_id).get("script_runtime") or {}).get("migration_tag") or None
        for version_id in (version, current)
    }
    return len(tags) > 1


def _resources(commands: WorkerCommands, version: str) -> Mapping[str, Any]:
    details: Mapping[str, Any] = commands.show_version(version).read_json()
    return details.get("resources") or {}


def traffic_shares(deployment: Mapping[str, Any]) -> Mapping[str, float]:
    """Return the percentage of the traffic that each version of a deployment has."""
    return {version["version_id"]: version["percentage"] for version in deployment["versions"]}


def sole_version(deployment: Mapping[str, Any] | None) -> str | None:
    """Return the version that has all the traffic of a deployment, or None if it is split."""
    shares = traffic_shares(deployment) if deployment else {}
    return next(iter(shares)) if len(shares) == 1 else None
