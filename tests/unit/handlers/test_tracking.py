"""The visitor of an image, and what is done after the answer to a lead."""

from __future__ import annotations

import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest

from handlers.tracking import cookie_of, store_reminders
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


VISITOR = "pxl_0123456789abcdef"


@pytest.mark.parametrize(
    "cookies",
    [
        f"ppp_visitor={VISITOR}",
        f"a=b; ppp_visitor={VISITOR}; c=d",
        f"a=b;ppp_visitor={VISITOR};c",
        f"ppp_visitor = {VISITOR} ; a=b",
        f'ppp_visitor="{VISITOR}"; a=b',
        f'a="quoted; b=half; ppp_visitor={VISITOR}',
        f'prefs={{"a": "b=c"}}; ppp_visitor={VISITOR}',
        f"a=b=c==; =; ;;; ppp_visitor={VISITOR}",
        f"größe=süß; 名=値; ppp_visitor={VISITOR}; größe=1",
        f"a[b]/(c)@d=1, e; ppp_visitor={VISITOR}",
        f"a=\x00\x01\t; ppp_visitor={VISITOR}",
        f"long={'x' * 100_000}; ppp_visitor={VISITOR}",
        f"{'a=b; ' * 2_000}ppp_visitor={VISITOR}",
        f"ppp_visitor={VISITOR}; ppp_visitor=pxl_ffffffffffffffff",
        f"ppp_visitor=; ppp_visitor={VISITOR}",
        f"ppp_visitor=not-ours; ppp_visitor={VISITOR}",
        f"ppp_visitor={VISITOR}0; ppp_visitor={VISITOR}",
        f"my_ppp_visitor=pxl_ffffffffffffffff; ppp_visitor={VISITOR}",
        f"a=b, ppp_visitor={VISITOR}",
    ],
)
def test_no_other_cookie_hides_the_visitor_of_an_image(cookies: str) -> None:
    request = SimpleNamespace(header={"cookie": cookies}.get)
    assert cookie_of(cast("Any", request)) == VISITOR


@pytest.mark.parametrize(
    "cookies",
    [
        *(None, "", ";", "ppp_visitor", "ppp_visitor=", f"my_ppp_visitor={VISITOR}"),
        *(f"ppp_visitor={VISITOR}0", f"ppp_visitor={VISITOR.upper()}", f"ppp_visitor=x{VISITOR}"),
        *(f"ppp_visitor={VISITOR} x", f"ppp_visitor={VISITOR}%20"),
    ],
)
def test_a_value_that_is_not_ours_is_no_visitor(cookies: str | None) -> None:
    request = SimpleNamespace(header={"cookie": cookies}.get)
    assert cookie_of(cast("Any", request)) is None


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
