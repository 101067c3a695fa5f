"""`ppp export`: a pixel's events in a file; an interrupted export is resumed."""

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

from ops.reports.export_file import BusyError, Checkpoint, ExportFile
from ops.reports.export_parts import (
    ExportPart,
    Format,
    closing,
    export_parts,
    following_lines,
    opening,
)
from ops.terminal.errors import ExitCode, OpsError, WrongUsageError
from ops.terminal.options import AsJson, PixelId, StartTime
from ops.terminal.output import counted, note, show_json
from ops.worker_api.client import Api, Parameters, open_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url
from services.core.cursors import parse_event_position
from services.reports.export_pages import MAX_EXPORT_ROWS

STDOUT = Path("-")
DEFAULT_DAYS = 30
# Some megabytes, so that little is lost when a part breaks off.
DEFAULT_BATCH_EVENTS = 5_000
# The rate limit of reports counts by the hour.
MAX_WAIT_SECONDS = 3_600

ShowCheckpoint = Callable[[Checkpoint], None]


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """Which events of which pixel are exported, as the options named them."""

    url: str
    pixel_id: str
    format: Format
    days: int | None
    start: str | None
    until: str | None
    cursor: str | None

    def as_json(self) -> dict[str, object]:
        """Return the query for the checkpoint file, which a later run compares with its own."""
        values = asdict(self)
        return {"to": values.pop("until"), **values}

    def first_checkpoint(self, now: datetime) -> Checkpoint:
        """Return where the export begins, with the end of its span."""
        return Checkpoint(until=self.until or f"{now:%Y-%m-%dT%H:%M:%SZ}", cursor=self.cursor)

    def span(self, until: str) -> Parameters:
        """Return the parameters of the span that ends at *until*."""
        start = {"from": self.start, "days": self.days}
        if not (self.start or self.days):
            start = {"days": DEFAULT_DAYS}
        return {**{name: value for name, value in start.items() if value}, "to": until}


commands = typer.Typer()


@commands.command(
    epilog="Example: ./ppp export PIXEL --env production --from 2026-01-01 --output events.csv"
)
def export(
    pixel_id: PixelId,
    *,
    format_name: Annotated[
        Format, typer.Option("--format", help="The format; json is one array of events.")
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option(
            help="The file to write; - for stdout.  [default: PIXEL.FORMAT]", show_default=False
        ),
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=365, help="The last DAYS before --to.  [default: 30]")
    ] = None,
    start: StartTime = None,
    until: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="TIME", help="The end of the span, in UTC, included.  [default: now]"
        ),
    ] = None,
    cursor: Annotated[
        str | None,
        typer.Option(metavar="TIME,ID", help="Only events after this one: its timestamp and id."),
    ] = None,
    batch: Annotated[
        int, typer.Option(min=1, max=MAX_EXPORT_ROWS, help="How many events to ask for at a time.")
    ] = DEFAULT_BATCH_EVENTS,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Writes a pixel's events to a file, the newest first.

    They hold personal data; only you may read the file. Until it is complete, it is named
    FILE.part, and the same command continues an interrupted export. After an interrupted export to
    stdout, continue with --cursor. Days are those of UTC. Exits with 1 if there is no event.
    """
    file = output or Path(f"{Path(pixel_id).name}.{format_name}")
    if cursor and parse_event_position(cursor) is None:
        raise WrongUsageError("--cursor must be an event's timestamp and id: 2026-05-01 12:00:00,9")
    if file == STDOUT and as_json:
        raise WrongUsageError("--json says what was written where: name a file with --output")
    if file != STDOUT and file.exists() and not force:
        raise WrongUsageError(f"{file} is there already: name another file, or add --force")
    with open_api(env, url, local=local, max_wait_seconds=MAX_WAIT_SECONDS) as api:
        query = ExportQuery(api.worker.url, pixel_id, format_name, days, start, until, cursor)
        if file == STDOUT:
            checkpoint = _to_stdout(api, query, batch)
        else:
            checkpoint = _to_file(api, query, batch, ExportFile(file, query.as_json()))
    if as_json:
        show_json(
            {
                "file": str(file),
                "format": format_name,
                **query.span(checkpoint.until),
                **_sizes(checkpoint),
            }
        )
    elif file != STDOUT:
        typer.echo(f"{file}: {counted(checkpoint.events, 'event')}, {checkpoint.bytes:,} bytes")
    return ExitCode.FINE if checkpoint.events else ExitCode.PROBLEMS


def _to_stdout(api: Api, query: ExportQuery, batch: int) -> Checkpoint:
    checkpoint = query.first_checkpoint(datetime.now(UTC))
    try:
        for part in _remaining_parts(api, query, batch, checkpoint):
            checkpoint = _advance(
                checkpoint, _write(sys.stdout.buffer, query, part, checkpoint), part
            )
    except (OpsError, KeyboardInterrupt) as error:
        raise _interruption(
            error, checkpoint, f"--to {checkpoint.until} --cursor '{checkpoint.cursor}' goes on"
        ) from None
    return checkpoint


def _to_file(api: Api, query: ExportQuery, batch: int, target: ExportFile) -> Checkpoint:
    checkpoint = target.read_checkpoint() or query.first_checkpoint(datetime.now(UTC))
    if checkpoint.events:
        note(f"going on after {counted(checkpoint.events, 'event')}")
    try:
        with _progress(query, checkpoint) as show, target.open_at(checkpoint) as file:
            for part in _remaining_parts(api, query, batch, checkpoint):
                written = _write(file, query, part, checkpoint)
                os.fsync(file.fileno())
                checkpoint = _advance(checkpoint, written, part)
                target.write_checkpoint(checkpoint)
                show(checkpoint)
        target.finish()
    except (OpsError, KeyboardInterrupt) as error:
        if not checkpoint.bytes and not isinstance(error, BusyError):
            target.discard()
        raise _interruption(error, checkpoint, "the same command goes on") from None
    return checkpoint


def _remaining_parts(
    api: Api, query: ExportQuery, batch: int, checkpoint: Checkpoint
) -> Iterator[ExportPart]:
    if checkpoint.is_whole:
        return iter(())
    parameters = {**query.span(checkpoint.until), "limit": batch}
    return export_parts(api, query.pixel_id, query.format, parameters, checkpoint.cursor)


def _write(file: BinaryIO, query: ExportQuery, part: ExportPart, checkpoint: Checkpoint) -> int:
    """Append a part to what is written, and return its number of bytes."""
    head = b"" if checkpoint.bytes else opening(query.format)
    tail = b"" if part.next_cursor else closing(query.format)
    content = head + following_lines(query.format, part, checkpoint.events) + tail
    file.write(content)
    file.flush()
    return len(content)


def _advance(checkpoint: Checkpoint, written: int, part: ExportPart) -> Checkpoint:
    return replace(
        checkpoint,
        cursor=part.next_cursor,
        events=checkpoint.events + part.events,
        bytes=checkpoint.bytes + written,
        is_whole=part.next_cursor is None,
    )


def _interruption(error: BaseException, checkpoint: Checkpoint, remedy: str) -> BaseException:
    """Add to an error what is safe and how to go on."""
    if not checkpoint.events:
        return error
    message = str(error) or "stopped"
    kind = type(error) if isinstance(error, OpsError) else OpsError
    return kind(f"{message}; {counted(checkpoint.events, 'event')} are safe: {remedy}")


def _sizes(checkpoint: Checkpoint) -> dict[str, int]:
    return {"events": checkpoint.events, "bytes": checkpoint.bytes}


@contextmanager
def _progress(query: ExportQuery, checkpoint: Checkpoint) -> Iterator[ShowCheckpoint]:
    """Show at a terminal how much of the span is exported."""
    terminal = Console(stderr=True, highlight=False, markup=False)
    columns = (BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("asking for the first events", total=1.0)

        def show(checkpoint: Checkpoint) -> None:
            oldest = f" back to {checkpoint.cursor.partition(',')[0]}" if checkpoint.cursor else ""
            description = f"{counted(checkpoint.events, 'event')}{oldest}"
            bar.update(task, description=description, completed=_share(query, checkpoint))

        if checkpoint.events:
            show(checkpoint)
        yield show


def _share(query: ExportQuery, checkpoint: Checkpoint) -> float:
    """Compute the share of the span that is exported, from its end to its beginning."""
    if checkpoint.cursor is None:
        return 1.0
    end_of_span = _utc(checkpoint.until)
    days = timedelta(days=query.days or DEFAULT_DAYS)
    start = _utc(query.start) if query.start else end_of_span - days
    position = _utc(checkpoint.cursor.partition(",")[0])
    return max(
        0.0, min(1.0, (end_of_span - position) / max(end_of_span - start, timedelta(seconds=1)))
    )


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
