"""`ppp forged`: ends held leads that are forged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from ops.cloudflare.database import Database, id_batches, integer_list
from ops.cloudflare.target import Env, Local, PersistTo, choose_target
from ops.leads.forged_leads import find_withheld, mark_forged
from ops.leads.resubmission import MAX_EVENT_ID
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import announce, confirm, counted, require_no_question, show_json

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp forged 4711 4712 --env production")
def forged(
    event_ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="EVENT_ID…", min=1, max=MAX_EVENT_ID, help="Ids of the submissions."
        ),
    ] = None,
    *,
    local: Local = False,
    env: Env = None,
    all_held: Annotated[bool, typer.Option("--all", help="All submissions that are held.")] = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Ends held leads that are forged: none is sent.

    The rows stay, and their state says it; `./ppp resync` sends one after all. Real ones are
    released with `./ppp resync`. Exits with 1 if none is held, or an id is not.
    """
    ids = list(dict.fromkeys(event_ids or []))
    if bool(ids) == all_held:
        raise WrongUsageError("say which: ids of events, or --all")
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    target = choose_target(env, persist_to, local=local)
    announce(target, as_json=as_json)
    database = Database(target)
    withheld = find_withheld(database, ids)
    not_held = [event_id for event_id in ids if event_id not in withheld]
    for line in _describe(withheld, not_held):
        typer.echo(line, err=as_json)
    if withheld and not (yes or dry_run) and not confirm(f"End them as forged ({target.name})?"):
        return ExitCode.PROBLEMS
    marked = [] if dry_run else _mark(database, withheld)
    if as_json:
        show_json({"held": withheld, "not_held": not_held, "forged": marked})
    elif marked:
        typer.echo(f"{counted(len(marked), 'submission')} ended as forged")
    return ExitCode.PROBLEMS if not_held or not withheld else ExitCode.FINE


def _describe(withheld: Sequence[int], not_held: Sequence[int]) -> Iterator[str]:
    if not_held:
        yield f"left out, not held: {integer_list(not_held)}"
    yield f"{counted(len(withheld), 'submission')} held" if withheld else "none is held"


def _mark(database: Database, withheld: Sequence[int]) -> list[int]:
    return [
        row["id"]
        for batch in id_batches(withheld)
        for rows in database.ask(mark_forged(batch))
        for row in rows
    ]
