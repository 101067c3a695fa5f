"""What scripts read today, kept in a file, and what of it another Worker answers otherwise.

For a change of the Worker: old scripts break where a key has gone or has another type. Numbers move
under traffic, so smaller ones are only shown.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ops.terminal.errors import WrongUsageError
from ops.terminal.output import plain
from ops.worker_api.client import Api

OWNER_ONLY = 0o600
MAX_LISTED = 20
# Of /health: times, which say nothing when they fall.
MOVING = ("latency_ms", "uptime", "processing_time")
SOURCE = ".utm_source"
EMPTY = "an empty list"
# Neither says what the values are.
UNTYPED = {"null", EMPTY}
KINDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}
# Of rows that are the same entries before and after.
ID = "id"

Answer = Mapping[str, Any]
"""An answer's `status`, and its `content` if that is JSON."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What breaks scripts, and what a person should look at."""

    problems: Sequence[str]
    notes: Sequence[str]


def ask_all(api: Api, addresses: Sequence[str]) -> dict[str, Answer]:
    """Ask each address once.

    Raises:
        UnreachableError: no answer arrived.
    """
    answers: dict[str, Answer] = {}
    for address in addresses:
        response = api.send_once("GET", address)
        try:
            content = response.json()
        except ValueError:
            content = None
        answers[address] = {"status": response.status_code, "content": content}
    return answers


def write_answers(file: Path, answers: Mapping[str, Answer]) -> None:
    """Write the answers into a file for its owner only: lists of projects hold secrets.

    Raises:
        WrongUsageError: it cannot be written.
    """
    try:
        file.touch(mode=OWNER_ONLY)
        file.chmod(OWNER_ONLY)
        file.write_text(json.dumps(answers, indent=1), encoding="utf-8")
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be written: {error.strerror}") from None


def read_kept(file: Path) -> dict[str, Answer]:
    """Read the answers of a file.

    Raises:
        WrongUsageError: it holds none.
    """
    try:
        answers = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        answers = None
    if not isinstance(answers, dict) or not answers:
        raise WrongUsageError(f"{file} holds no answers: ./ppp answers save writes it")
    return answers


def compare(before: Mapping[str, Answer], after: Mapping[str, Answer]) -> Comparison:
    """Compare what was kept with what is answered now."""
    problems: list[str] = []
    notes: list[str] = []
    for address, old in before.items():
        new = after[address]
        if old["status"] != HTTPStatus.OK:
            notes.append(f"{address}: was {old['status']}, is {new['status']}")
        elif new["status"] != HTTPStatus.OK:
            problems.append(f"{address}: was 200, is {new['status']}")
        else:
            pair = (old["content"], new["content"])
            problems += [f"{address}: {text}" for text in _shape_problems(*pair)]
            problems += [f"{address}: {text}" for text in _missing_entries(*pair)]
            notes += [f"{address}: {text}" for text in _smaller_numbers(*pair)]
    return Comparison(problems, _shortened(notes))


def _shape_problems(before: object, after: object) -> Iterator[str]:
    """Keys that have gone, and values of another type; a row more or less is no change of shape."""
    old, new = _kinds(before), _kinds(after)
    empty = [path for path, kinds in new.items() if kinds == {EMPTY}]
    for path, kinds in old.items():
        named = plain(path)
        if path not in new:
            if not any(path.startswith(f"{start}[]") for start in empty):
                yield f"{named} is gone"
        elif (expected := kinds - UNTYPED) and (now := new[path] - kinds - UNTYPED):
            yield f"{named} was {' or '.join(sorted(expected))}, is {' or '.join(sorted(now))}"


def _kinds(content: object) -> dict[str, set[str]]:
    """Return the types of the values at each path; rows of a list share their paths."""
    kinds: dict[str, set[str]] = {}
    for path, value in _values(content):
        kinds.setdefault(path, set()).add(_kind(value))
    return kinds


def _kind(value: object) -> str:
    if value == []:
        return EMPTY
    return KINDS[type(value)]


def _values(content: object, path: str = "") -> Iterator[tuple[str, object]]:
    yield path, content
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _values(value, f"{path}.{key}" if path else key)
    elif isinstance(content, list):
        for value in content:
            yield from _values(value, f"{path}[]")


def _missing_entries(before: object, after: object) -> Iterator[str]:
    present = _ids(after)
    for path, identity in sorted(_ids(before) - present):
        yield f"{plain(path)} {plain(identity)} is gone"


def _ids(content: object) -> set[tuple[str, str]]:
    return {
        (path, value)
        for path, value in _values(content)
        if path.endswith(f"[].{ID}") and isinstance(value, str)
    }


def _smaller_numbers(before: object, after: object) -> Iterator[str]:
    """Numbers outside of lists that fell, and sources that are there no more."""
    new = dict(_values(after))
    sources = {value for path, value in _values(after) if path.endswith(SOURCE)}
    for path, value in _values(before):
        current = new.get(path)
        if "[]" in path:
            if path.endswith(SOURCE) and value not in sources:
                yield f"{plain(path)} has no {plain(str(value))} now"
        elif (
            isinstance(value, int)
            and isinstance(current, int)
            and current < value
            and not path.endswith(MOVING)
        ):
            yield f"{plain(path)} {value:,} → {current:,}"


def _shortened(notes: Sequence[str]) -> Sequence[str]:
    surplus = len(notes) - MAX_LISTED
    return [*notes[:MAX_LISTED], f"and {surplus} more"] if surplus > 0 else notes
