"""The portions of a request about a person: asked for one after the other, patiently."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from rich.console import Console

from ops.terminal.output import note, spoken
from ops.worker_api.client import Api, Row, UnreachableError
from ops.worker_api.retry_after import PAUSES

# The sync usually puts a lead down long before its lease ends.
LONGEST_PAUSE = 15
STAGES = {
    "forms": "looking through the forms",
    "archive": "looking through the archive",
    "visitors": "looking who used the same browsers",
    "logs": "looking through the old log",
    "keys": "looking through KV",
    "found": "deleting events, sessions and visitors",
    "old_log": "deleting rows of the old log and keys",
    "archive_parts": "deleting archived and received events",
}


def portions(api: Api, path: str, body: Mapping[str, object]) -> Iterator[Row]:
    """All answers to a request, the last of which is done.

    Raises:
        OpsError: the Worker refused, or did not answer again and again.
    """
    cursor: Mapping[str, str] = {}
    with Console(stderr=True, highlight=False, markup=False).status("asking") as status:
        while True:
            answer = _patiently(api, path, {**body, **cursor})
            yield answer
            if answer["done"]:
                return
            cursor = {"cursor": answer["cursor"]}
            status.update(STAGES.get(answer.get("stage", ""), "reading"))
            if "waits_until" in answer:
                _wait(answer["waits_until"])


def _patiently(api: Api, path: str, body: Mapping[str, object]) -> Row:
    for pause in PAUSES:
        try:
            return _portion(api, path, body)
        except UnreachableError as error:
            note(f"{error}; again in {pause} s")
            time.sleep(pause)
    return _portion(api, path, body)


def _portion(api: Api, path: str, body: Mapping[str, object]) -> Row:
    answer: Row = api.send("POST", path, body)["data"]
    return answer


def _wait(until: str) -> None:
    left = (datetime.fromisoformat(until) - datetime.now(UTC)).total_seconds()
    pause = min(LONGEST_PAUSE, max(1.0, left))
    note(
        "a lead of this person is being sent to Pipedrive: waiting for it, "
        f"at most {spoken(max(left, pause))}"
    )
    time.sleep(pause)
