"""`ppp stats`: reports of a pixel, of a project, of now, and of campaign tagging."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from ops.reports.report_tables import (
    show_breakdown,
    show_campaigns,
    show_live,
    show_pixel,
    show_project,
)
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson, Days, EndTime, PixelId, ProjectId, StartTime, TimeZone
from ops.terminal.output import console, show_json
from ops.worker_api.client import Api, Parameters, Row, path_segment
from ops.worker_api.with_api import with_api
from services.reports.breakdowns import PROPERTIES

PATH = "/api/reports"
Touch = Literal["credit", "first", "last", "last_non_direct", "linear", "position", "time_decay"]

By = Annotated[
    list[str] | None,
    typer.Option("--by", metavar="PROPERTY", help=f"{', '.join(PROPERTIES)}. May be repeated."),
]

commands = typer.Typer(name="stats", help="Reports: pixel, project, live, campaigns.")


@commands.command(epilog="Example: ./ppp stats pixel ppp-demo-pixel --local --by source --days 7")
@with_api
def pixel(
    api: Api,
    pixel_id: PixelId,
    *,
    by: By = None,
    touch: Annotated[
        Touch, typer.Option(help="Which touches --by credits; docs/attribution.md explains them.")
    ] = "credit",
    days: Days = None,
    start: StartTime = None,
    end: EndTime = None,
    zone: TimeZone = None,
    as_json: AsJson = False,
) -> int:
    """Reports a pixel's events; with --by, by property.

    Exits with 1 if there are none.
    """
    span = _span_parameters(days, start, end, zone)
    if by:
        properties = dict.fromkeys(by)
        breakdowns = [_breakdown(api, pixel_id, name, span, touch) for name in properties]
        return _show_breakdowns(breakdowns, as_json=as_json)
    data = api.get(f"{PATH}/stats/{path_segment(pixel_id)}", span)["data"]
    if as_json:
        show_json(data)
    else:
        show_pixel(console(), data)
    return ExitCode.FINE if data["summary"]["total_events"] else ExitCode.PROBLEMS


@commands.command(epilog="Example: ./ppp stats project ppp-demo-project --local --from 2026-03-01")
@with_api
def project(
    api: Api,
    project_id: ProjectId,
    *,
    days: Days = None,
    start: StartTime = None,
    end: EndTime = None,
    zone: TimeZone = None,
    as_json: AsJson = False,
) -> int:
    """Reports a project's events, in total and by pixel.

    Exits with 1 if there are none.
    """
    span = _span_parameters(days, start, end, zone)
    path = f"{PATH}/project/{path_segment(project_id)}/stats"
    pages = [page["data"] for page in api.pages(path, span)]
    pixels = [row for page in pages for row in page["pixel_breakdown"]]
    data = {**pages[0], "pixel_breakdown": pixels, "next_cursor": None}
    if as_json:
        show_json(data)
    else:
        show_project(console(), data)
    return ExitCode.FINE if data["summary"]["total_events"] else ExitCode.PROBLEMS


@commands.command(epilog="Example: ./ppp stats live ppp-demo-pixel --env production")
@with_api
def live(
    api: Api,
    pixel_id: PixelId,
    *,
    as_json: AsJson = False,
) -> int:
    """Shows a pixel's last 24 hours and ten newest events.

    Exits with 1 if there are none.
    """
    data = api.get(f"{PATH}/realtime/{path_segment(pixel_id)}")["data"]
    if as_json:
        show_json(data)
    else:
        show_live(console(), data)
    return ExitCode.FINE if data["recent_events"] else ExitCode.PROBLEMS


@commands.command(epilog="Example: ./ppp stats campaigns --env production")
@with_api
def campaigns(
    api: Api,
    *,
    as_json: AsJson = False,
) -> int:
    """Shows how well campaigns are tagged.

    That is the share of the last 48 hours that can be credited, and the parameters that are not
    kept.
    """
    data = api.get(f"{PATH}/debug/utm-analysis")["data"]
    if as_json:
        show_json(data)
    else:
        show_campaigns(console(), data)
    return ExitCode.FINE


def _span_parameters(
    days: int | None, start: str | None, end: str | None, zone: str | None
) -> Parameters:
    """Build the parameters of a span; the Worker refuses those that exclude each other."""
    options = {"days": days, "from": start, "to": end, "tz": zone}
    return {name: value for name, value in options.items() if value is not None}


def _breakdown(api: Api, pixel_id: str, by: str, span: Parameters, touch: Touch) -> Row:
    path = f"{PATH}/breakdown/{path_segment(pixel_id)}"
    pages = [page["data"] for page in api.pages(path, {**span, "by": by, "attribution": touch})]
    return {
        **pages[0],
        "rows": [row for page in pages for row in page["rows"]],
        "next_cursor": None,
    }


def _show_breakdowns(breakdowns: Sequence[Row], *, as_json: bool) -> int:
    if as_json:
        show_json(breakdowns[0] if len(breakdowns) == 1 else breakdowns)
    else:
        for data in breakdowns:
            show_breakdown(console(), data)
    return ExitCode.FINE if any(data["rows"] for data in breakdowns) else ExitCode.PROBLEMS
