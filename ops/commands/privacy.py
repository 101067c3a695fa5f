"""`ppp privacy`: finds, exports and erases the data about one person."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson, DryRun, Yes
from ops.terminal.output import (
    confirm,
    console,
    counted,
    note,
    require_no_question,
    show_json,
    show_table,
)
from ops.worker_api.client import Api, open_api
from ops.worker_api.privacy_portions import portions
from ops.worker_api.with_api import with_api
from ops.worker_api.worker import EnvWorker, LocalWorker, Url
from services.privacy.export import SECTIONS

PATH = "/api/privacy"
# The rate limit of these requests counts by the hour.
MAX_WAIT_SECONDS = 3_600
OWNER_ONLY_MODE = 0o600
ROW_LABELS = {
    "tracking_events": "events",
    "archived_events": "archived events",
    "received_events": "events that others sent here",
    "sessions": "sessions",
    "visitors": "visitors",
    "pipedrive_persons": "persons of Pipedrive that the sync remembers",
    "system_logs": "rows of the old log",
    "kv_keys": "keys in KV",
    "parked_events": "events that wait for their pixel",
}

Row = dict[str, Any]
Person = Mapping[str, str]
Cookie = Annotated[
    str | None,
    typer.Option(metavar="COOKIE", help="A visitor cookie, in place of an e-mail address."),
]
Output = Annotated[Path, typer.Option(help="The file to write.")]

commands = typer.Typer(
    name="privacy",
    help="Data of one person: find, export, erase, receipts.",
)


@commands.command(epilog="Example: ./ppp privacy find --env production")
def find(
    *,
    cookie: Cookie = None,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Shows how much is stored about a person, and where.

    Asks for the e-mail address, so that it is in no history; a script pipes it in. Exits with 1 if
    nothing is stored.
    """
    with open_api(env, url, local=local, max_wait_seconds=MAX_WAIT_SECONDS) as api:
        answer = _find_person(api, _read_person(cookie))
    if as_json:
        show_json(answer["found"])
    else:
        _show(answer)
    return ExitCode.PROBLEMS if answer["nothing_found"] else ExitCode.FINE


@commands.command(epilog="Example: ./ppp privacy export --env production --output jane.json")
def export(
    *,
    cookie: Cookie = None,
    output: Output = Path("privacy-export.json"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    as_json: AsJson = False,
) -> int:
    """Writes all data about a person to a JSON file.

    Only you may read the file. Asks for the e-mail address as `find` does. Exits with 1 if nothing
    is stored; then there is no file.
    """
    if output.exists() and not force:
        raise WrongUsageError(f"{output} is there already: name another file, or add --force")
    rows: dict[str, list[Row]] = {section: [] for section in SECTIONS}
    answer: Row = {}
    with open_api(env, url, local=local, max_wait_seconds=MAX_WAIT_SECONDS) as api:
        for portion in portions(api, f"{PATH}/export", _read_person(cookie)):
            answer = {**answer, **portion}
            if portion["place"]:
                rows[portion["place"]] += portion["rows"]
    if answer["nothing_found"]:
        note("nothing is stored about this person")
        if as_json:
            show_json({"file": None, "found": answer["found"]})
        return ExitCode.PROBLEMS
    _write(output, {"found": answer["found"], **rows})
    sizes = {section: len(section_rows) for section, section_rows in rows.items()}
    if as_json:
        show_json({"file": str(output), **sizes})
    else:
        typer.echo(f"{output}: {counted(sum(sizes.values()), 'row')}")
    return ExitCode.PROBLEMS if _warn(answer["found"]["damaged_parts"]) else ExitCode.FINE


@commands.command(epilog="Example: ./ppp privacy erase --env production --dry-run")
def erase(
    *,
    cookie: Cookie = None,
    local: LocalWorker = False,
    env: EnvWorker = None,
    url: Url = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> int:
    """Erases all data about a person; shows the receipt.

    Asks for the e-mail address as `find` does, shows what it will erase, and asks again. It cannot
    be undone. If it is interrupted, run it again to continue. Exits with 1 if nothing is stored.
    """
    require_no_question(as_json=as_json, yes=yes, dry_run=dry_run)
    with open_api(env, url, local=local, max_wait_seconds=MAX_WAIT_SECONDS) as api:
        person = _read_person(cookie)
        answer = _find_person(api, person)
        if not as_json:
            _show(answer, heading="would be erased" if dry_run else "to be erased")
        if dry_run or answer["nothing_found"]:
            if as_json:
                show_json({"would_erase": answer["found"]})
            note("nothing was erased")
            return ExitCode.PROBLEMS if answer["nothing_found"] else ExitCode.FINE
        if not yes and not confirm(f"Erase all of it ({api.worker.name})? It cannot be undone."):
            return ExitCode.PROBLEMS
        body = {**person, "confirm": True}
        *_, last = portions(api, f"{PATH}/erase", body)
    receipt = last["receipt"]
    if as_json:
        show_json(receipt)
    else:
        _show_receipt(receipt)
    return ExitCode.PROBLEMS if _warn(receipt["damaged_parts"]) else ExitCode.FINE


@commands.command(epilog="Example: ./ppp privacy receipts --env production")
@with_api
def receipts(
    api: Api,
    *,
    as_json: AsJson = False,
) -> int:
    """Lists all erasures, the newest first.

    Exits with 1 if there is none.
    """
    pages = api.pages(f"{PATH}/receipts", {})
    listed = [receipt for page in pages for receipt in page["data"]]
    if as_json:
        show_json(listed)
    elif listed:
        headers = ("receipt id", "when", "by", "state", "rows")
        show_table(console(), headers, map(_receipt_cells, listed))
    else:
        note(
            "this database knows of no erasure; those before a restore are in R2, in erasures/, and"
            " every restore repeats them"
        )
    return ExitCode.FINE if listed else ExitCode.PROBLEMS


def _read_person(cookie: str | None) -> Person:
    """Identify the person by the cookie, or by an e-mail address that is asked for."""
    if cookie is not None:
        return {"visitor_cookie": cookie}
    if sys.stdin.isatty():
        typer.echo("E-mail address: ", nl=False, err=True)
    email = sys.stdin.readline().strip()
    if not email:
        raise WrongUsageError(
            "whom is it about? Type the e-mail address, pipe it in, or name a --cookie"
        )
    return {"email": email}


def _find_person(api: Api, person: Person) -> Row:
    *_, last = portions(api, f"{PATH}/find", person)
    return last


def _show(answer: Row, *, heading: str = "what") -> None:
    summary = answer["found"]
    if answer["nothing_found"]:
        note("nothing is stored about this person")
        _warn(summary["damaged_parts"])
        return
    rows = [(label, summary[source]["count"]) for source, label in ROW_LABELS.items()]
    show_table(console(), (heading, "rows"), [row for row in rows if row[1]])
    for line in _remarks(summary):
        typer.echo(line)
    _warn(summary["damaged_parts"])


def _remarks(summary: Row) -> Iterator[str]:
    if summary["projects"]:
        yield f"projects: {', '.join(summary['projects'])}"
    if days := summary["archived_events"]["days"]:
        yield f"archived days: {', '.join(days)}"
    if days := summary["received_events"]["days"]:
        yield f"days that others sent here: {', '.join(days)}"
    if shared := summary["shared_visitors"]["count"]:
        yield (
            f"{counted(shared, 'visitor')} sent forms with other addresses too: "
            "only what has this address in it counts there"
        )


def _show_receipt(receipt: Row) -> None:
    rows = [(label, receipt["counts"][source]) for source, label in ROW_LABELS.items()]
    typer.echo()
    show_table(console(), ("erased", "rows"), [row for row in rows if row[1]] or rows[:1])
    typer.echo(f"receipt {receipt['id']} of {receipt['at']}, sha256 {receipt['sha256']}")


def _receipt_cells(receipt: Row) -> tuple[object, ...]:
    rows = sum(receipt["counts"].values()) if "counts" in receipt else None
    erased_at = receipt.get("at") or receipt["started_at"]
    return receipt["id"], erased_at, receipt["by"], receipt["state"], rows


def _warn(damaged: list[str]) -> bool:
    for key in damaged:
        note(f"damaged, so nobody knows what is in it: {key} (see docs/privacy.md)")
    return bool(damaged)


def _write(file: Path, content: Row) -> None:
    """Write the file atomically, readable by its owner only."""
    unfinished = file.with_name(f"{file.name}.part")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(
        os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY_MODE), "w"
    ) as out:
        json.dump(content, out, ensure_ascii=False, indent=1)
    unfinished.replace(file)
