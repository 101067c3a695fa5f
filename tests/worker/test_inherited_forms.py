"""Forms that the old Worker stored with another type of event are found and erased as well.

The whole app on SQLite, with the database that the old Worker leaves.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from services.core.ndjson_parts import pack
from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import SETTINGS
from tests.harness.keys import ADMIN_KEY
from tests.worker.local_d1 import insert

ANN, PIXEL = "ann@x.example", "ppp-website-1"
TYPES = ("form_submission", "pageview", "click", "Form_Submit", None)
EVENTS = "SELECT * FROM tracking_events ORDER BY id"


def ask(action: str, **body: object) -> Mapping[str, Any]:
    """All portions of a request about a person; the last answer."""
    isolate = Isolate(**SETTINGS)
    rows: list[object] = []
    cursor = None
    while True:
        fields = {**body, "cursor": cursor} if cursor else body
        with contextlib.redirect_stdout(io.StringIO()):
            status, answer = isolate.request(
                f"/api/privacy/{action}", "POST", fields, {"x-api-key": ADMIN_KEY}
            )
        assert status == 200, answer
        rows += answer["data"].get("rows", [])
        if answer["data"]["done"]:
            return {**answer["data"], "all_rows": rows}
        cursor = answer["data"]["cursor"]


def form_of(email: str, kind: str | None, number: int) -> dict[str, object]:
    return {
        "id": number, "project_id": "ppp-default-project", "pixel_id": PIXEL,
        "visitor_id": f"v{number}", "event_type": kind, "page_url": "https://a.example/",
        "form_data": json.dumps({"email": email, "first_name": "Ann"}),
        "timestamp": "2025-05-01 10:00:00", "created_at": "2025-05-01 10:00:00",
    }  # fmt: skip


@pytest.fixture
def forms() -> None:
    """One form of each type, of a visitor of its own, and one of another person."""
    new_outside()
    for number, kind in enumerate(TYPES, start=1):
        insert(OUTSIDE.database, "visitors", id=f"v{number}", visitor_cookie=f"c{number}")
        insert(OUTSIDE.database, "tracking_events", **form_of(ANN, kind, number))
    insert(OUTSIDE.database, "tracking_events", **form_of("bob@x.example", "click", 100))


@pytest.mark.usefixtures("forms")
def test_forms_of_any_type_are_found_exported_and_erased() -> None:
    ids = [number for number, _ in enumerate(TYPES, start=1)]
    assert ask("find", email=ANN)["found"]["tracking_events"]["ids"] == ids
    exported = ask("export", email=ANN)["all_rows"]
    assert [row["id"] for row in exported if "event_type" in row] == ids
    receipt = ask("erase", email=ANN, confirm=True)["receipt"]
    assert receipt["counts"]["tracking_events"] == receipt["counts"]["visitors"] == len(TYPES)
    assert [row["id"] for row in OUTSIDE.rows(EVENTS)] == [100]


@pytest.mark.usefixtures("forms")
def test_who_sent_another_form_in_the_same_browser_shares_it() -> None:
    OUTSIDE.database.execute("UPDATE tracking_events SET visitor_id = 'v1'")
    receipt = ask("erase", email=ANN, confirm=True)["receipt"]
    assert receipt["counts"]["visitors"] == 0
    assert [row["id"] for row in OUTSIDE.rows(EVENTS)] == [100]


def test_archived_forms_of_any_type_are_erased() -> None:
    new_outside()
    events = [form_of(ANN, kind, number) for number, kind in enumerate(TYPES, start=1)]
    packed = pack([json.dumps(event, separators=(",", ":")) for event in events])
    name = f"archive/{PIXEL}/2025-05-01/1-9"
    manifest = {"format": 1, "pixel_id": PIXEL, "day": "2025-05-01", "batch": "1-9"}
    manifest |= {"count": packed.rows, "sha256": packed.sha256, "bytes": len(packed.content)}
    manifest |= {"first_id": 1, "last_id": len(TYPES)}
    OUTSIDE.objects[f"{name}.ndjson.gz"] = packed.content
    OUTSIDE.objects[f"{name}.json"] = json.dumps(manifest).encode()
    receipt = ask("erase", email=ANN, confirm=True)["receipt"]
    assert receipt["counts"]["archived_events"] == len(TYPES)
    assert f"{name}.ndjson.gz" not in OUTSIDE.objects


@pytest.mark.usefixtures("forms")
def test_no_such_form_becomes_a_lead() -> None:
    before = OUTSIDE.rows(EVENTS)
    isolate = Isolate(**{**SETTINGS, "ARCHIVE_DAYS": "999999999"})
    for _ in range(3):
        with contextlib.redirect_stdout(io.StringIO()):
            isolate.run_cron()
        OUTSIDE.pass_time(minutes=5)
    assert OUTSIDE.rows(EVENTS) == before
    assert not OUTSIDE.account.persons()
