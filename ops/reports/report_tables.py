"""The Worker's reports as people read them: a sentence, then tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from ops.terminal.output import DASH, counted, plain, show_table
from ops.worker_api.client import Row


def show_breakdown(terminal: Console, data: Row) -> None:
    """What one property splits the events into."""
    credit = "" if data["attribution"] == "credit" else f", attribution {data['attribution']}"
    title = f"{data['pixel_id']} by {data['by']}{credit}, {_time(data)}"
    names = ("value", "events", "visitors", "sessions", "submissions")
    rows = [[*(row[name] for name in names), _share(row["conversion"])] for row in data["rows"]]
    _show_section(terminal, title, (data["by"], *names[1:], "conversion"), rows)
    _show_archived(terminal, data)


def show_pixel(terminal: Console, data: Row) -> None:
    """What a pixel saw."""
    _show_summary(terminal, data["pixel_id"], data)
    for title, name, columns in (
        ("Sources", "top_sources", ("source", "medium", "campaign", "events", "visitors")),
        ("Pages", "top_pages", ("page_url", "views", "visitors")),
        ("Days", "daily_breakdown", ("date", "events", "visitors", "sessions")),
    ):
        _show_columns(terminal, title, columns, data[name])
    submissions = data["submissions"]
    _show_columns(terminal, "Forms", tuple(submissions), [submissions])
    lost = _share(data["delivery"]["measured_loss"])
    terminal.print(f"\nmeasured loss of numbered events: {lost}")


def show_project(terminal: Console, data: Row) -> None:
    """What the pixels of a project saw."""
    _show_summary(terminal, plain(data["project_name"]), data)
    rows = [
        {**pixel, "state": "active" if pixel["active"] else "inactive"}
        for pixel in data["pixel_breakdown"]
    ]
    columns = ("pixel_id", "pixel_name", "state", "events", "visitors", "sessions")
    _show_columns(terminal, "Pixels", columns, rows)


def show_live(terminal: Console, data: Row) -> None:
    """The last 24 hours by hour, and the newest events."""
    terminal.print(f"{data['pixel_id']}, the 24 hours before {data['updated_at']}")
    hours = ("hour", "events", "visitors")
    _show_columns(terminal, "Hours (UTC)", hours, data["hourly_breakdown"])
    columns = ("timestamp", "event_type", "page_url", "utm_source", "country")
    _show_columns(terminal, "Newest events", columns, data["recent_events"])


def show_campaigns(terminal: Console, data: Row) -> None:
    """What can be credited, and what is left out."""
    summary = data["summary"]
    terminal.print(
        f"{summary['total_events']:,} events in {data['hours']} hours: "
        f"{_share(summary['share_with_utm'])} with UTM parameters, "
        f"{_share(summary['share_with_click_id'])} with click IDs, "
        f"{_share(summary['share_with_either'])} with either"
    )
    _show_archived(terminal, data)
    title = "Parameters that no field holds"
    _show_columns(terminal, title, ("name", "events"), data["unstored_parameters"])
    columns = ("page_url", "pixel_id", "events", "parameters")
    rows = [{**row, "parameters": ", ".join(row["parameters"])} for row in data["unstored"]]
    _show_columns(terminal, "Where they were", columns, rows)


def _show_summary(terminal: Console, name: str, data: Row) -> None:
    summary = data["summary"]
    terminal.print(f"{name}, {_time(data)}")
    terminal.print(
        f"{counted(summary['total_events'], 'event')} "
        f"of {counted(summary['unique_visitors'], 'visitor')} "
        f"in {counted(summary['unique_sessions'], 'session')} "
        f"on {counted(summary['unique_pages'], 'page')}"
    )
    _show_archived(terminal, data)


def _show_archived(terminal: Console, data: Row) -> None:
    """What the numbers leave out; nothing, of a Worker that does not say it."""
    archived = data.get("archived") or {"events": 0}
    if archived["events"]:
        events = counted(archived["events"], "event")
        terminal.print(f"not counted: {events} of days until {archived['until']} in the archive")


def _show_columns(
    terminal: Console, title: str, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    _show_section(terminal, title, columns, [[row[name] for name in columns] for row in rows])


def _show_section(
    terminal: Console, title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    terminal.print(f"\n{title}", style="bold")
    if rows:
        show_table(terminal, [header.replace("_", " ") for header in headers], rows)
    else:
        terminal.print("nothing")


def _time(data: Row) -> str:
    span = data["date_range"]
    start, end = (span[name][:16].replace("T", " ") for name in ("from", "to"))
    return f"{start} to {end} UTC" + (f", days of {span['tz']}" if span["tz"] != "UTC" else "")


def _share(value: float | None) -> str:
    return DASH if value is None else f"{value:.2%}"
