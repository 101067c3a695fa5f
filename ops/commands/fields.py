"""`ppp fields`: checks or suggests the map of our values onto the account's custom fields."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from ops.leads.field_map_check import FieldCheck, ParsedFieldMap, check_fields, parse_field_map
from ops.leads.field_map_suggestion import Suggestion, suggest
from ops.leads.pipedrive_account import account_from_environment, custom_fields
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import (
    announce,
    console,
    counted,
    note,
    plain,
    show_json,
    show_table,
)
from services.pipedrive.accounts import Account
from services.pipedrive.fields import FIELD_NAMES, AccountField

DEFAULT_MAP = Path("pipedrive-fields.json")
HEADERS = ("our value", "key", "account field", "type", "verdict")
VERDICT_COLOURS = {"ok": "green", "too short": "yellow", "missing": "red", "wrong type": "red"}

commands = typer.Typer(name="fields", help="Field maps: check against Pipedrive, suggest.")


@commands.command(epilog="Example: ./ppp fields check --map pipedrive-fields.json")
def check(
    *,
    file: Annotated[
        Path, typer.Option("--map", metavar="FILE", help="The field map.")
    ] = DEFAULT_MAP,
    as_json: AsJson = False,
) -> int:
    """Compares a field map with the account's real fields.

    The token is read from the environment variable PIPEDRIVE_API_KEY, another address than
    Pipedrive's own from PIPEDRIVE_URL. Exits with 1 if a value cannot reach the account.
    """
    text = _read(file)
    account = _announced_account(as_json=as_json)
    field_map = parse_field_map(text)
    checks = check_fields(field_map.entries, custom_fields(account))
    if as_json:
        show_json(
            {
                "fields": [_check_as_json(field_check) for field_check in checks],
                "problems": field_map.problems,
                "not_in_the_map": field_map.unmapped,
            }
        )
    else:
        _show(file, checks, field_map)
    failed = field_map.problems or any(field_check.fails for field_check in checks)
    return ExitCode.PROBLEMS if failed else ExitCode.FINE


@commands.command("suggest", epilog="Example: ./ppp fields suggest --out pipedrive-fields.json")
def suggest_map(
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write instead of stdout."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    as_json: AsJson = False,
) -> int:
    """Prints a field map made from the account's field names.

    The token is read from the environment variable PIPEDRIVE_API_KEY, another address than
    Pipedrive's own from PIPEDRIVE_URL. Of two fields that match a value, none is chosen. Exits with
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
    for line in (*_unmatched_lines(suggestion), *_next_steps(suggestion, out)):
        note(line)
    is_complete = suggestion.entries and not suggestion.ambiguous
    return ExitCode.FINE if is_complete else ExitCode.PROBLEMS


def _announced_account(*, as_json: bool) -> Account:
    account = account_from_environment()
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


def _show(file: Path, checks: Sequence[FieldCheck], field_map: ParsedFieldMap) -> None:
    terminal = console()
    if checks:
        show_table(terminal, HEADERS, map(_cells, checks), VERDICT_COLOURS)
    for title, lines in (
        ("Notes", [f"{entry.name}: {entry.note}" for entry in checks if entry.note]),
        (f"Wrong in {file}", field_map.problems),
        (
            "Not in the map, so not sent",
            [", ".join(field_map.unmapped)] if field_map.unmapped else [],
        ),
    ):
        _show_list(terminal, title, lines)
    typer.echo(f"\n{_summary(checks, field_map.problems)}")


def _summary(checks: Sequence[FieldCheck], problems: Sequence[str]) -> str:
    """Count the fields of each verdict: `9 fields compared: 8 ok, 1 too short`."""
    counts = Counter(check.verdict for check in checks)
    verdicts = [f"{number} {verdict}" for verdict, number in counts.most_common()]
    if problems:
        verdicts.append(f"{counted(len(problems), 'problem')} in the map itself")
    return f"{counted(len(checks), 'field')} compared: {', '.join(verdicts)}"


def _cells(entry: FieldCheck) -> Sequence[object]:
    name, field_type = (entry.field.name, entry.field.type) if entry.field else (None, None)
    return entry.name, entry.key, name, field_type, entry.verdict


def _show_list(terminal: Console, title: str, lines: Sequence[str]) -> None:
    if lines:
        terminal.print(f"\n{title}", style="bold")
    for line in lines:
        terminal.print(plain(line))


def _check_as_json(entry: FieldCheck) -> dict[str, object]:
    return {
        "name": entry.name,
        "key": entry.key,
        "account_field": entry.field and entry.field.name,
        "type": entry.field and entry.field.type,
        "verdict": entry.verdict,
        "note": entry.note,
    }


# ---- what suggest says -------------------------------------------------------------------------


def _suggestion_as_json(suggestion: Suggestion) -> dict[str, object]:
    return {
        "map": suggestion.entries,
        "ambiguous": {
            name: [{"key": field.key, "account_field": field.name} for field in matches]
            for name, matches in suggestion.ambiguous.items()
        },
        "unmatched": suggestion.unmatched,
    }


def _unmatched_lines(suggestion: Suggestion) -> list[str]:
    lines = [
        f"{name}: not chosen, it could be {' or '.join(map(_field_label, matches))}"
        for name, matches in suggestion.ambiguous.items()
    ]
    if suggestion.unmatched:
        lines.append(f"no field of that name: {', '.join(suggestion.unmatched)}")
    return lines


def _field_label(field: AccountField) -> str:
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
