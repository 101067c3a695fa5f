"""The entries of the API's lists of projects and pixels: list, show, change, switch off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import typer

from ops.terminal.errors import ExitCode, WrongUsageError
from ops.terminal.output import confirm, console, counted, note, plain, show_json, show_table
from ops.worker_api.client import Api, Row, path_segment
from services.core.text import read_json

PROJECTS, PIXELS = "/api/manage/projects", "/api/manage/pixels"
FILE_PREFIX = "@"


@dataclass(frozen=True, slots=True)
class EntryChange:
    """A request that changes an entry, before it is sent."""

    method: str
    path: str
    body: Mapping[str, object] | None = None


def list_entries(api: Api, path: str, *, include_inactive: bool) -> Sequence[Row]:
    """Read all entries of a list, in the order of their names."""
    query = {"include_inactive": "true" if include_inactive else "false"}
    return list(chain.from_iterable(page["data"] for page in api.pages(path, query)))


def activate_entry(api: Api, path: str, name: str, fields: Mapping[str, object]) -> str:
    """Return the id of the active entry of a name; it is switched on or created where needed.

    `path` is the list of projects, or that of a project's pixels.

    Raises:
        OpsError: the Worker refuses.
    """
    for entry in list_entries(api, path, include_inactive=True):
        if entry["name"] == name:
            if not entry["active"]:
                entry_path = PIXELS if "project_id" in entry else PROJECTS
                api.send("PUT", f"{entry_path}/{path_segment(entry['id'])}", {"active": 1})
            return str(entry["id"])
    return str(api.send("POST", path, {"name": name, **fields})["data"]["id"])


def show_entries(entries: Sequence[Row], noun: str, *, as_json: bool) -> int:
    """Print a list and return the exit code: 1 if it is empty."""
    if as_json:
        show_json(entries)
    elif entries:
        rows = [
            (entry["id"], entry["name"], _state(entry), plain(entry["updated_at"])[:16])
            for entry in entries
        ]
        show_table(console(), ("id", "name", "state", "changed (UTC)"), rows)
        note(counted(len(entries), noun))
    else:
        note(f"no {noun} is there; --all shows what is switched off, `create` makes one")
    return ExitCode.FINE if entries else ExitCode.PROBLEMS


def show_entry(entry: Row, *, as_json: bool) -> None:
    """Print one entry, a line for each of its values."""
    if as_json:
        show_json(entry)
        return
    settings = counted(len(entry["configuration"]), "setting")
    values = {**entry, "active": _state(entry), "configuration": settings}
    for name, value in values.items():
        typer.echo(f"{name:<14} {plain(value)}")
    for name, value in entry["configuration"].items():
        typer.echo(f"  {plain(name)} = {plain(json.dumps(value, ensure_ascii=False))}")


def request_body(
    fields: Mapping[str, object], settings: Sequence[str] | None, unset: Sequence[str] | None
) -> Row:
    """Build the body that creates or changes an entry, from the options that were given.

    A field of None was not given; an empty text becomes null, a boolean 0 or 1.

    Raises:
        WrongUsageError: no option was given, or a setting cannot be read.
    """
    given_fields = {name: value for name, value in fields.items() if value is not None}
    body = {name: _field_value(value) for name, value in given_fields.items()}
    body |= _configuration_changes(settings or (), unset or ())
    if not body:
        raise WrongUsageError("say what changes: --name, --set, --unset, --active or the address")
    return body


def _field_value(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return None if value == "" else value


def _configuration_changes(settings: Sequence[str], unset: Sequence[str]) -> Row:
    changes: Row = dict.fromkeys(unset)
    for text in settings:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise WrongUsageError(f"--set must be NAME=VALUE, not {plain(text)}")
        if name in changes:
            raise WrongUsageError(f"{name} is named twice by --set or --unset: say it once")
        changes[name] = _setting_value(value)
    return {"configuration": changes} if changes else {}


def apply_change(api: Api, change: EntryChange, *, dry_run: bool, as_json: bool) -> int:
    """Send a change and print the entry as it is now; a dry run prints the request."""
    if dry_run:
        body = {} if change.body is None else {"body": change.body}
        show_json({"method": change.method, "url": f"{api.worker.url}{change.path}", **body})
        return ExitCode.FINE
    show_entry(api.send(change.method, change.path, change.body)["data"], as_json=as_json)
    return ExitCode.FINE


def switch_off(api: Api, path: str, noun: str, *, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Switch an entry off, after a question that names it."""
    entry = api.get(path)["data"]
    if not entry["active"]:
        note("it is switched off already")
    elif not (yes or dry_run):
        description = f"{noun} {plain(entry['name'])} ({api.worker.name})"
        if not confirm(
            f"Switch off the {description}? It takes no events then; nothing is deleted"
        ):
            return ExitCode.PROBLEMS
    return apply_change(api, EntryChange("DELETE", path), dry_run=dry_run, as_json=as_json)


def _state(entry: Row) -> str:
    return "active" if entry["active"] else "inactive"


def _setting_value(text: str) -> object:
    """Read the value of a setting: of a file, as JSON, or else the text itself."""
    if text.startswith(FILE_PREFIX):
        return _json_of_file(Path(text.removeprefix(FILE_PREFIX)))
    try:
        return read_json(text)
    except ValueError:
        return text


def _json_of_file(file: Path) -> object:
    try:
        return read_json(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be read: {error.strerror}") from None
    except ValueError:
        raise WrongUsageError(f"{file} holds no JSON") from None
