"""`ppp deploy`: checks, backs up, migrates, and brings the code to its traffic step by step."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ops.cloudflare.account import Account, described, find_account
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.cloudflare.versions import whole_version
from ops.commands.fields import DEFAULT_MAP
from ops.commands.preflight import HOURS, Accept, First, MapFile, MaxAge, Without, show
from ops.deploy.deployment import Choices, Deployment
from ops.deploy.dry_run import Step, plan
from ops.deploy.facts import Facts
from ops.deploy.preflight_checks import Preflight, Wanted, are_fine, as_objects
from ops.terminal.errors import ExitCode, NoAnswerError, WrongUsageError
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
)
from ops.worker_api.client import missing_key_error, open_api
from ops.worker_api.worker import Worker, choose_worker, find_key

WATCH_SECONDS = 120

AtOnce = Annotated[
    bool,
    typer.Option("--at-once", help="All traffic at once: for a new Durable Object migration."),
]
Watch = Annotated[
    int, typer.Option("--watch", min=0, metavar="SECONDS", help="Watch each share so long.")
]
LocalUrl = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="With --local: another address than `make dev`'s."),
]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp deploy --env production --dry-run")
def deploy(
    *,
    local: Local = False,
    env: Env = None,
    first: First = False,
    at_once: AtOnce = False,
    watch: Watch = WATCH_SECONDS,
    accept_database: Accept = None,
    without: Without = None,
    max_backup_age: MaxAge = HOURS,
    field_map: MapFile = DEFAULT_MAP,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    url: LocalUrl = None,
    persist_to: PersistTo = None,
) -> int:
    """Deploys this checkout: preflight, backup, migrations, then the code, share by share.

    A step that fails gives the old version all traffic again. Migrations stay; they only add. With
    --local there is no code to bring anywhere: the database is backed up and migrated. The API key,
    an admin's, is read from the environment variable PPP_API_KEY. Exits with 1 if a check or a step
    fails.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    target = choose_target(env, persist_to, local=local)
    worker = _worker(target, url)
    choices = Choices(first, first or at_once, watch)
    wanted = Wanted(field_map, max_backup_age, without or (), accept_database, first)
    announce(described(target, _account(target, dry_run=dry_run)), as_json=as_json)
    if dry_run:
        options = "--local" if local else f"--env {target.name}"
        _show_plan(plan(target, worker.url, options, choices), as_json=as_json)
        return ExitCode.FINE
    if not find_key(worker):
        raise missing_key_error(worker)
    with tempfile.TemporaryDirectory() as folder:
        facts = Facts(target, Path(folder))
        fine, said = _checked(Preflight(facts, wanted), as_json=as_json)
        if fine and (yes or confirmed(f"Deploy ({target.name})?")):
            said |= {"deployment": _deployed(facts, choices, worker)}
    if as_json:
        show_json({"environment": target.name, "fine": fine, **said})
    return ExitCode.FINE if "deployment" in said else ExitCode.PROBLEMS


def _worker(target: Target, url: str | None) -> Worker:
    """The Worker of the target."""
    if target.environment:
        if url:
            raise WrongUsageError("--url goes with --local: production's address is its route")
        return choose_worker(target.environment, None, local=False)
    worker = choose_worker(None, url, local=url is None)
    if not worker.is_on_this_machine:
        raise WrongUsageError("--local with --url must be an address on this machine")
    return worker


def _account(target: Target, *, dry_run: bool) -> Account | str | None:
    try:
        return find_account(target)
    except NoAnswerError as error:
        if dry_run:
            return f"not known, {error}"
        raise


def _checked(preflight: Preflight, *, as_json: bool) -> tuple[bool, dict[str, object]]:
    findings = preflight.findings()
    if not as_json:
        show(console(), findings)
    return are_fine(findings), as_objects(findings)


def _deployed(facts: Facts, choices: Choices, worker: Worker) -> dict[str, object]:
    target = facts.target
    applied = facts.schema.applied or ()
    pending = [name for name in facts.migrations if name not in applied]
    previous = whole_version(facts.deployment) if target.environment else None
    with open_api(
        target.environment, None if target.environment else worker.url, local=False
    ) as api:
        entry = Deployment(target, api, choices, facts.held, pending, previous).run()
    note(f"deployed: {entry['id']}. The first minutes: docs/runbook.md#deployment")
    return entry


def _show_plan(steps: Sequence[Step], *, as_json: bool) -> None:
    if as_json:
        show_json({"steps": [{"step": each.what, "commands": each.commands} for each in steps]})
        return
    for number, step in enumerate(steps, 1):
        typer.echo(f"{number}. {step.what}")
        for command in step.commands:
            typer.echo(f"   {command}")
