"""`ppp status`: the look in the morning, on one screen."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from ops.checks.status_lines import Line, Look, lines_of
from ops.terminal.errors import ExitCode, NoAnswerError, OpsError
from ops.terminal.output import AsJson, console, show_json
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
    """Says how everything is: the Worker, its data, the leads, Pipedrive, the jobs, the backups.

    Without a key it says what anybody may know. What needs somebody to look is marked with !, and
    the exit code is 1 then.
    """
    with open_public_api(env, url, local=local) as api:
        look = _look(api)
        lines = lines_of(look)
        if as_json:
            show_json({"environment": api.worker.name, **_as_json(look, lines)})
        else:
            _show(lines)
    return ExitCode.PROBLEMS if any(line.is_problem for line in lines) else ExitCode.FINE


def _look(api: Api) -> Look:
    health = read_health(api)
    metrics, not_read = _optional(api, "/api/reports/metrics")
    backups, no_backups = _optional(api, "/api/backups")
    return Look(
        url=api.worker.url,
        health=health,
        metrics=metrics,
        backups=backups["data"] if backups else None,
        not_read=[each for each in (not_read, no_backups) if each],
    )


def read_health(api: Api) -> Row:
    """What the Worker says of its parts, well or not.

    Raises:
        NoAnswerError: it says nothing.
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


def _optional(api: Api, path: str) -> tuple[Row | None, str | None]:
    """An answer, or why there is none."""
    if api.key is None:
        return None, f"{path}: no key is set"
    try:
        return api.get(path), None
    except OpsError as error:
        return None, f"{path}: {error}"


def _show(lines: Sequence[Line]) -> None:
    terminal = console()
    for line in lines:
        mark = "!" if line.is_problem else " "
        text = f"{mark} {line.name:<20} {line.text}"
        terminal.print(text, style="yellow" if line.is_problem else None, soft_wrap=True)
    problems = sum(line.is_problem for line in lines)
    typer.echo(f"\n{problems} to look at: docs/runbook.md" if problems else "\nall is well")


def _as_json(look: Look, lines: Sequence[Line]) -> Row:
    return {
        "url": look.url,
        "health": look.health,
        "metrics": look.metrics and look.metrics["metrics"],
        "backup": look.newest_backup,
        "not_read": look.not_read,
        "problems": [f"{line.name}: {line.text}" for line in lines if line.is_problem],
    }
