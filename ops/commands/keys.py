"""`ppp keys`: make API keys on this machine. Nothing is sent anywhere."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from new_api_key import new_api_key
from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.options import AsJson
from ops.terminal.output import announce, note, show_json
from services.access.api_keys import Role, read_api_keys
from services.core.text import clean, read_json

MAX_NAME_CHARACTERS = 64
STDIN = Path("-")
BYTE_ORDER_MARK = "\ufeff"
STORE_COMMAND = "npx wrangler secret put API_KEYS --env production"

KeyEntry = Mapping[str, object]

commands = typer.Typer(name="keys", help="API keys: new, check.")


@commands.command(epilog="Example: ./ppp keys new --name marketing --role read")
def new(
    *,
    name: Annotated[str, typer.Option(help="The name of its owner.")],
    role: Annotated[Role, typer.Option(help="read: reports; admin: reports and administration.")],
    leads: Annotated[
        bool, typer.Option("--leads", help="May see the persons in exports; an admin may.")
    ] = False,
    project: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Limits it to this project; may be given several times."),
    ] = None,
    existing: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The current value of API_KEYS, whose keys are kept; - for stdin."
        ),
    ] = None,
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="FILE",
            help="Where the line is written; the keys that stand there are kept.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Makes an API key and the line for the secret API_KEYS.

    The key is printed once and written nowhere; the line holds its SHA-256 only.
    """
    if key_file and existing:
        raise WrongUsageError("--into keeps the keys of its file: leave out --existing")
    if key_file and key_file.exists():
        existing = key_file
    entries = _existing_entries(existing)
    _require_new_name(name, entries)
    projects = _project_ids(project or [])
    key, entry = new_api_key(name, role, ("leads",) if leads else (), projects)
    api_keys = json.dumps([*entries, entry])
    if key_file:
        _write(key_file, api_keys)
    holder = f"{name} ({role}{_limits(projects)})"
    announce(f"API key {holder}, made on this machine and stored nowhere", as_json=as_json)
    if as_json:
        show_json({**entry, "key": key, "api_keys": api_keys})
    else:
        typer.echo(f"The key, shown this once:\n{key}\n\nThe whole secret API_KEYS:\n{api_keys}\n")
        source = f" < {shlex.quote(str(key_file))}" if key_file else ""
        typer.echo(f"Store that line with: {STORE_COMMAND}{source}")
    if not existing:
        note(
            "It is the only key in this line. Where others are set already, give their line with"
            " --existing FILE or --into FILE, or they are closed."
        )
    return ExitCode.FINE


@commands.command(epilog="Example: ./ppp keys check < kept-api-keys.txt")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The text; - for stdin.")] = STDIN,
    *,
    as_json: AsJson = False,
) -> int:
    """Says which keys a text opens as API_KEYS.

    It is for a text that is to be the secret, or that was kept when it became one.
    No key is printed, only its name and role. Exits with 1 if something is to be looked at.
    """
    secret = read_api_keys(_read(file))
    problems = [f"API_KEYS {problem}" for problem in secret.problems]
    problems += [
        f"key {position} is no UUID: the JavaScript Worker refused it, and it is an admin's here"
        for position in secret.newly_accepted
    ]
    if not (secret.keys or problems):
        problems = ["the text is empty: no key opens anything"]
    if as_json:
        keys = [
            {"name": key.name, "role": key.role, "projects": key.projects and sorted(key.projects)}
            for key in secret.keys
        ]
        show_json({"keys": keys, "is_old_format": secret.is_old, "problems": problems})
    else:
        for key in secret.keys:
            typer.echo(f"{key.role:<6} {key.name}{_limits(sorted(key.projects or ()))}")
        for problem in problems:
            typer.echo(f"! {problem}")
    return ExitCode.PROBLEMS if problems else ExitCode.FINE


def _project_ids(texts: Sequence[str]) -> Sequence[str]:
    """Return the ids without surrounding spaces.

    Raises:
        WrongUsageError: one is empty: such a key would be for all projects, or for none.
    """
    ids = [project_id.strip() for project_id in texts]
    if not all(ids):
        raise WrongUsageError("--project needs the id of a project: see ./ppp projects list")
    return ids


def _limits(projects: Sequence[str]) -> str:
    return f", only {', '.join(projects)}" if projects else ""


def _existing_entries(existing: Path | None) -> Sequence[KeyEntry]:
    """Return the entries of an existing API_KEYS, unchanged.

    Raises:
        WrongUsageError: the file cannot be read, or it is not a valid value.
    """
    if existing is None:
        return []
    text = _read(existing).strip()
    secret = read_api_keys(text)
    if secret.is_old:
        raise WrongUsageError(
            f"{existing}: API_KEYS has the old format, plain keys with commas between them; make "
            "an entry for each of its holders, and begin without --existing"
        )
    if secret.problems:
        raise WrongUsageError(f"{existing}: API_KEYS {'; '.join(secret.problems)}")
    entries = read_json(text.lstrip(BYTE_ORDER_MARK) or "[]")
    return entries if isinstance(entries, list) else []


def _read(file: Path) -> str:
    try:
        return sys.stdin.read() if file == STDIN else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise WrongUsageError(f"{file} cannot be read: {reason}") from None


def _write(file: Path, api_keys: str) -> None:
    """Write the line, whole or not at all: it is the only copy of what Cloudflare does not show."""
    temporary = file.with_name(f".{file.name}.new")
    try:
        temporary.touch(mode=0o600)
        temporary.write_text(api_keys + "\n", encoding="utf-8")
        temporary.replace(file)
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be written: {error.strerror}") from None


def _require_new_name(name: str, entries: Sequence[KeyEntry]) -> None:
    if clean(name, MAX_NAME_CHARACTERS) != name:
        raise WrongUsageError(f"--name must be 1 to {MAX_NAME_CHARACTERS} printable characters")
    if name.casefold() in {str(entry["name"]).casefold() for entry in entries}:
        raise WrongUsageError(f"a key is called {name} already: choose another name")
