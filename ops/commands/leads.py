"""`ppp leads`: what became of the form submissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding

from ops.cloudflare.database import Database, Row
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.leads.lead_queries import SUMMARY, Group, Narrowed, counted_by, rows_in
from ops.leads.lead_states import State
from ops.leads.resubmission import LARGEST_ID
from ops.terminal.errors import ExitCode
from ops.terminal.output import (
    DASH,
    AsJson,
    announce,
    console,
    plain,
    show_json,
    show_table,
    spoken,
)
from services.tracking.form_data import read_lead

MOST = 1_000
INDENT = 10
NOBODY_WAITS = "no e-mail, refused, switched off, or of the old Worker"

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp leads --env production --state not_found --limit 50")
def leads(
    *,
    local: Local = False,
    env: Env = None,
    states: Annotated[
        list[State] | None,
        typer.Option("--state", help="Show these; may be repeated.  [default: pending, error]"),
    ] = None,
    project: Annotated[str | None, typer.Option(metavar="ID", help="Only of this project.")] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only those whose reason has this in it.")
    ] = None,
    since: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Only those of the last DAYS.")
    ] = None,
    older_than: Annotated[
        int | None, typer.Option(min=1, metavar="DAYS", help="Only those from before that.")
    ] = None,
    by: Annotated[
        Group | None, typer.Option(help="Count them by this instead of listing them.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Show as many.")] = 20,
    before: Annotated[
        int | None,
        typer.Option(min=1, max=LARGEST_ID, metavar="EVENT_ID", help="The next page: older ones."),
    ] = None,
    show_email: Annotated[bool, typer.Option("--show-email", help="Show addresses.")] = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Says what became of the form submissions, and lists the newest.

    The numbers by state are those of all; the options narrow what is listed or counted below them.
    Exits with 1 if a --state was asked for and nothing is in it.
    """
    target = choose_target(env, persist_to, local=local)
    announce(target, as_json=as_json)
    wanted = list(dict.fromkeys(states or (State.PENDING, State.ERROR)))
    narrowed = Narrowed(project, reason, since, older_than, before)
    # One more than is shown says whether there is a next page.
    listed = rows_in(wanted, limit + 1, with_form=show_email, narrowed=narrowed)
    asked = counted_by(by, wanted, narrowed) if by else listed
    counts, rows = Database(target).ask(SUMMARY, asked)
    found: Row = {"environment": target.name, "summary": _summary(counts)}
    found |= {by: rows} if by else _page(rows, limit, with_email=show_email)
    if as_json:
        show_json(found)
    else:
        _show(console(), found, by, wanted)
    return ExitCode.PROBLEMS if states and not rows else ExitCode.FINE


def _page(rows: Sequence[Row], limit: int, *, with_email: bool) -> Row:
    """The leads that are shown, and the id with which the next page begins."""
    leads = [_with_email(row) if with_email else row for row in rows[:limit]]
    return {"leads": leads, "next_before": leads[-1]["id"] if len(rows) > limit else None}


def _summary(counts: Sequence[Row]) -> dict[str, Row]:
    """The numbers by state: ours, all of them, then whatever else was written there."""
    found = {row["state"]: row for row in counts}
    every = dict.fromkeys((*State, *found))
    summary = {str(state): {"leads": found.get(state, {}).get("leads", 0)} for state in every}
    waiting = found.get(State.PENDING, {})
    summary[State.PENDING] |= {
        "overdue": waiting.get("overdue", 0),
        "oldest_overdue_seconds": waiting.get("oldest"),
    }
    return summary


def _with_email(row: Row) -> Row:
    lead = read_lead(row["form_data"])
    kept = {name: value for name, value in row.items() if name != "form_data"}
    return kept | {"email": lead.email if lead else None}


def _show(terminal: Console, found: Row, by: Group | None, states: Sequence[State]) -> None:
    for state, numbers in found["summary"].items():
        line = f"{plain(state):<10} {numbers['leads']:>9,}  {_remark(state, numbers)}"
        terminal.print(line.rstrip())
    rows: Sequence[Row] = found[by or "leads"]
    if not rows:
        terminal.print(f"\nnone is {' or '.join(states)}")
    elif by:
        terminal.print(f"\n{' and '.join(states)} by {by}", style="bold")
        cells = [
            (row["leads"], _minute(row["oldest"]), _minute(row["newest"]), row["value"])
            for row in rows
        ]
        show_table(terminal, ("leads", "oldest (UTC)", "newest", by), cells)
    else:
        _show_page(terminal, rows, found["next_before"])


def _show_page(terminal: Console, rows: Sequence[Row], next_before: int | None) -> None:
    head = _line("event", "when (UTC)", "pixel", "state", "tries", "due")
    terminal.print(f"\n{head}", style="bold")
    for row in rows:
        _show_row(terminal, row)
    if next_before:
        terminal.print(f"\nolder ones: the same with --before {next_before}")


def _remark(state: str, numbers: Row) -> str:
    if state == State.NEVER:
        return NOBODY_WAITS
    if not numbers.get("overdue"):
        return ""
    oldest = numbers["oldest_overdue_seconds"]
    return f"{numbers['overdue']:,} overdue" + (
        f", the oldest for {spoken(oldest)}" if oldest is not None else ""
    )


def _show_row(terminal: Console, row: Row) -> None:
    when = _minute(row["created_at"])
    cells = (row["id"], when, plain(row["pixel"]), plain(row["state"]), row["tries"], _due(row))
    terminal.print(_line(*cells))
    person = f"person {row['person_id']}" if row["person_id"] else None
    details = [str(each) for each in (row.get("email"), person, row["reason"]) if each]
    if details:
        terminal.print(Padding(plain(", ".join(details)), (0, 0, 0, INDENT), expand=False))


def _minute(time: str) -> str:
    return plain(time).replace("T", " ")[:16]


def _line(*cells: object) -> str:
    event, when, pixel, state, tries, due = map(str, cells)
    return f"{event:>8}  {when:<16}  {pixel:<16.16}  {state:<9}  {tries:>5}  {due}"


def _due(row: Row) -> str:
    if row["state"] != State.PENDING:
        return DASH
    if row["due_in"] is None:
        return "now"
    due_in = row["due_in"]
    return f"in {spoken(due_in)}" if due_in > 0 else f"{spoken(-due_in)} ago"
