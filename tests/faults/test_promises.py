"""What the stories promise: a promise that is broken is seen."""

from __future__ import annotations

import contextlib
import io
from datetime import timedelta

import pytest

from tests.faults.endings import ACTS, LEAVING, play
from tests.faults.outside import OUTSIDE
from tests.faults.promises import broken_promises
from tests.faults.story import Story

PROMISED = {"lead-of-jane": "jane@example.com", "lead-of-gone": LEAVING}
COPY = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, event_type, event_key, timestamp)
SELECT project_id, pixel_id, 'another', event_type, event_key, timestamp FROM tracking_events
WHERE event_key = 'lead-of-jane'
"""


@pytest.fixture
def story() -> Story:
    """A story that ended well, and is remembered by two leads."""
    assert play(ACTS["a page view"]).broken_promises == []
    return Story(PROMISED, {LEAVING})


def test_a_story_that_ended_well_breaks_none(story: Story) -> None:
    assert broken_promises(story, "") == []


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM tracking_events WHERE event_key = 'lead-of-jane'", "0 times in D1"),
        (COPY, "2 times in D1"),
        ("UPDATE tracking_events SET pipedrive_sync_status = 'error'", "is error"),
        (f"UPDATE visitors SET user_agent = '{LEAVING}'", "is in the table visitors"),
    ],
)
def test_a_row_that_is_wrong_is_seen(story: Story, statement: str, problem: str) -> None:
    OUTSIDE.database.execute("PRAGMA foreign_keys = OFF")
    OUTSIDE.database.execute(statement)
    assert problem in "; ".join(broken_promises(story, ""))


def test_an_erased_person_in_kv_and_r2_and_what_waits_is_seen(story: Story) -> None:
    OUTSIDE.key_values["timer"] = (LEAVING, OUTSIDE.now + timedelta(days=1))
    OUTSIDE.objects["waiting/a.json"] = LEAVING.encode()
    assert broken_promises(story, "") == [
        f"{LEAVING} is in KV, timer",
        f"{LEAVING} is in R2, waiting/a.json",
        "waiting/a.json still waits",
    ]


def test_an_error_that_nobody_expected_is_seen(story: Story) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        assert broken_promises(story, '{"event": "sync_crashed"}\n{"event": "cron_run"}') == [
            'an error that nobody expected: {"event": "sync_crashed"}'
        ]
