"""What scripts read today, kept in a file, and what of it another Worker answers otherwise.

For a change of the Worker: old scripts break where a key has gone or has another type
(`answer_contents`), where a status or the columns of a table are others.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ops.checks.answer_contents import Difference, differences
from ops.terminal.errors import WrongUsageError
from ops.terminal.output import plain
from ops.worker_api.client import Api

OWNER_ONLY = 0o600
MAX_LISTED = 20
# Statuses from here on are faults of the Worker.
FIRST_FAULT = HTTPStatus.INTERNAL_SERVER_ERROR
CSV = "text/csv"

Answer = Mapping[str, Any]
"""An answer's `status` and media `type`, its `content` if that is JSON; of CSV `columns`, `rows`.

Files that older versions kept have `status` and `content` only.
"""


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
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        answer = {"status": response.status_code, "type": kind, "content": content}
        answers[address] = answer | (_table(response.text) if kind == CSV else {})
    return answers


def _table(text: str) -> dict[str, object]:
    """The names of the columns and the number of rows: what rows hold is not kept."""
    lines = csv.reader(text.removeprefix("\ufeff").splitlines(keepends=True))
    columns = next(lines, [])
    return {"columns": columns, "rows": sum(1 for _ in lines)}


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
        for difference in _differences(old, after[address]):
            texts = problems if difference.is_problem else notes
            texts.append(f"{address}: {difference.text}")
    return Comparison(problems, _shortened(notes))


def _differences(old: Answer, new: Answer) -> Iterator[Difference]:
    before, now = old["status"], new["status"]
    if before != HTTPStatus.OK or now != HTTPStatus.OK:
        worse = before == HTTPStatus.OK or before < FIRST_FAULT <= now
        yield Difference(f"was {before}, is {now}", is_problem=worse)
    elif old["content"] is not None and new["content"] is None:
        yield Difference("is no JSON now", is_problem=True)
    else:
        yield from differences(old["content"], new["content"])
        yield from _differences_of_text(old, new)


def _differences_of_text(old: Answer, new: Answer) -> Iterator[Difference]:
    """What differs in the kind of the answer, and of CSV in the columns, which scripts count."""
    kind, kind_now = old.get("type"), new.get("type")
    if kind and kind_now != kind:
        yield Difference(f"was {kind}, is {plain(kind_now)}", is_problem=True)
        return
    columns, columns_now = old.get("columns") or [], new.get("columns") or []
    for number, name in enumerate(columns):
        current = columns_now[number] if number < len(columns_now) else None
        if current != name:
            yield Difference(
                f"column {number + 1} was {plain(name)}, is {plain(current)}", is_problem=True
            )
            return
    rows, rows_now = old.get("rows") or 0, new.get("rows") or 0
    if rows_now < rows:
        yield Difference(f"rows {rows:,} → {rows_now:,}", is_problem=not rows_now)


def _shortened(notes: Sequence[str]) -> Sequence[str]:
    surplus = len(notes) - MAX_LISTED
    return [*notes[:MAX_LISTED], f"and {surplus} more"] if surplus > 0 else notes
