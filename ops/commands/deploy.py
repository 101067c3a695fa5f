"""`ppp deploy`: check, back up, migrate, and release the code share by share of the traffic."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from ops.cloudflare.account import Account, describe_target, find_account
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.cloudflare.versions import sole_version
from ops.commands.fields import DEFAULT_MAP
from ops.commands.preflight import (
    DEFAULT_MAX_BACKUP_HOURS,
    AcceptedDatabase,
    FirstDeployment,
    MapFile,
    MaxBackupAge,
    OptionalSecrets,
    note_check,
    show_results,
)
from ops.deploy.checkout import note_unknown_code
from ops.deploy.deployment import Deployment, DeploymentOptions
from ops.deploy.dry_run import PlannedStep, plan_deployment
from ops.deploy.facts import DeploymentFacts
from ops.deploy.job_forecast import describe_forecasts
from ops.deploy.preflight_checks import Preflight, PreflightOptions, all_passed, results_as_json
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import announce, confirm, console, note, require_no_question, show_json
from ops.worker_api.client import missing_key_error, open_api
from ops.worker_api.worker import Worker, choose_worker, find_key

DEFAULT_WATCH_SECONDS = 120

AllTraffic = Annotated[
    bool,
    typer.Option(
        "--at-once", help="Shift all traffic at once: for a new Durable Object migration."
    ),
]
WatchSeconds = Annotated[
    int,
    typer.Option(
        "--watch",
        min=0,
        metavar="SECONDS",
        envvar="PPP_WATCH_SECONDS",
        help="How long each share of the traffic is watched.",
    ),
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
    first: FirstDeployment = False,
    all_traffic: AllTraffic = False,
    watch: WatchSeconds = DEFAULT_WATCH_SECONDS,
    accept_database: AcceptedDatabase = None,
    optional_secrets: OptionalSecrets = None,
    max_backup_age: MaxBackupAge = DEFAULT_MAX_BACKUP_HOURS,
    field_map: MapFile = DEFAULT_MAP,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    url: LocalUrl = None,
    persist_to: PersistTo = None,
) -> int:
    """Deploys this checkout, with all checks and a backup.

    The order: preflight, backup, migrations, then the code, share by share of the traffic. If a
    step fails, the old version gets all traffic again. Migrations stay; they only add. With --local
    there is no code to deploy: the database is backed up and migrated. The API key, an admin's, is
    read from the environment variable PPP_API_KEY. Exits with 1 if a check or a step fails.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    target = choose_target(env, persist_to, local=local)
    worker = _choose_worker(target, url)
    options = DeploymentOptions(
        *(first, first or all_traffic, watch),
        accepts_database=accept_database == target.database_id,
    )
    preflight_options = PreflightOptions(
        field_map, max_backup_age, optional_secrets or (), accept_database, first
    )
    announce(describe_target(target, _find_account(target, dry_run=dry_run)), as_json=as_json)
    note_unknown_code()
    if dry_run:
        target_options = "--local" if local else f"--env {target.name}"
        forecast = _read_forecast(target)
        steps = plan_deployment(target, worker.url, target_options, options, forecast)
        _show_plan(steps, as_json=as_json)
        return ExitCode.FINE
    if not find_key(worker):
        raise missing_key_error(worker)
    with tempfile.TemporaryDirectory() as folder:
        facts = DeploymentFacts(target, Path(folder))
        results = Preflight(facts, preflight_options, note_check).run()
        if not as_json:
            show_results(console(), results)
        outcome = results_as_json(results)
        if all_passed(results) and (yes or confirm(_question(facts))):
            outcome |= {"deployment": _deploy(facts, options, worker)}
    if as_json:
        show_json({"environment": target.name, "fine": all_passed(results), **outcome})
    return ExitCode.FINE if "deployment" in outcome else ExitCode.PROBLEMS


def _choose_worker(target: Target, url: str | None) -> Worker:
    """Return the Worker of the target.

    Raises:
        WrongUsageError: --url does not fit the target.
    """
    if target.environment:
        if url:
            raise WrongUsageError("--url goes with --local: production's address is its route")
        return choose_worker(target.environment, None, local=False)
    worker = choose_worker(None, url, local=url is None)
    if not worker.is_on_this_machine:
        raise WrongUsageError("--local with --url must be an address on this machine")
    return worker


def _find_account(target: Target, *, dry_run: bool) -> Account | str | None:
    """Return the account; a dry run goes on without one and says why it is unknown."""
    try:
        return find_account(target)
    except NoAnswerError as error:
        if dry_run:
            return f"not known, {error}"
        raise


def _read_forecast(target: Target) -> str:
    """Say what the jobs of the next day take; a dry run goes on if nobody can tell."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            return describe_forecasts(DeploymentFacts(target, Path(folder)).job_forecasts)
        except OpsError as error:
            return f"what they delete or move within a day is not known: {error}"


def _question(facts: DeploymentFacts) -> str:
    forecasts = facts.job_forecasts
    consequence = f"{describe_forecasts(forecasts)}. " if forecasts else ""
    return f"{consequence.capitalize()}Deploy ({facts.target.name})?"


def _deploy(
    facts: DeploymentFacts, options: DeploymentOptions, worker: Worker
) -> dict[str, object]:
    target = facts.target
    applied = facts.schema.applied or ()
    pending = [name for name in facts.migrations if name not in applied]
    previous = sole_version(facts.deployment) if target.environment else None
    url = None if target.environment else worker.url
    options = replace(options, switches_database=facts.is_switched)
    with open_api(target.environment, url, local=False) as api:
        entry = Deployment(target, api, options, facts.contents, pending, previous).run()
    note(f"deployed: {entry['id']}. The first minutes: docs/runbook.md#deployment")
    return entry


def _show_plan(steps: Sequence[PlannedStep], *, as_json: bool) -> None:
    if as_json:
        show_json(
            {"steps": [{"step": step.description, "commands": step.commands} for step in steps]}
        )
        return
    for number, step in enumerate(steps, 1):
        typer.echo(f"{number}. {step.description}")
        for command in step.commands:
            typer.echo(f"   {command}")
