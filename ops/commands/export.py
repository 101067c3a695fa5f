"""`ppp export`: a pixel's events in a file, all of them or none; what breaks off goes on later."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ops.commands.stats import From, PixelId
from ops.reports.export_file import BusyError, ExportFile, Place
from ops.reports.export_parts import Format, Part, begin, end, joined, parts
from ops.terminal.errors import ExitCode, OpsError, WrongUsageError
from ops.terminal.output import AsJson, counted, note, show_json
from ops.worker_api.client import Api, Parameters, asking
from ops.worker_api.worker import EnvWorker, LocalWorker, Url
from services.core.event_place import read_cursor
from services.reports.export_pages import MAX_ROWS

STDOUT = Path("-")
DEFAULT_DAYS = 30
# Some megabytes, so that little is lost where a part breaks off.
DEFAULT_BATCH = 5_000
# The limit of the Worker's reports is by the hour.
HOUR = 3_600

ShowPlace = Callable[[Place], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command asks for, as it was said."""

    url: str
    pixel_id: str
    format: Format
    days: int | None
    start: str | None
    to: str | None
    cursor: str | None

    def begun(self, now: datetime) -> Place:
        """Where an export begins. Its end is fixed, so that later parts are of the same span."""
        return Place(to=self.to or f"{now:%Y-%m-%dT%H:%M:%SZ}", cursor=self.cursor)

    def span(self, place: Place) -> Parameters:
        """The span as the Worker reads it."""
        start = {"from": self.start, "days": self.days}
        if not (self.start or self.days):
            start = {"days": DEFAULT_DAYS}
        return {**{name: value for name, value in start.items() if value}, "to": place.to}


commands = typer.Typer()


@commands.command(
    epilog="Example: ./ppp export PIXEL --env production --from 2026-01-01 --output events.csv"
)
def export(
    pixel_id: PixelId,
    *,
    format_name: Annotated[
        Format, typer.Option("--format", help="json is an array of events.")
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option(help="Where to; - for stdout.  [default: PIXEL.FORMAT]", show_default=False),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=365, help="The last DAYS before --to.  [default: 30]")
    ] = None,
    from_: From = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Included, in UTC; otherwise now.")
    ] = None,
    cursor: Annotated[
        str | None,
        typer.Option(metavar="TIME,ID", help="Only events after this one: its timestamp and id."),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, max=MAX_ROWS, help="How many events to ask for at a time.")
    ] = DEFAULT_BATCH,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Writes a pixel's events to a file, the newest first, all columns.

    They hold personal data; only you may read the file. It has its name when all events are in it:
    until then FILE.part grows, and the same command goes on where an earlier one stopped. Of what
    goes to stdout, --cursor goes on. Days are those of UTC. Exits with 1 if there is no event.
    """
    file = output or Path(f"{Path(pixel_id).name}.{format_name}")
    if cursor and read_cursor(cursor) is None:
        raise WrongUsageError("--cursor must be an event's timestamp and id: 2026-05-01 12:00:00,9")
    if file == STDOUT and as_json:
        raise WrongUsageError("--json says what was written where: name a file with --output")
    if file != STDOUT and file.exists() and not force:
        raise WrongUsageError(f"{file} is there already: name another file, or add --force")
    with asking(env, url, local=local, longest_wait=HOUR) as api:
        wanted = Wanted(api.worker.url, pixel_id, format_name, days, from_, to, cursor)
        if file == STDOUT:
            place = _to_stdout(api, wanted, batch)
        else:
            place = _to_file(api, wanted, batch, ExportFile(file, asdict(wanted)))
    if as_json:
        show_json({"file": str(file), "format": format_name, **wanted.span(place), **_sizes(place)})
    elif file != STDOUT:
        typer.echo(f"{file}: {counted(place.events, 'event')}, {place.bytes:,} bytes")
    return ExitCode.FINE if place.events else ExitCode.PROBLEMS


def _to_stdout(api: Api, wanted: Wanted, batch: int) -> Place:
    place = wanted.begun(datetime.now(UTC))
    try:
        for part in _asked(api, wanted, batch, place):
            place = _follow(place, _write(sys.stdout.buffer, wanted, part, place), part)
    except (OpsError, KeyboardInterrupt) as error:
        raise _stopped(error, place, f"--to {place.to} --cursor '{place.cursor}' goes on") from None
    return place


def _to_file(api: Api, wanted: Wanted, batch: int, target: ExportFile) -> Place:
    place = target.place() or wanted.begun(datetime.now(UTC))
    if place.events:
        note(f"going on after {counted(place.events, 'event')}")
    try:
        with _progress(wanted, place) as show, target.opened(place) as opened:
            for part in _asked(api, wanted, batch, place):
                written = _write(opened, wanted, part, place)
                os.fsync(opened.fileno())
                place = _follow(place, written, part)
                target.note(place)
                show(place)
        target.finish()
    except (OpsError, KeyboardInterrupt) as error:
        if not place.bytes and not isinstance(error, BusyError):
            target.forget()
        raise _stopped(error, place, "the same command goes on") from None
    return place


def _asked(api: Api, wanted: Wanted, batch: int, place: Place) -> Iterator[Part]:
    if place.is_whole:
        return iter(())
    parameters = {**wanted.span(place), "limit": batch}
    return parts(api, wanted.pixel_id, wanted.format, parameters, place.cursor)


def _write(opened: BinaryIO, wanted: Wanted, part: Part, place: Place) -> int:
    """Writes a part behind what is there, and returns its number of bytes."""
    before = b"" if place.bytes else begin(wanted.format)
    behind = b"" if part.next_cursor else end(wanted.format)
    written = before + joined(wanted.format, part, place.events) + behind
    opened.write(written)
    opened.flush()
    return len(written)


def _follow(place: Place, written: int, part: Part) -> Place:
    return replace(
        place,
        cursor=part.next_cursor,
        events=place.events + part.events,
        bytes=place.bytes + written,
        is_whole=part.next_cursor is None,
    )


def _stopped(error: BaseException, place: Place, remedy: str) -> BaseException:
    """The error with what is safe, and how to go on."""
    if not place.events:
        return error
    said = str(error) or "stopped"
    kind = type(error) if isinstance(error, OpsError) else OpsError
    return kind(f"{said}; {counted(place.events, 'event')} are safe: {remedy}")


def _sizes(place: Place) -> dict[str, int]:
    return {"events": place.events, "bytes": place.bytes}


@contextmanager
def _progress(wanted: Wanted, place: Place) -> Iterator[ShowPlace]:
    """A bar of how much of the span is done, for people at a terminal."""
    terminal = Console(stderr=True, highlight=False, markup=False)
    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("asking for the first events", total=1.0)

        def show(place: Place) -> None:
            back = f" back to {place.cursor.partition(',')[0]}" if place.cursor else ""
            said = f"{counted(place.events, 'event')}{back}"
            bar.update(task, description=said, completed=_share(wanted, place))

        if place.events:
            show(place)
        yield show


def _share(wanted: Wanted, place: Place) -> float:
    """Which part of the span is done: exports go from its end to its beginning."""
    if place.cursor is None:
        return 1.0
    end_of_span = _moment(place.to)
    days = timedelta(days=wanted.days or DEFAULT_DAYS)
    start = _moment(wanted.start) if wanted.start else end_of_span - days
    at = _moment(place.cursor.partition(",")[0])
    return max(0.0, min(1.0, (end_of_span - at) / max(end_of_span - start, timedelta(seconds=1))))


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
