"""What of an answer's content scripts would trip over, and what of it only moved.

Scripts read keys, types, and entries that they know by an id or a name. Numbers move under traffic,
and so do the keys of maps that count sources and hosts: of those only the values have a shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ops.terminal.output import plain
from services.core.text import read_object

NULL = "null"
KINDS = {
    type(None): NULL,
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
# By the first of these that an entry has, scripts know it. Events have a number as `id`: they move.
IDENTITIES = ("id", "pixel_id", "project_id", "name")
ENTRY_IDS = IDENTITIES[:3]
NAMES = frozenset(("name", "pixel_name", "project_name"))
# Their keys are sources and hosts of the newest events.
MAPS = frozenset(("utm_sources", "page_url_analysis"))
# A JSON object as text, under the old addresses.
CONFIGURATION = "configuration"
SOURCE = "utm_source"
# Times, which say nothing when they fall or are not there.
MOVING = re.compile(r"latency_ms|uptime|processing_time|timestamp|.*(?:_at|_date|_next_attempt)")


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference at a path; a problem if scripts trip over it."""

    text: str
    is_problem: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of two answers: its values before and now, several where rows share a path.

    `is_moving`: it is in rows or maps that move. `belongs_to_entry`: to one with an id.
    """

    path: str
    name: str
    old: Sequence[object]
    new: Sequence[object]
    is_moving: bool = False
    belongs_to_entry: bool = False


def differences(before: object, after: object) -> Iterator[Difference]:
    """Everything that differs, the outermost part of it only."""
    return _differences(Part("", "", [before], [after]))


def _differences(part: Part) -> Iterator[Difference]:
    path = plain(part.path) if part.path else "the answer"
    if problem := _problem(part):
        yield Difference(f"{path} {problem}", is_problem=True)
        return
    for note in _notes(part):
        yield Difference(f"{path} {note}", is_problem=False)
    for inner in (*_members(part), *_entries(part)):
        yield from _differences(inner)


def _problem(part: Part) -> str | None:
    if not part.new:
        return "is gone"
    old, new = _kinds(part.old), _kinds(part.new)
    if new == {NULL} and NULL not in old and not MOVING.fullmatch(part.name):
        return f"was {_listed(old)}, is null"
    if (expected := old - {NULL}) and (unexpected := new - old - {NULL}):
        return f"was {_listed(expected)}, is {_listed(unexpected)}"
    entries = _all_entries(part.old)
    if any(isinstance(entry, dict) for entry in entries) and not _all_entries(part.new):
        return "had entries, is an empty list"
    if part.belongs_to_entry and part.name in NAMES and part.old != part.new:
        return f"was {plain(part.old[0])}, is {plain(part.new[0])}"
    return None


def _notes(part: Part) -> Iterator[str]:
    if part.is_moving:
        if part.name == SOURCE:
            for source in dict.fromkeys(part.old):
                if source not in part.new:
                    yield f"has no {plain(source)} now"
    elif not MOVING.fullmatch(part.name) and (change := _change(part)):
        yield change


def _change(part: Part) -> str | None:
    match part.old[0], part.new[0]:
        case (bool() as old, bool() as new) if old != new:
            return f"was {json.dumps(old)}, is {json.dumps(new)}"
        case (int() | float() as old, int() | float() as new) if new < old:
            return f"{old:,} → {new:,}"
        case ([_, *_], []):
            return "had values, is an empty list"
        case (str() as old, str() as new) if part.belongs_to_entry and old != new:
            # Not which texts: addresses of webhooks are secrets.
            return "is another text"
    return None


def _members(part: Part) -> Iterator[Part]:
    """The members of objects, by their names; those of a map together."""
    old, new = _objects(part.old, part.name), _objects(part.new, part.name)
    if not new:
        return
    if part.name in MAPS:
        values, values_now = (
            [value for counts in maps for value in counts.values()] for maps in (old, new)
        )
        if values and values_now:
            yield Part(f"{part.path}{{}}", "", values, values_now, is_moving=True)
        return
    belongs_to_entry = any(isinstance(entry.get(name), str) for entry in old for name in ENTRY_IDS)
    for name in dict.fromkeys(name for members in old for name in members):
        yield Part(
            f"{part.path}.{name}" if part.path else name,
            name,
            [members[name] for members in old if name in members],
            [members[name] for members in new if name in members],
            is_moving=part.is_moving,
            belongs_to_entry=belongs_to_entry and not part.is_moving,
        )


def _entries(part: Part) -> Iterator[Part]:
    """The entries of lists: each that has an identity in both answers' lists, else all as one."""
    old, new = _all_entries(part.old), _all_entries(part.new)
    if not old or not new:
        return
    by_identity, now_by_identity = _by_identity(old), _by_identity(new)
    if part.is_moving or not by_identity or not now_by_identity:
        yield Part(f"{part.path}[]", "", old, new, is_moving=True)
        return
    for identity, entry in by_identity.items():
        current = [now_by_identity[identity]] if identity in now_by_identity else []
        yield Part(f"{part.path}[{identity}]", "", [entry], current)


def _by_identity(entries: Sequence[object]) -> Mapping[str, object]:
    """The entries by what scripts know them by; none if one has nothing of its own."""
    identified: dict[str, object] = {}
    for entry in entries:
        names = [name for name in IDENTITIES if isinstance(entry, dict) and name in entry]
        identity = entry[names[0]] if isinstance(entry, dict) and names else None
        if not isinstance(identity, str) or identity in identified:
            return {}
        identified[identity] = entry
    return identified


def _objects(values: Sequence[object], name: str) -> Sequence[Mapping[str, object]]:
    if name == CONFIGURATION:
        values = [read_object(text) if isinstance(text, str) else text for text in values]
    return [value for value in values if isinstance(value, dict)]


def _all_entries(values: Sequence[object]) -> Sequence[object]:
    return [entry for value in values if isinstance(value, list) for entry in value]


def _kinds(values: Sequence[object]) -> set[str]:
    return {KINDS[type(value)] for value in values}


def _listed(kinds: set[str]) -> str:
    return " or ".join(sorted(kinds))
