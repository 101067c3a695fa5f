"""`ppp logs`: follow the Worker's log, one readable line each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from ops.checks.log_lines import LogLine, read_lines
from ops.cloudflare.target import Environment
from ops.terminal.errors import ExitCode, NoAnswerError, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import console, note, plain
from services.core.logs import LEVELS, Level
from wrangler import start_wrangler

COLOURS = {"debug": "dim", "info": "none", "warn": "yellow", "error": "red"}
LOCAL_LOG_HELP = (
    "`make dev` prints the log of this machine in its own terminal; "
    "`make dev | ./ppp logs --stdin` makes it readable"
)

commands = typer.Typer()


@commands.command(
    epilog="Example: ./ppp logs --env production --level warn --event sync_run --event alert"
)
def logs(
    *,
    env: Annotated[
        Environment | None, typer.Option("--env", help="The Worker at Cloudflare.")
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Explains how: see --stdin.")] = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Read `make dev` or `wrangler tail --format json`.")
    ] = False,
    level: Annotated[Level, typer.Option(help="Lines of this level and above.")] = "debug",
    events: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="NAME", help="Lines of this event. May be repeated."),
    ] = None,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="Lines of this request or run.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after this many lines.")] = None,
    as_json: AsJson = False,
) -> int:
    """Follows the log until Ctrl+C. Exits with 1 if there was no line.

    Of a request only the method and the path are shown, never its query or headers.
    """
    if local:
        raise WrongUsageError(LOCAL_LOG_HELP)
    if stdin == (env is not None):
        raise WrongUsageError("say which log: --env production, or --stdin")
    levels = LEVELS[LEVELS.index(level) :]
    line_count = 0
    with _open_log(env) as lines:
        matching = (
            line
            for line in read_lines(lines)
            if line.level in levels
            and (not events or line.event in events)
            and (not request or line.request_id == request)
        )
        try:
            for line in islice(matching, limit):
                _show(console(), line, as_json=as_json)
                line_count += 1
        except KeyboardInterrupt:
            note("stopped")
    return ExitCode.FINE if line_count else ExitCode.PROBLEMS


@contextmanager
def _open_log(environment: Environment | None) -> Iterator[Iterator[str]]:
    if environment is None:
        yield iter(sys.stdin)
        return
    note(f"{environment}: wrangler tail, only read; Ctrl+C ends it")
    process = start_wrangler("tail", "--env", environment, "--format", "json")
    try:
        yield _tail_lines(process)
    finally:
        process.terminate()
        process.communicate()


def _tail_lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield the lines of `wrangler tail`.

    Raises:
        NoAnswerError: it ended, which it does only if it fails.
    """
    yield from process.stdout or ()
    raise NoAnswerError(_error_message(process.communicate()[1]))


def _error_message(output: str) -> str:
    if "CLOUDFLARE_API_TOKEN" in output:
        return (
            "wrangler is not logged in at Cloudflare: "
            "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN"
        )
    return f"wrangler tail failed: {plain(output)[:300]}"


def _show(terminal: Console, line: LogLine, *, as_json: bool) -> None:
    if as_json:
        typer.echo(line.as_json())
        return
    text = Text(f"{line.time:<8} ")
    text.append(f"{line.level:<5} {line.event}", COLOURS[line.level])
    text.append(f"  {_fields(line)}" if line.fields else "")
    text.append(f"  [{line.request_id}]" if line.request_id else "", "dim")
    terminal.print(text)
    # A reader of a pipe gets each line at once.
    sys.stdout.flush()


def _fields(line: LogLine) -> str:
    return " ".join(f"{plain(name)}={_value(value)}" for name, value in line.fields.items())


def _value(value: object) -> str:
    if isinstance(value, dict):
        pairs = (f"{plain(name)}={_value(member)}" for name, member in value.items())
        return "{" + " ".join(pairs) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(map(_value, value))
    return plain(value) if isinstance(value, str) else str(value)
