"""`ppp leads`: the states of the form submissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from ops.cloudflare.database import Database, Row
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.leads.lead_queries import SUMMARY, Group, LeadFilter, lead_counts_sql, lead_rows_sql
from ops.leads.lead_states import State
from ops.leads.resubmission import MAX_EVENT_ID
from ops.terminal.errors import ExitCode
from ops.terminal.options import AsJson
from ops.terminal.output import (
    DASH,
    announce_list,
    console,
    format_duration,
    plain,
    show_json,
    show_table,
)
from services.core.pending_leads import RELEASED
from services.core.text import read_json
from services.tracking.form_data import read_lead

MAX_LEADS = 1_000
HEADERS = ("event", "when (UTC)", "pixel", "state", "tries", "due", "why")
NEVER_DUE_REASONS = "no e-mail, refused, switched off, or of the old Worker"

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp leads --env production --state not_found --limit 50")
def leads(
    *,
    local: Local = False,
    env: Env = None,
    states: Annotated[
        list[State] | None,
        typer.Option(
            "--state", help="A state to list; may be repeated.  [default: pending, error]"
        ),
    ] = None,
    project: Annotated[
        str | None, typer.Option(metavar="ID", help="Only leads of this project.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Only leads whose reason contains this text.")
    ] = None,
    since: Annotated[
        int | None,
        typer.Option(min=1, metavar="DAYS", help="Only submissions of the last DAYS days."),
    ] = None,
    older_than: Annotated[
        int | None,
        typer.Option(min=1, metavar="DAYS", help="Only submissions older than DAYS days."),
    ] = None,
    suspicious: Annotated[
        bool, typer.Option("--suspicious", help="Only leads that may be forged.")
    ] = False,
    by: Annotated[
        Group | None, typer.Option(help="Count by project, reason or age instead of listing.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MAX_LEADS, help="Show at most this many rows.")
    ] = 20,
    before: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_EVENT_ID,
            metavar="EVENT_ID",
            help="The next page: only submissions before this id.",
        ),
    ] = None,
    show_email: Annotated[
        bool, typer.Option("--show-email", help="Show e-mail addresses.")
    ] = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Counts leads by their sync state, and lists the newest.

    The counts by state are of all submissions; the options narrow the list below them. Exits with 1
    if no submission is in the --state that was named.
    """
    target = choose_target(env, persist_to, local=local)
    announce_list(target)
    shown_states = list(dict.fromkeys(states or (State.PENDING, State.ERROR)))
    lead_filter = LeadFilter(project, reason, since, older_than, before, suspicious)
    if by:
        query = lead_counts_sql(by, shown_states, lead_filter)
    else:
        # One more than is shown tells whether there is a next page.
        query = lead_rows_sql(
            shown_states, limit + 1, with_form=show_email, lead_filter=lead_filter
        )
    counts, rows = Database(target).ask(SUMMARY, query)
    report: Row = {"environment": target.name, "summary": _summary(counts)}
    report |= {by: rows} if by else _page(rows, limit, with_email=show_email)
    if as_json:
        show_json(report)
    else:
        _show(console(), report, by, shown_states)
    return ExitCode.PROBLEMS if states and not rows else ExitCode.FINE


def _page(rows: Sequence[Row], limit: int, *, with_email: bool) -> Row:
    """Build a page of leads, with the id before which the next page begins."""
    judged = [row | {"suspicious": _reasons(row)} for row in rows[:limit]]
    leads = [_with_email(row) if with_email else row for row in judged]
    return {"leads": leads, "next_before": leads[-1]["id"] if len(rows) > limit else None}


def _summary(counts: Sequence[Row]) -> dict[str, Row]:
    """Count the leads by state: first the known states, then any other that is stored."""
    by_state = {row["state"]: row for row in counts}
    states = dict.fromkeys((*State, *by_state))
    summary = {str(state): {"leads": by_state.get(state, {}).get("leads", 0)} for state in states}
    pending = by_state.get(State.PENDING, {})
    summary[State.PENDING] |= {
        "overdue": pending.get("overdue", 0),
        "oldest_overdue_seconds": pending.get("oldest"),
    }
    return summary


def _reasons(row: Row) -> list[str] | None:
    """Return why the lead may be forged, which is empty if nothing says so; None if not judged."""
    try:
        reasons = read_json(row["suspicious"] or "null")
    except ValueError:
        return None
    return list(map(str, reasons)) if isinstance(reasons, list) else None


def _with_email(row: Row) -> Row:
    lead = read_lead(row["form_data"])
    columns = {name: value for name, value in row.items() if name != "form_data"}
    return columns | {"email": lead.email if lead else None}


def _show(terminal: Console, report: Row, by: Group | None, states: Sequence[State]) -> None:
    for state, numbers in report["summary"].items():
        line = f"{plain(state):<10} {numbers['leads']:>9,}  {_remark(state, numbers)}"
        terminal.print(line.rstrip())
    rows: Sequence[Row] = report[by or "leads"]
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
        _show_page(terminal, rows, report["next_before"])


def _show_page(terminal: Console, rows: Sequence[Row], next_before: int | None) -> None:
    terminal.print()
    show_table(terminal, HEADERS, map(_cells, rows))
    if next_before:
        terminal.print(f"\nolder ones: the same with --before {next_before}")


def _remark(state: str, numbers: Row) -> str:
    if state == State.NEVER:
        return NEVER_DUE_REASONS
    if not numbers.get("overdue"):
        return ""
    oldest = numbers["oldest_overdue_seconds"]
    return f"{numbers['overdue']:,} overdue" + (
        f", the oldest for {format_duration(oldest)}" if oldest is not None else ""
    )


def _cells(row: Row) -> Sequence[object]:
    person = f"person {row['person_id']}" if row["person_id"] else None
    texts = (row.get("email"), person, row["reason"], _suspicion(row))
    details = ", ".join(str(text) for text in texts if text)
    created_at = _minute(row["created_at"])
    # As a text, an id has no commas.
    event_id = str(row["id"])
    return event_id, created_at, row["pixel"], row["state"], row["tries"], _due(row), details


def _suspicion(row: Row) -> str | None:
    """Return the reasons for people; those of a held lead are in the reason of its state."""
    reasons = row["suspicious"]
    if not reasons or row["state"] == State.WITHHELD:
        return None
    text = "; ".join(reasons)
    return text if RELEASED in reasons else f"may be forged: {text}"


def _minute(time: str) -> str:
    return plain(time).replace("T", " ")[:16]


def _due(row: Row) -> str:
    if row["state"] != State.PENDING:
        return DASH
    if row["due_in"] is None:
        return "now"
    due_in = row["due_in"]
    return f"in {format_duration(due_in)}" if due_in > 0 else f"{format_duration(-due_in)} ago"
