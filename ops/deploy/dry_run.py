"""What a deployment would do, command by command, for who wants to see it or do it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.backup.backup_maker import BACKUPS
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.cloudflare.versions import override
from ops.cloudflare.worker_commands import Commands
from ops.deploy.checkout import commit_of_checkout, message_of
from ops.deploy.deployment import Choices
from ops.deploy.deployment_log import LOG
from ops.deploy.rollout import SHARES, WHOLE

NEW, OLD, ID = "NEW_VERSION", "OLD_VERSION", "ID"


@dataclass(frozen=True, slots=True)
class Step:
    """A step in words, with its commands."""

    what: str
    commands: Sequence[str]


def plan(target: Target, url: str, options: str, choices: Choices) -> Sequence[Step]:
    """The steps of a deployment. Ids that are not known yet stand as words in capitals."""
    commands = Commands(target)
    log = str(Bucket(target).putting(LOG, Path("log.ndjson")))
    first = " --first" if choices.first else ""
    return [
        Step("check", [f"./ppp preflight {options}{first}"]),
        Step("log, that it begins", [log]),
        Step("back up", _backing_up(target, url, choices)),
        Step("apply the migrations that are new", [str(commands.apply_migrations())]),
        *(_releasing(target, url, choices) if target.environment else ()),
        Step("count the rows again, and log it", [log]),
    ]


def _backing_up(target: Target, url: str, choices: Choices) -> Sequence[str]:
    if choices.first:
        file = Path(f"exports/{ID}.sql")
        packed = Path(f"{file}.gz")
        return [
            str(Commands(target).export(file)),
            f"gzip {file}",
            str(Bucket(target).putting(str(packed), packed)),
        ]
    return [_post(f"{url}{BACKUPS}"), f"{_post(f'{url}{BACKUPS}/{ID}/continue')}  # until verified"]


def _post(address: str) -> str:
    return f'curl -X POST -H "X-API-Key: $PPP_API_KEY" {address}'


def _releasing(target: Target, url: str, choices: Choices) -> Sequence[Step]:
    commands = Commands(target)
    message = message_of(commit_of_checkout()[0])
    back = Step(
        "where a step fails from here on",
        [str(commands.split({OLD: WHOLE}, f"back from {message}"))],
    )
    if choices.at_once:
        at_once = Step("upload, with all traffic", [str(commands.deploy_at_once(message))])
        return [at_once, Step("ask it, and watch it", [f"curl {url}/health"]), back]
    [(name, value)] = override(str(target.settings["name"]), NEW).items()
    return [
        Step("upload a version", [str(commands.upload(message))]),
        Step("let it answer who asks for it", [_split(target, 0, message)]),
        Step("ask it", [f"curl -H '{name}: {value}' {url}/health"]),
        *(
            Step(f"give it {share} % and watch it", [_split(target, share, message)])
            for share in SHARES
        ),
        Step("set routes and cron triggers", [str(commands.set_triggers())]),
        back,
    ]


def _split(target: Target, share: int, message: str) -> str:
    old = {OLD: WHOLE - share} if share < WHOLE else {}
    return str(Commands(target).split({NEW: share, **old}, message))
