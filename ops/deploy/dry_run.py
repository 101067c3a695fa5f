"""The plan of a deployment as shell commands, to read or to run by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.backup.backup_maker import BACKUPS
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.cloudflare.versions import version_override
from ops.cloudflare.worker_commands import WorkerCommands
from ops.deploy.checkout import read_checkout, version_message
from ops.deploy.deployment import DeploymentOptions
from ops.deploy.deployment_log import LOG_KEY
from ops.deploy.rollout import FULL_TRAFFIC, SHARES

# Placeholders for ids that are unknown before the deployment.
NEW, OLD, ID = "NEW_VERSION", "OLD_VERSION", "ID"


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step of a deployment with its shell commands."""

    description: str
    commands: Sequence[str]


def plan_deployment(
    target: Target, url: str, target_options: str, options: DeploymentOptions, forecast: str
) -> Sequence[PlannedStep]:
    """Return the steps of a deployment. Unknown ids are words in capitals.

    `forecast` says what the jobs of the next day delete or move.
    """
    commands = WorkerCommands(target)
    log = str(Bucket(target).put_command(LOG_KEY, Path("log.ndjson")))
    first = " --first" if options.first else ""
    return [
        PlannedStep("check", [f"./ppp preflight {target_options}{first}"]),
        PlannedStep("log, that it begins", [log]),
        PlannedStep("back up", _backup_commands(target, url, options)),
        PlannedStep("apply the migrations that are new", [str(commands.apply_migrations())]),
        *(_release_steps(target, url, options) if target.environment else ()),
        PlannedStep("count the rows again, and log it", [log]),
        PlannedStep(f"the jobs: {forecast}", []),
    ]


def _backup_commands(target: Target, url: str, options: DeploymentOptions) -> Sequence[str]:
    if options.first:
        file = Path(f"exports/{ID}.sql")
        compressed = Path(f"{file}.gz")
        return [
            str(WorkerCommands(target).export(file)),
            f"gzip {file}",
            str(Bucket(target).put_command(str(compressed), compressed)),
        ]
    return [
        _curl_post(f"{url}{BACKUPS}"),
        f"{_curl_post(f'{url}{BACKUPS}/{ID}/continue')}  # until verified",
    ]


def _curl_post(address: str) -> str:
    return f'curl -X POST -H "X-API-Key: $PPP_API_KEY" {address}'


def _release_steps(target: Target, url: str, options: DeploymentOptions) -> Sequence[PlannedStep]:
    commands = WorkerCommands(target)
    commit, uncommitted = read_checkout()
    message = version_message(commit, uncommitted=bool(uncommitted))
    # Which it refuses is known only when it is tried: the old code may have had the class already.
    refused = ", which Cloudflare refuses across a new Durable Object class: docs/upgrade.md, Back"
    rollback = PlannedStep(
        f"where a step fails from here on{refused if options.first else ''}",
        [str(commands.split({OLD: FULL_TRAFFIC}, f"back from {message}"))],
    )
    if options.is_at_once:
        upload = PlannedStep("upload, with all traffic", [str(commands.deploy(message))])
        return [upload, PlannedStep("ask it, and watch it", [f"curl {url}/health"]), rollback]
    [(name, value)] = version_override(str(target.settings["name"]), NEW).items()
    return [
        PlannedStep("upload a version", [str(commands.upload(message))]),
        PlannedStep("let it answer who asks for it", [_split_command(target, 0, message)]),
        PlannedStep("ask it", [f"curl -H '{name}: {value}' {url}/health"]),
        *(
            PlannedStep(f"give it {share} % and watch it", [_split_command(target, share, message)])
            for share in SHARES
        ),
        PlannedStep("set routes and cron triggers", [str(commands.set_triggers())]),
        rollback,
    ]


def _split_command(target: Target, share: int, message: str) -> str:
    old = {OLD: FULL_TRAFFIC - share} if share < FULL_TRAFFIC else {}
    return str(WorkerCommands(target).split({NEW: share, **old}, message))
