"""Who responds to an alert, and how they are reached: config/oncall.toml."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from ops.terminal.errors import WrongUsageError
from paths import ROOT
from services.alerting.on_call import PRIORITIES, Responders, read_on_call

CONTACTS = ROOT / "config" / "oncall.toml"
EXAMPLE = ROOT / "config" / "oncall.example.toml"


def read_responders(file: Path = CONTACTS) -> Mapping[str, Responders]:
    """Read who responds, by priority; by the example where nothing was filled in.

    Raises:
        WrongUsageError: the file is no such table.
    """
    source = file if file.exists() else EXAMPLE
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
        return {name: _responders(tables[name]) for name in PRIORITIES}
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise WrongUsageError(
            f"{source} cannot be read ({type(error).__name__}: {error}): compare it with {EXAMPLE}"
        ) from None


def on_call_setting(file: Path) -> dict[str, dict[str, str]]:
    """Return the value of the setting ON_CALL, which the Worker reads.

    Raises:
        WrongUsageError: nobody is named yet, or the file is no such table.
    """
    if not file.exists():
        raise WrongUsageError(
            f"nobody is named yet: copy config/{EXAMPLE.name} to config/{CONTACTS.name} and fill it"
            " in"
        )
    setting = {name: asdict(responders) for name, responders in read_responders(file).items()}
    # As the Worker reads it, long texts are cut.
    return {name: asdict(read) for name, read in read_on_call(json.dumps(setting)).items()}


def _responders(table: Mapping[str, object]) -> Responders:
    values = {field.name: table[field.name] for field in fields(Responders)}
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError("every value must be a text")
    return Responders(**{name: str(value) for name, value in values.items()})
