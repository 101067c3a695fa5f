"""`ppp capacity`: measure how many events a second a Worker answers, on a pixel for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from ops.checks.load_test import Load, LoadResult, run_load
from ops.cloudflare.target import Environment
from ops.commands.status import read_health
from ops.projects.entries import PIXELS, PROJECTS, activate_entry
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import DASH, console, counted, note, show_json
from ops.worker_api.client import Api, Row, open_api, path_segment
from ops.worker_api.worker import LocalWorker, Url

# Marks the events of a test, so that nobody takes them for visitors.
NAME = "ppp capacity test"
PRODUCTION = Environment.PRODUCTION

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp capacity --local --rate 50 --seconds 10 --connections 16")
def capacity(
    *,
    rate: Annotated[int, typer.Option(min=1, max=1_000, help="Events a second to send.")] = 50,
    seconds: Annotated[int, typer.Option(min=1, max=120, help="Duration in seconds.")] = 10,
    connections: Annotated[
        int, typer.Option(min=1, max=200, help="Requests at once, at most.")
    ] = 16,
    local: LocalWorker = False,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Sends page views at a rate; never to production.

    They go to a pixel named `ppp capacity test`, which is created for the test and deactivated
    afterwards; its events stay. Against another machine they all come from one address and meet the
    rate limit of 100 a minute: raise TRACKING_PER_MINUTE there. Exits with 1 if an event was
    neither stored nor rate-limited.
    """
    load = Load(rate, seconds, connections)
    with open_api(None, url, local=local) as api:
        _refuse_production(api)
        with _active_pixel(api) as pixel_id:
            note(f"sending {counted(load.events, 'event')} to the pixel {pixel_id}")
            result = run_load(
                api.worker.url, pixel_id, load, fake_clients=api.worker.is_on_this_machine
            )
    if as_json:
        show_json({"url": api.worker.url, "pixel_id": pixel_id, **asdict(load), **_numbers(result)})
    else:
        _show(load, result)
    return ExitCode.PROBLEMS if result.failed else ExitCode.FINE


def _refuse_production(api: Api) -> None:
    """Check that the Worker is not production, whatever its address.

    Raises:
        WrongUsageError: it is production.
    """
    if PRODUCTION in {api.worker.name, read_health(api)["environment"]}:
        raise WrongUsageError(
            "production is not for load: name another Worker with --local or --url"
        )


@contextmanager
def _active_pixel(api: Api) -> Iterator[str]:
    """Activate the pixel for tests for the block, and yield its id."""
    project_id = activate_entry(api, PROJECTS, NAME, {})
    pixel_id = activate_entry(api, f"{PROJECTS}/{path_segment(project_id)}/pixels", NAME, {})
    path = f"{PIXELS}/{path_segment(pixel_id)}"
    try:
        yield pixel_id
    finally:
        api.send("DELETE", path)
        api.send("DELETE", f"{PROJECTS}/{path_segment(project_id)}")
        note(f"the pixel and the project {NAME} are switched off again; their events stay")


def _numbers(result: LoadResult) -> Row:
    return {
        "per_second": result.per_second,
        "milliseconds": {f"p{share}": result.percentile(share) for share in (50, 95, 99)},
        "stored": result.stored,
        "limited": result.limited,
        "failed": result.failed,
        "statuses": dict(result.statuses),
        "errors": dict(result.errors),
    }


def _show(load: Load, result: LoadResult) -> None:
    numbers = _numbers(result)
    terminal = console()
    terminal.print(
        f"{result.per_second:,.1f} requests a second (asked for {load.rate:,}), "
        f"{counted(load.connections, 'connection')}, {load.seconds} s"
    )
    for name, value in numbers["milliseconds"].items():
        terminal.print(f"  {name}  {DASH if value is None else f'{value:,.1f} ms'}")
    terminal.print(
        f"{result.stored:,} stored, {result.limited:,} met the rate limit, {result.failed:,} failed"
    )
    for status_or_error, number in (*result.statuses.items(), *result.errors.items()):
        terminal.print(f"  {number:>8,}  {status_or_error}")
