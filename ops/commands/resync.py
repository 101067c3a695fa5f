"""`ppp resync`: sends form submissions to Pipedrive again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Annotated

import typer

from ops.cloudflare.database import Database, id_batches, integer_list
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.leads.lead_states import State
from ops.leads.resubmission import (
    MAX_EVENT_ID,
    Resubmittable,
    Selection,
    Statements,
    find_resubmittable,
    set_pending,
)
from ops.terminal.errors import ExitCode, NoAnswerError, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import (
    announce,
    confirm,
    counted,
    format_duration,
    require_no_question,
    show_json,
)

MAX_DAYS = 3_650
MIN_LEAD_TOKENS, MAX_LEAD_TOKENS = 26, 46
LEADS_PER_SECOND = 3

Outcome = dict[str, Sequence[object]]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp resync --env production --failed --since 3 --dry-run")
def resync(
    event_ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="EVENT_ID…",
            min=1,
            max=MAX_EVENT_ID,
            help="Ids of the submissions to send again.",
        ),
    ] = None,
    *,
    local: Local = False,
    env: Env = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="All submissions whose state is error.")
    ] = False,
    not_found: Annotated[
        bool, typer.Option("--not-found", help="All submissions without a person in Pipedrive.")
    ] = False,
    withheld: Annotated[
        bool, typer.Option("--held", help="All submissions that are held: none is forged.")
    ] = False,
    since: Annotated[
        int | None,
        typer.Option(
            min=1, max=MAX_DAYS, metavar="DAYS", help="Only submissions of the last DAYS days."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="NUMBER", help="Send at most this many, the newest first."),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Sends form submissions to Pipedrive again.

    They are set pending, and the next run takes them, within five minutes. One that is synced is
    sent again only by its id. By its id, or with --held, one that may be forged is released: it is
    not held again. Exits with 1 if there is nothing to send, or an id cannot be sent.
    """
    states = {State.ERROR: failed, State.NOT_FOUND: not_found, State.WITHHELD: withheld}
    chosen_states = [state for state, is_chosen in states.items() if is_chosen]
    selection = _read_selection(event_ids or [], chosen_states, since)
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    target = choose_target(env, persist_to, local=local)
    announce(target, as_json=as_json)
    database = Database(target)
    submissions = _limited(find_resubmittable(database, selection), limit)
    for line in _describe(submissions):
        typer.echo(line, err=as_json)
    statements = [set_pending(ids, submissions, selection) for ids in id_batches(submissions.ids)]
    if dry_run:
        outcome: Outcome = {"commands": [database.command(*batch) for batch in statements]}
    elif statements and not yes and not confirm(f"Set them pending again ({target.name})?"):
        return ExitCode.PROBLEMS
    else:
        outcome = {"set_pending": _set_pending(database, statements)}
    _show(submissions, outcome, as_json=as_json)
    return (
        ExitCode.PROBLEMS
        if not submissions.ids or (selection.ids and submissions.refused)
        else ExitCode.FINE
    )


def _read_selection(ids: Sequence[int], states: Sequence[State], since: int | None) -> Selection:
    if bool(ids) + len(states) != 1:
        raise WrongUsageError("say which: ids of events, or --failed, or --not-found, or --held")
    if ids and since:
        raise WrongUsageError("--since goes with --failed, --not-found and --held, not with ids")
    if ids:
        return Selection(ids=list(dict.fromkeys(ids)))
    return Selection(state=states[0], days=since)


def _limited(submissions: Resubmittable, limit: int | None) -> Resubmittable:
    """Limit the submissions: the tokens of a day may not be enough for all."""
    return replace(submissions, ids=submissions.ids[:limit])


def _describe(submissions: Resubmittable) -> Iterator[str]:
    for reason in dict.fromkeys(submissions.refused.values()):
        ids = [event_id for event_id, refusal in submissions.refused.items() if refusal == reason]
        yield f"left out, {reason}: {integer_list(ids)}"
    number = len(submissions.ids)
    if not number:
        yield "nothing to send again"
        return
    yield (
        f"{counted(number, 'submission')} to send again: "
        f"{number * MIN_LEAD_TOKENS:,} to {number * MAX_LEAD_TOKENS:,} Pipedrive tokens, "
        f"about {format_duration(ceil(number / LEADS_PER_SECOND))} of the runs' time"
    )
    yield "(a day has 30,000 tokens x plan x seats, for all that uses the account)"


def _set_pending(database: Database, statements: Sequence[Statements]) -> list[int]:
    changed: list[int] = []
    for batch in statements:
        try:
            changed += [row["id"] for row in database.ask(*batch)[-1]]
        except NoAnswerError as error:
            raise NoAnswerError(f"{len(changed):,} were set, then {error}: run it again") from None
    return changed


def _show(submissions: Resubmittable, outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        refused = [
            {"id": event_id, "reason": reason} for event_id, reason in submissions.refused.items()
        ]
        show_json({"found": submissions.ids, "refused": refused, **outcome})
        return
    for command in outcome.get("commands", []):
        typer.echo(f"\n{command}")
    if "set_pending" in outcome and submissions.ids:
        typer.echo(_summary(len(outcome["set_pending"]), len(submissions.ids)))


def _summary(changed: int, selected: int) -> str:
    unchanged = selected - changed
    rest = (
        f"; {counted(unchanged, 'other')} changed meanwhile and stayed as they were"
        if unchanged
        else ""
    )
    return f"{counted(changed, 'submission')} set pending: `./ppp leads` shows them{rest}"
