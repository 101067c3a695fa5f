"""`ppp status`: the state of a Worker on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import typer

from ops.backup.choose_backup import backups_in_bucket
from ops.backup.high_water import read_database_contents, read_mark
from ops.backup.index import Backup
from ops.checks.status_lines import StatusLine, StatusSnapshot, status_lines
from ops.cloudflare.target import Target, choose_target
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.options import AsJson
from ops.terminal.output import console, note, show_json
from ops.worker_api.client import Api, Row, open_public_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url
from services.loss.judgement import judge_loss
from services.monitoring.health import NO_ANSWER

NO_TABLES = "the database has no tables, and there is a backup"

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp status --env production")
def status(
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Shows the health of Worker, data, jobs and backups.

    Without a key it shows what is public. Whatever needs attention is marked with !, and the exit
    code is then 1.
    """
    with open_public_api(env, url, local=local) as api:
        snapshot = _read_snapshot(api)
        if env or local:
            snapshot = _with_bucket(snapshot, choose_target(env, None, local=local))
        lines = status_lines(snapshot)
        if as_json:
            show_json({"environment": api.worker.name, **_as_json(snapshot, lines)})
        else:
            _show(lines)
    return ExitCode.PROBLEMS if any(line.is_problem for line in lines) else ExitCode.FINE


def _read_snapshot(api: Api) -> StatusSnapshot:
    health = read_health(api)
    metrics, no_metrics = _read_optional(api, "/api/reports/metrics")
    backups, no_backups = _read_optional(api, "/api/backups")
    return StatusSnapshot(
        url=api.worker.url,
        health=health,
        metrics=metrics,
        backups=backups["data"] if backups else None,
        # A Worker of an older version does not say them.
        sizes=backups.get("in_bucket") if backups else None,
        not_read=[reason for reason in (no_metrics, no_backups) if reason],
    )


def _with_bucket(snapshot: StatusSnapshot, target: Target) -> StatusSnapshot:
    """Read past the Worker what it could not say: the backups, and whether the database is lost."""
    options = f"--env {target.environment}" if target.environment else "--local"
    snapshot = replace(snapshot, options=options)
    database = snapshot.health["checks"].get("database", {})
    is_healthy = database.get("status") == "healthy"
    # Another database in place of the lost one lists none, or its own.
    if snapshot.newest_backup is None or not is_healthy:
        try:
            listed = backups_in_bucket(target)
        except OpsError as error:
            not_read = [*snapshot.not_read, f"the backups in R2: {error}"]
            snapshot = replace(snapshot, not_read=not_read)
        else:
            note(f"backups: read from R2, {target.bucket}")
            backups = [_backup_row(backup) for backup in listed]
            snapshot = replace(snapshot, backups=backups, sizes=_sizes(listed))
    if is_healthy:
        return snapshot
    try:
        contents = read_database_contents(target)
        loss = judge_loss(read_mark(target), contents, target.environment or "")
    except OpsError as error:
        return replace(snapshot, not_read=[*snapshot.not_read, f"the database itself: {error}"])
    if loss is None and contents.database_id is None and snapshot.newest_backup:
        # Without a mark nothing else says that there were tables; a schema that is merely older
        # answers with its migration.
        loss = NO_TABLES if database.get("error") == NO_ANSWER else None
    return replace(snapshot, loss=loss)


def _backup_row(backup: Backup) -> Row:
    """Return a backup of the index as the Worker's API shows it."""
    finished = backup.finished_at if backup.verified else None
    verified_at = f"{finished:%Y-%m-%dT%H:%M:%SZ}" if finished else None
    return {"id": backup.id, "rows": backup.rows, "verified_at": verified_at}


def _sizes(backups: Sequence[Backup]) -> Row | None:
    """Return the newest verified backup and the largest one, as the Worker's API shows them."""
    verified = [backup for backup in backups if backup.verified]
    if not verified:
        return None
    largest = max(verified, key=lambda backup: backup.events)
    return {
        name: {"id": backup.id, "events": backup.events}
        for name, backup in (("newest", verified[0]), ("largest", largest))
    }


def read_health(api: Api) -> Row:
    """Read the health of the Worker's parts, healthy or not.

    Raises:
        NoAnswerError: there is no answer, or it is not PPP Pixel's.
    """
    response = api.send_once("GET", "/health")
    try:
        health = response.json()
    except ValueError:
        health = None
    if not isinstance(health, dict) or "checks" not in health:
        raise NoAnswerError(
            f"{api.worker.url}/health answered {response.status_code}, and not as PPP Pixel does"
        )
    return health


def _read_optional(api: Api, path: str) -> tuple[Row | None, str | None]:
    """Return an answer, or the reason why there is none."""
    if api.key is None:
        return None, f"{path}: no key is set"
    try:
        return api.get(path), None
    except OpsError as error:
        return None, f"{path}: {error}"


def _show(lines: Sequence[StatusLine]) -> None:
    terminal = console()
    for line in lines:
        mark = "!" if line.is_problem else " "
        text = f"{mark} {line.name:<20} {line.text}"
        terminal.print(text, style="yellow" if line.is_problem else None)
    problems = sum(line.is_problem for line in lines)
    typer.echo(f"\n{problems} to look at: docs/runbook.md" if problems else "\nall is well")


def _as_json(snapshot: StatusSnapshot, lines: Sequence[StatusLine]) -> Row:
    return {
        "url": snapshot.url,
        "health": snapshot.health,
        "metrics": snapshot.metrics and snapshot.metrics["metrics"],
        "backup": snapshot.newest_backup,
        "not_read": snapshot.not_read,
        "first": step.text if (step := snapshot.first_step) else None,
        "problems": [f"{line.name}: {line.text}" for line in lines if line.is_problem],
    }
