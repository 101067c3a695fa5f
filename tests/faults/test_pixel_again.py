"""A pixel that a restored backup is older than comes back under its id, with what waited for it."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import SETTINGS, Story
from tests.harness.keys import ADMIN_KEY


def test_what_is_parked_is_stored_once_its_pixel_is_created_under_its_old_id() -> None:
    new_outside()
    story = Story()
    story.submit_while_database_is_away("1" * 16, "event-lead-1", "jane@client.example")
    [key] = [key for key in OUTSIDE.objects if key.startswith("waiting/")]
    content = OUTSIDE.objects.pop(key).replace(b"ppp-website-1", b"ppp-website-9")
    moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"
    digest = key.rpartition("-")[2]
    OUTSIDE.objects[f"parked/ppp-website-9/{moment}-{digest}"] = content
    story.run_cron()
    stored = "SELECT pixel_id FROM tracking_events WHERE event_key = 'event-lead-1'"
    assert OUTSIDE.rows(stored) == []

    path = "/api/manage/projects/ppp-default-project/pixels"
    body = {"name": "New site", "id": "ppp-website-9"}
    headers = {"x-api-key": ADMIN_KEY}
    status, answer = Isolate(**SETTINGS).request(path, "POST", body, headers)
    assert (status, answer["data"]["id"]) == (201, "ppp-website-9")
    story.run_cron()
    assert OUTSIDE.rows(stored) == [{"pixel_id": "ppp-website-9"}]
    assert not [key for key in OUTSIDE.objects if key.startswith("parked/")]
