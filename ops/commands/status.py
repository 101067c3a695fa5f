"""`ppp status`: the state of a Worker on one screen."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from ops.checks.status_lines import StatusLine, StatusSnapshot, status_lines
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.options import AsJson
from ops.terminal.output import console, show_json
from ops.worker_api.client import Api, Row, open_public_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url

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
        not_read=[reason for reason in (no_metrics, no_backups) if reason],
    )


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
        terminal.print(text, style="yellow" if line.is_problem else None, soft_wrap=True)
    problems = sum(line.is_problem for line in lines)
    typer.echo(f"\n{problems} to look at: docs/runbook.md" if problems else "\nall is well")


def _as_json(snapshot: StatusSnapshot, lines: Sequence[StatusLine]) -> Row:
    return {
        "url": snapshot.url,
        "health": snapshot.health,
        "metrics": snapshot.metrics and snapshot.metrics["metrics"],
        "backup": snapshot.newest_backup,
        "not_read": snapshot.not_read,
        "problems": [f"{line.name}: {line.text}" for line in lines if line.is_problem],
    }
