"""Who responds to an alert, and how they are reached: config/oncall.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ops.terminal.errors import WrongUsageError
from paths import ROOT

CONTACTS = ROOT / "config" / "oncall.toml"
EXAMPLE = ROOT / "config" / "oncall.example.toml"
PRIORITIES = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class Responders:
    """Who responds to a priority: first, then second; who is informed; how they are reached."""

    first: str
    second: str
    inform: str
    contact: str

    def __str__(self) -> str:
        roles = {"first": self.first, "then": self.second, "inform": self.inform}
        people = "; ".join(f"{role} {name}" for role, name in roles.items() if name)
        return f"{people} ({self.contact})" if self.contact else people


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


def _responders(table: Mapping[str, object]) -> Responders:
    values = {field.name: table[field.name] for field in fields(Responders)}
    if not all(isinstance(value, str) for value in values.values()):
        raise ValueError("every value must be a text")
    return Responders(**{name: str(value) for name, value in values.items()})
