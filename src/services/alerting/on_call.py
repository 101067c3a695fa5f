"""Who responds to an alert, by the setting ON_CALL: personal data, which stands in no log line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from services.core.text import clean, read_json

PRIORITIES = ("P1", "P2", "P3", "P4")
MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Responders:
    """Who responds to a priority: first, then second; who is informed; how they are reached."""

    first: str = ""
    second: str = ""
    inform: str = ""
    contact: str = ""

    def __str__(self) -> str:
        roles = {"first": self.first, "then": self.second, "inform": self.inform}
        people = "; ".join(f"{role} {name}" for role, name in roles.items() if name)
        return f"{people} ({self.contact})" if self.contact else people


def read_on_call(text: str | None) -> Mapping[str, Responders]:
    """The responders by priority, as `./ppp alerts oncall` writes them; none of an empty text.

    Raises:
        ValueError: it is no such table; the message begins behind the name of the setting.
    """
    if not text:
        return {}
    try:
        tables = read_json(text)
    except ValueError:
        raise ValueError("must be JSON, as `./ppp alerts oncall` prints it") from None
    if not isinstance(tables, dict) or not tables.keys() <= set(PRIORITIES):
        raise ValueError(f"must be an object with some of {', '.join(PRIORITIES)}")
    return {priority: _responders(table) for priority, table in tables.items()}


def _responders(table: object) -> Responders:
    names = [field.name for field in fields(Responders)]
    is_table = isinstance(table, dict) and table.keys() <= set(names)
    if not isinstance(table, dict) or not is_table:
        raise ValueError(f"must have only {', '.join(names)} for each priority")
    if not all(isinstance(value, str) for value in table.values()):
        raise ValueError("must have texts only")
    return Responders(
        **{str(name): clean(value, MAX_CHARACTERS) or "" for name, value in table.items()}
    )
