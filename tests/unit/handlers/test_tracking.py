"""What is done after the answer to a lead: each of the two without the other."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.tracking import store_reminders
from services.core.logs import Log
from services.core.ports import UnavailableError
from services.sync.timers import PREFIX as TIMERS
from services.sync.timers import Timers
from services.tracking.attribution import Attribution
from services.tracking.repeats import PREFIX as SUBMISSIONS
from services.tracking.repeats import Repeats
from services.tracking.visits import RecordedEvent
from tests.unit.memory import NOW, MemoryDatabase, MemoryKeyValues
from tests.unit.services.tracking.test_waiting_room import EVENT

RECORDED = RecordedEvent(
    event_id=42,
    visitor_id="visitor",
    session_id="session",
    attribution=Attribution("google", "cpc", "spring"),
    event_type="form_submit",
    due=NOW,
    touch={},
)


class FailingKeyValues(MemoryKeyValues):
    """KV that refuses the keys with some prefix."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    async def put(self, key: str, value: str, seconds: int) -> None:
        if key.startswith(self.prefix):
            raise UnavailableError("KV failed")
        await super().put(key, value, seconds)


@pytest.mark.parametrize(
    ("failing", "stored", "event"),
    [(TIMERS, SUBMISSIONS, "timer_not_set"), (SUBMISSIONS, TIMERS, "answer_not_remembered")],
)
def test_one_that_fails_keeps_not_the_other_and_is_named(
    failing: str, stored: str, event: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key_values = FailingKeyValues(failing)
    app = SimpleNamespace(
        timers=Timers(key_values),
        repeats=Repeats(MemoryDatabase(), key_values, 600),
        clock=lambda: NOW,
    )
    asyncio.run(store_reminders(cast("Any", app), Log("info", "test"), EVENT, RECORDED))
    [key] = key_values.values
    assert key.startswith(stored)
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["event_id"]) == (event, 42)
