"""`ppp fields`: the field map beside the fields that the Pipedrive account really has."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.leads.field_map_check import Checked, ReadMap, check_fields, read_map
from ops.leads.field_map_suggestion import Suggestion, suggest
from ops.leads.pipedrive_account import account_of_environment, custom_fields
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.output import AsJson, announce, console, counted, note, plain, show_json
from services.pipedrive.accounts import Account
from services.pipedrive.fields import FIELD_NAMES, AccountField

DEFAULT_MAP = Path("pipedrive-fields.json")
# A whole key and everything else beside it.
WIDE = 110
COLOURS = {"ok": "green", "too short": "yellow", "missing": "red", "wrong type": "red"}

commands = typer.Typer(
    name="fields", help="The map of our values onto the account's custom fields."
)


@commands.command(epilog="Example: ./ppp fields check --map pipedrive-fields.json")
def check(
    *,
    file: Annotated[Path, typer.Option("--map", metavar="FILE", help="The map.")] = DEFAULT_MAP,
    as_json: AsJson = False,
) -> int:
    """Compares a field map with the account's real fields.

    The token is read from the environment variable PIPEDRIVE_API_KEY, another address than
    Pipedrive's own from PIPEDRIVE_URL. Exits with 1 if a value cannot reach the account.
    """
    text = _read(file)
    account = _announced_account(as_json=as_json)
    read = read_map(text)
    checked = check_fields(read.entries, custom_fields(account))
    if as_json:
        show_json(
            {
                "fields": [_checked_as_json(each) for each in checked],
                "problems": read.problems,
                "not_in_the_map": read.unmapped,
            }
        )
    else:
        _show(file, checked, read)
    failed = read.problems or any(each.fails for each in checked)
    return ExitCode.PROBLEMS if failed else ExitCode.FINE


@commands.command("suggest", epilog="Example: ./ppp fields suggest --out pipedrive-fields.json")
def suggest_map(
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the map there.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    as_json: AsJson = False,
) -> int:
    """Prints a field map made from the account's field names.

    The token is read from the environment variable PIPEDRIVE_API_KEY, another address than
    Pipedrive's own from PIPEDRIVE_URL. Where two fields could be meant, none is chosen. Exits with
    1 then, or if no name matches.
    """
    if out and out.exists() and not force:
        raise WrongUsageError(f"{out} is there already: name another file, or add --force")
    # The map goes to stdout, so that `> FILE` works too.
    suggestion = suggest(custom_fields(_announced_account(as_json=True)))
    if as_json:
        show_json(_suggestion_as_json(suggestion))
    elif suggestion.entries and not out:
        show_json(suggestion.entries)
    if suggestion.entries and out:
        _write(out, suggestion)
    for line in (*_left_open(suggestion), *_next_steps(suggestion, out)):
        note(line)
    fine = suggestion.entries and not suggestion.ambiguous
    return ExitCode.FINE if fine else ExitCode.PROBLEMS


def _announced_account(*, as_json: bool) -> Account:
    account = account_of_environment()
    announce(f"Pipedrive: {account.url}, only read (no database is touched)", as_json=as_json)
    return account


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WrongUsageError(
            f"there is no {file}: name yours with --map, "
            f"or make one with `./ppp fields suggest --out {file}`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsageError(f"{file} cannot be read: {error}") from None


def _write(file: Path, suggestion: Suggestion) -> None:
    try:
        file.write_text(json.dumps(suggestion.entries, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be written: {error.strerror}") from None
    note(f"{file}: {len(suggestion.entries)} of our {len(FIELD_NAMES)} values")


# ---- what check shows --------------------------------------------------------------------------


def _show(file: Path, checked: Sequence[Checked], read: ReadMap) -> None:
    terminal = console()
    if checked:
        terminal.print(_table(checked, terminal.width))
    for title, lines in (
        ("Notes", [f"{each.name}: {each.note}" for each in checked if each.note]),
        (f"Wrong in {file}", read.problems),
        ("Not in the map, so not sent", [", ".join(read.unmapped)] if read.unmapped else []),
    ):
        _show_list(terminal, title, lines)
    failing = len(read.problems) + sum(each.fails for each in checked)
    typer.echo(f"\n{counted(len(checked), 'field')} compared, {counted(failing, 'problem')}")


def _table(checked: Sequence[Checked], width: int) -> Table:
    table = Table("Our value", "Key", "Account field", "Type", "Verdict", box=None, pad_edge=False)
    for each in checked:
        key = each.key if width >= WIDE else f"{each.key[:8]}…"
        name, field_type = (each.field.name, each.field.type) if each.field else (None, None)
        verdict = Text(each.verdict, COLOURS[each.verdict])
        table.add_row(each.name, key, plain(name), plain(field_type), verdict)
    return table


def _show_list(terminal: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        terminal.print(f"\n{title}", style="bold")
    for line in lines:
        terminal.print(plain(line))


def _checked_as_json(checked: Checked) -> dict[str, object]:
    return {
        "name": checked.name,
        "key": checked.key,
        "account_field": checked.field and checked.field.name,
        "type": checked.field and checked.field.type,
        "verdict": checked.verdict,
        "note": checked.note,
    }


# ---- what suggest says -------------------------------------------------------------------------


def _suggestion_as_json(suggestion: Suggestion) -> dict[str, object]:
    return {
        "map": suggestion.entries,
        "ambiguous": {
            name: [{"key": field.key, "account_field": field.name} for field in found]
            for name, found in suggestion.ambiguous.items()
        },
        "unmatched": suggestion.unmatched,
    }


def _left_open(suggestion: Suggestion) -> list[str]:
    lines = [
        f"{name}: not chosen, it could be {' or '.join(map(_named, found))}"
        for name, found in suggestion.ambiguous.items()
    ]
    if suggestion.unmatched:
        lines.append(f"no field of that name: {', '.join(suggestion.unmatched)}")
    return lines


def _named(field: AccountField) -> str:
    return f'"{plain(field.name)}" ({field.key})'


def _next_steps(suggestion: Suggestion, out: Path | None) -> list[str]:
    if not suggestion.entries:
        return ["no custom field of the account has a name like ours, so there is no map"]
    file = shlex.quote(str(out or DEFAULT_MAP))
    return [
        "next:",
        *([] if out else [f"  ./ppp fields suggest --out {file}"]),
        f"  ./ppp fields check --map {file}",
        f"  npx wrangler secret put PIPEDRIVE_FIELDS --env production < {file}",
    ]
