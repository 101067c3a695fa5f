"""`ppp capacity`: how much a Worker takes, measured for some seconds on a pixel of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from ops.checks.load_test import Load, Measured, measure
from ops.cloudflare.target import Environment
from ops.commands.projects import PATH
from ops.commands.status import read_health
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.output import DASH, AsJson, console, counted, note, show_json
from ops.worker_api.client import Api, Row, open_api, path_segment
from ops.worker_api.entries import list_entries
from ops.worker_api.worker import LocalWorker, Url

# Marks what was measured, so that nobody takes it for visitors.
NAME = "ppp capacity test"
PRODUCTION = Environment.PRODUCTION

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp capacity --local --rate 50 --seconds 10 --connections 16")
def capacity(
    *,
    rate: Annotated[int, typer.Option(min=1, max=1_000, help="Events a second to send.")] = 50,
    seconds: Annotated[int, typer.Option(min=1, max=120, help="For so long.")] = 10,
    connections: Annotated[int, typer.Option(min=1, max=200, help="At most so many at once.")] = 16,
    local: LocalWorker = False,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Sends page views at a rate, and says how they were answered. Never to production.

    They go to a pixel named `ppp capacity test`, which is made for it and switched off behind it;
    its events stay. Elsewhere than on this machine all come from one address, so that most meet
    the limit of 100 a minute: raise TRACKING_PER_MINUTE there. Exits with 1 if an event was
    neither stored nor limited.
    """
    load = Load(rate, seconds, connections)
    with open_api(None, url, local=local) as api:
        _refuse_production(api)
        with _pixel(api) as pixel_id:
            note(f"sending {counted(load.events, 'event')} to the pixel {pixel_id}")
            measured = measure(
                api.worker.url, pixel_id, load, pretend=api.worker.is_on_this_machine
            )
    if as_json:
        show_json(
            {"url": api.worker.url, "pixel_id": pixel_id, **asdict(load), **_numbers(measured)}
        )
    else:
        _show(load, measured)
    return ExitCode.PROBLEMS if measured.failed else ExitCode.FINE


def _refuse_production(api: Api) -> None:
    """Sees that nobody's visitors wait for a test, whatever the address is called.

    Raises:
        WrongUsageError: it is production.
    """
    if PRODUCTION in {api.worker.name, read_health(api)["environment"]}:
        raise WrongUsageError(
            "production is not for load: name another Worker with --local or --url"
        )


@contextmanager
def _pixel(api: Api) -> Iterator[str]:
    """The marked pixel, switched on for the block."""
    project_id = _entry(api, PATH)
    path = f"{PATH}/pixels/{path_segment(_entry(api, f'{PATH}/{path_segment(project_id)}/pixels'))}"
    try:
        yield path.rpartition("/")[2]
    finally:
        api.send("DELETE", path)
        api.send("DELETE", f"{PATH}/{path_segment(project_id)}")
        note(f"the pixel and the project {NAME} are switched off again; their events stay")


def _entry(api: Api, path: str) -> str:
    """The marked entry of a list, made where there is none."""
    for entry in list_entries(api, path, include_inactive=True):
        if entry["name"] == NAME:
            entry_path = f"{PATH}/pixels" if "project_id" in entry else PATH
            api.send("PUT", f"{entry_path}/{path_segment(entry['id'])}", {"active": 1})
            return str(entry["id"])
    return str(api.send("POST", path, {"name": NAME})["data"]["id"])


def _numbers(measured: Measured) -> Row:
    return {
        "per_second": measured.per_second,
        "milliseconds": {f"p{share}": measured.percentile(share) for share in (50, 95, 99)},
        "stored": measured.stored,
        "limited": measured.limited,
        "failed": measured.failed,
        "statuses": dict(measured.statuses),
        "errors": dict(measured.errors),
    }


def _show(load: Load, measured: Measured) -> None:
    numbers = _numbers(measured)
    terminal = console()
    terminal.print(
        f"{measured.per_second:,.1f} requests a second (asked for {load.rate:,}), "
        f"{counted(load.connections, 'connection')}, {load.seconds} s"
    )
    for name, value in numbers["milliseconds"].items():
        terminal.print(f"  {name}  {DASH if value is None else f'{value:,.1f} ms'}")
    terminal.print(
        f"{measured.stored:,} stored, {measured.limited:,} met the rate limit, "
        f"{measured.failed:,} failed"
    )
    for what, number in (*measured.statuses.items(), *measured.errors.items()):
        terminal.print(f"  {number:>8,}  {what}")
