"""`ppp resync`: sends form submissions to Pipedrive again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import ceil
from typing import Annotated

import typer

from ops.cloudflare.database import Database, numbers, portions
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.leads.lead_states import State
from ops.leads.resubmission import LARGEST_ID, Found, Statements, Wanted, find, set_pending
from ops.terminal.errors import ExitCode, NoAnswerError, WrongUsageError
from ops.terminal.output import (
    AsJson,
    DryRun,
    Yes,
    announce,
    confirmed,
    counted,
    require_no_question,
    show_json,
    spoken,
)

MAX_DAYS = 3_650
FEWEST_TOKENS, MAX_TOKENS = 26, 46
LEADS_PER_SECOND = 3

Done = dict[str, Sequence[object]]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp resync --env production --failed --since 3 --dry-run")
def resync(
    event_ids: Annotated[
        list[int] | None,
        typer.Argument(metavar="EVENT_ID…", min=1, max=LARGEST_ID, help="These submissions."),
    ] = None,
    *,
    local: Local = False,
    env: Env = None,
    failed: Annotated[bool, typer.Option("--failed", help="All whose state is error.")] = False,
    not_found: Annotated[
        bool, typer.Option("--not-found", help="All for which no person was found.")
    ] = False,
    since: Annotated[
        int | None,
        typer.Option(min=1, max=MAX_DAYS, metavar="DAYS", help="Only those of the last DAYS."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="NUMBER", help="At most so many, the newest first.")
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Sends form submissions to Pipedrive again.

    They are set pending, and the next run takes them, within five minutes. One that is synced is
    sent again only by its id. Exits with 1 if there is nothing to send, or an id cannot be sent.
    """
    wanted = _wanted(event_ids or [], since, failed=failed, not_found=not_found)
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    target = choose_target(env, persist_to, local=local)
    announce(target, as_json=as_json)
    database = Database(target)
    found = _cut(find(database, wanted), limit)
    for line in _described(found):
        typer.echo(line, err=as_json)
    statements = [set_pending(ids, found, wanted) for ids in portions(found.ids)]
    if dry_run:
        done: Done = {"commands": [database.command(*each) for each in statements]}
    elif statements and not yes and not confirmed(f"Set them pending again ({target.name})?"):
        return ExitCode.PROBLEMS
    else:
        done = {"set_pending": _change(database, statements)}
    _show(found, done, as_json=as_json)
    return ExitCode.PROBLEMS if not found.ids or (wanted.ids and found.refused) else ExitCode.FINE


def _wanted(ids: Sequence[int], since: int | None, *, failed: bool, not_found: bool) -> Wanted:
    if (bool(ids), failed, not_found).count(True) != 1:
        raise WrongUsageError("say which: ids of events, or --failed, or --not-found")
    if ids and since:
        raise WrongUsageError("--since goes with --failed and --not-found, not with ids")
    if ids:
        return Wanted(ids=list(dict.fromkeys(ids)))
    return Wanted(state=State.ERROR if failed else State.NOT_FOUND, days=since)


def _cut(found: Found, limit: int | None) -> Found:
    """What was found, as far as it is wanted: a day's tokens may not be enough for all."""
    return replace(found, ids=found.ids[:limit])


def _described(found: Found) -> Iterator[str]:
    for reason in dict.fromkeys(found.refused.values()):
        ids = [event_id for event_id, why in found.refused.items() if why == reason]
        yield f"left out, {reason}: {numbers(ids)}"
    number = len(found.ids)
    if not number:
        yield "nothing to send again"
        return
    yield (
        f"{counted(number, 'submission')} to send again: "
        f"{number * FEWEST_TOKENS:,} to {number * MAX_TOKENS:,} Pipedrive tokens, "
        f"about {spoken(ceil(number / LEADS_PER_SECOND))} of the runs' time"
    )
    yield "(a day has 30,000 tokens x plan x seats, for all that uses the account)"


def _change(database: Database, statements: Sequence[Statements]) -> list[int]:
    changed: list[int] = []
    for each in statements:
        try:
            changed += [row["id"] for row in database.ask(*each)[-1]]
        except NoAnswerError as error:
            raise NoAnswerError(f"{len(changed):,} were set, then {error}: run it again") from None
    return changed


def _show(found: Found, done: Done, *, as_json: bool) -> None:
    if as_json:
        refused = [{"id": each, "reason": reason} for each, reason in found.refused.items()]
        show_json({"found": found.ids, "refused": refused, **done})
        return
    for command in done.get("commands", []):
        typer.echo(f"\n{command}")
    if "set_pending" in done and found.ids:
        typer.echo(_said(len(done["set_pending"]), len(found.ids)))


def _said(changed: int, found: int) -> str:
    taken = found - changed
    rest = f"; {counted(taken, 'other')} changed meanwhile and stayed as they were" if taken else ""
    return f"{counted(changed, 'submission')} set pending: `./ppp leads` shows them{rest}"
