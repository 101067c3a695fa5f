"""`ppp leads`: what became of the form submissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding

from ops.database import Database, Row
from ops.errors import ExitCode
from ops.output import DASH, AsJson, announce, console, plain, show_json, spoken
from ops.states import CONDITIONS, DUE_AT, IS_SUBMISSION, STATE, SUBMISSIONS, State
from ops.target import Env, Local, PersistTo, choose_target
from services.form_data import read_lead

EXAMPLE = "Example: ./ppp leads --env production --state not_found --limit 50"
MOST = 1_000
INDENT = 10
NOBODY_WAITS = "no e-mail, refused, switched off, or of the old Worker"

_OVERDUE = f"pipedrive_sync_status IS NULL AND {DUE_AT} <= datetime('now')"
# A due time of NULL was set by hand, and says nothing of how long the lead waits.
SUMMARY = f"""
SELECT
  {STATE} AS state,
  count(*) AS leads,
  sum({_OVERDUE}) AS overdue,
  unixepoch('now') - unixepoch(min(iif({_OVERDUE}, nullif({DUE_AT}, ''), NULL))) AS oldest
FROM {SUBMISSIONS}
WHERE {IS_SUBMISSION}
GROUP BY 1
"""


def rows_in(states: Sequence[State], limit: int, *, with_form: bool) -> str:
    """SQL for the newest submissions in these states."""
    ids = " UNION ALL ".join(
        f"SELECT id FROM {SUBMISSIONS} WHERE {CONDITIONS[state]}" for state in states
    )
    return f"""
      SELECT
        events.id, events.created_at, coalesce(pixels.name, events.pixel_id) AS pixel,
        {STATE} AS state, coalesce(pipedrive_retry_count, 0) AS tries,
        pipedrive_due_at AS due_at, unixepoch(pipedrive_due_at) - unixepoch('now') AS due_in,
        pipedrive_sync_reason AS reason, pipedrive_person_id AS person_id
        {", form_data" if with_form else ""}
      FROM tracking_events AS events
      LEFT JOIN pixels ON pixels.id = events.pixel_id
      WHERE events.id IN ({ids})
      ORDER BY events.id DESC
      LIMIT {int(limit)}
    """


def leads(
    *,
    local: Local = False,
    env: Env = None,
    states: Annotated[
        list[State] | None,
        typer.Option("--state", help="Show these; may be repeated.  [default: pending, error]"),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Show as many.")] = 20,
    show_email: Annotated[bool, typer.Option("--show-email", help="Show addresses.")] = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Says what became of the form submissions, and lists the newest.

    Exits with 1 if a --state was asked for and nothing is in it.
    """
    target = choose_target(env, persist_to, local=local)
    announce(target, as_json=as_json)
    wanted = list(dict.fromkeys(states or (State.PENDING, State.ERROR)))
    counts, rows = Database(target).ask(SUMMARY, rows_in(wanted, limit, with_form=show_email))
    found = [_with_email(row) if show_email else row for row in rows]
    if as_json:
        show_json({"environment": target.name, "summary": _summary(counts), "leads": found})
    else:
        _show(console(), _summary(counts), found, wanted)
    return ExitCode.PROBLEMS if states and not found else ExitCode.FINE


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


def _show(
    terminal: Console, summary: dict[str, Row], rows: Sequence[Row], states: Sequence[State]
) -> None:
    for state, numbers in summary.items():
        line = f"{plain(state):<10} {numbers['leads']:>9,}  {_remark(state, numbers)}"
        terminal.print(line.rstrip())
    if not rows:
        terminal.print(f"\nnone is {' or '.join(states)}")
        return
    head = _line("event", "when (UTC)", "pixel", "state", "tries", "due")
    terminal.print(f"\n{head}", style="bold")
    for row in rows:
        _show_row(terminal, row)


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
    when = plain(row["created_at"]).replace("T", " ")[:16]
    cells = (row["id"], when, plain(row["pixel"]), plain(row["state"]), row["tries"], _due(row))
    terminal.print(_line(*cells))
    person = f"person {row['person_id']}" if row["person_id"] else None
    details = [str(each) for each in (row.get("email"), person, row["reason"]) if each]
    if details:
        terminal.print(Padding(plain(", ".join(details)), (0, 0, 0, INDENT), expand=False))


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
