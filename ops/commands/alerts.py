"""`ppp alerts`: the open alerts, the messages that were sent, and who works on them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from ops.checks.on_call import CONTACTS, EXAMPLE, on_call_setting, read_responders
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import console, note, plain, show_json, show_table
from ops.worker_api.client import Api, Row, open_api, path_segment
from ops.worker_api.with_api import with_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url
from services.alerting.alert_states import NEVER_TOLD
from services.alerting.on_call import Responders

PATH = "/api/alerts"
MAX_SHOWN = 20
DEFAULT_HOURS = 8
LOG_ONLY = "log only"
STORE_COMMAND = "npx wrangler secret put ON_CALL --env production"

commands = typer.Typer(
    name="alerts", help="Alerts: which are open, what was sent, who works on it."
)


@commands.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Lists the open alerts with whom to call, and the messages that were sent, the newest first.

    Exits with 1 if an alert is open that nobody acknowledged.
    """
    if context.invoked_subcommand:
        return ExitCode.FINE
    responders = _known_responders()
    with open_api(env, url, local=local) as api:
        data = _read(api)
    if as_json:
        show_json(data)
    else:
        _show_problems(data["problems"], {name: str(people) for name, people in responders.items()})
        _show_sent(data["sent"])
    unattended = [problem for problem in data["problems"] if not problem["acknowledged"]]
    return ExitCode.PROBLEMS if unattended else ExitCode.FINE


@commands.command(epilog="Example: ./ppp alerts ack database_lost --env production --by Kim")
@with_api
def ack(
    api: Api,
    problem: Annotated[str, typer.Argument(metavar="ALERT", show_default=False)],
    *,
    by: Annotated[str | None, typer.Option(help="Who works on it.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=72, help="How long.")] = DEFAULT_HOURS,
    as_json: AsJson = False,
) -> int:
    """Acknowledges an open alert: its reminders wait. That it is over is sent all the same."""
    body = {"hours": hours} | ({"by": by} if by else {})
    answer = api.send("POST", f"{PATH}/{path_segment(problem)}/acknowledge", body)["data"]
    if as_json:
        show_json(answer)
    else:
        typer.echo(f"{problem}: no reminder until {answer['until']} UTC")
    return ExitCode.FINE


@commands.command("oncall", epilog="Example: ./ppp alerts oncall")
def print_on_call(*, as_json: AsJson = False) -> int:
    """Prints whom alerts name: the secret ON_CALL.

    It is made of config/oncall.toml, and sent nowhere. Without the secret no alert names anybody.
    """
    setting = on_call_setting(CONTACTS)
    if as_json:
        show_json(setting)
    else:
        typer.echo(json.dumps(setting, ensure_ascii=False))
    note(f"store it with: ./ppp alerts oncall | {STORE_COMMAND}")
    return ExitCode.FINE


def _known_responders() -> Mapping[str, Responders]:
    """Read whom to call; nobody where the table cannot be read, which hides no alert."""
    try:
        return read_responders()
    except WrongUsageError as error:
        note(f"whom to call is not known: {error}")
        return {}


def _read(api: Api) -> Row:
    data: Row = api.get(PATH)["data"]
    return data


def _show_problems(problems: list[Row], responders: dict[str, str]) -> None:
    if not problems:
        typer.echo("no alert is open")
    for problem in sorted(problems, key=lambda row: str(row["severity"])):
        acknowledged = problem["acknowledged"] or {}
        state = (
            f"acknowledged until {acknowledged['until']} UTC by {plain(acknowledged['by'])}"
            if acknowledged
            else "nobody acknowledged it"
        )
        typer.echo(f"! {problem['severity']} {problem['problem']} since {problem['since']} UTC")
        typer.echo(f"  call: {responders.get(problem['severity'], 'nobody is named')}")
        typer.echo(f"  {state}")
        if problem["told_at"] == NEVER_TOLD:
            typer.echo("  no message about it arrived yet: each run of the cron sends it again")
    if problems and not CONTACTS.exists():
        example, contacts = (f"config/{file.name}" for file in (EXAMPLE, CONTACTS))
        note(f"names and numbers: copy {example} to {contacts} and fill it in")


def _show_sent(sent: list[Row]) -> None:
    if not sent:
        return
    typer.echo("\nsent, the newest first (UTC)")
    rows = [
        (
            row["at"],
            row["severity"],
            row["state"],
            row["problem"],
            _arrival(row),
        )
        for row in sent[:MAX_SHOWN]
    ]
    show_table(console(), ("when", "priority", "what", "alert", "arrived"), rows)
    if any(LOG_ONLY in row for row in rows):
        note("log only: no webhook was set (ALERT_WEBHOOK_URL), so that nobody was sent it")


def _arrival(message: Row) -> str:
    """Say whether a message arrived. A Worker of an older version does not say `log_only`."""
    if message.get("log_only"):
        return LOG_ONLY
    return "yes" if message.get("arrived") else "no"
