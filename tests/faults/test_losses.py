"""What the whole app answers and says while its database is lost, however it was."""

from __future__ import annotations

import json
import sqlite3

import pytest

from services.loss.schema import TABLES
from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, new_outside, prepare_connection
from tests.faults.story import PIXEL, SETTINGS

MARK = "backups/high-water.json"
LONG_AGO = "2020-01-01 00:00:00"
OTHER_PIXEL = f"""
PRAGMA foreign_keys = OFF;
INSERT INTO pixels (id, project_id, name, created_at)
SELECT 'another-pixel', project_id, 'Another', '{LONG_AGO}' FROM pixels WHERE id = '{PIXEL}';
DELETE FROM pixels WHERE id = '{PIXEL}';
PRAGMA foreign_keys = ON
"""


@pytest.fixture(autouse=True)
def _healthy_database() -> None:
    """Some events, a mark and a verified backup."""
    new_outside()
    for table in ("projects", "pixels"):
        OUTSIDE.database.execute(f"UPDATE {table} SET created_at = '{LONG_AGO}'")
    for number in range(20):
        assert send(f"early-event-{number}") == 200
    run_crons(3)


def run_crons(number: int) -> None:
    for _ in range(number):
        Isolate(**SETTINGS).run_cron()
        OUTSIDE.pass_time(minutes=5)


def send(key: str, pixel: str = PIXEL, isolate: Isolate | None = None, **fields: object) -> int:
    event = {
        "pixel_id": pixel,
        "event_type": "pageview",
        "page_url": "https://shop.example/",
        "visitor_cookie": "pxl_0123456789abcdef",
        "event_key": key,
        **fields,
    }
    status, _ = (isolate or Isolate(**SETTINGS)).request("/e", "POST", event)
    return status


def waiting() -> list[str]:
    return [key for key in OUTSIDE.objects if key.startswith("waiting/")]


def stored(key: str) -> bool:
    return bool(OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE event_key = ?", key))


def problems() -> set[str]:
    """The problems that alarms named."""
    return {json.loads(alert)["problem"] for alert in OUTSIDE.alerts}


def snapshot() -> sqlite3.Connection:
    copy = sqlite3.connect(":memory:")
    OUTSIDE.database.backup(copy)
    return copy


def test_a_pixel_that_another_one_replaced_is_not_refused_while_the_database_is_lost() -> None:
    OUTSIDE.database.executescript(OTHER_PIXEL)
    run_crons(14)
    assert "database_lost" in problems()
    assert "not the ones that were there" in json.loads(OUTSIDE.objects[MARK])["missing"]
    assert send("of-replaced-pixel") == 503
    assert len(waiting()) == 1


def lost_tables() -> list[tuple[str, bool]]:
    """Each table that may go while the others stay, and whether events are stored without it."""
    needed = ("projects", "pixels", "visitors", "sessions", "tracking_events", "row_changes")
    others = [name for name in TABLES if name not in (*needed, "database_identity")]
    return [(name, False) for name in (*needed, "database_identity")] + [
        (name, True) for name in others
    ]


@pytest.mark.parametrize(("table", "is_stored"), lost_tables())
def test_one_table_that_is_dropped_is_a_loss_that_names_it_and_its_remedy(
    table: str, *, is_stored: bool
) -> None:
    OUTSIDE.alerts.clear()
    OUTSIDE.database.executescript(f"PRAGMA foreign_keys = OFF; DROP TABLE {table}")
    assert send("without-a-table") == (200 if is_stored else 503)
    run_crons(1)
    # One alarm, with what helps, and none that only follows from it.
    [alert] = [json.loads(alert) for alert in OUTSIDE.alerts]
    assert (alert["problem"], alert["severity"]) == ("database_lost", "P1")
    assert f"the table {table} is missing" in alert["text"]
    assert "./ppp restore" in alert["text"]
    status, health = Isolate(**SETTINGS).request("/health")
    assert status == 503
    assert "database_lost in the runbook" in health["checks"]["database"]["error"]
    run_crons(13)
    # An event that waits does so because of the loss, whose alarm is sent each hour.
    assert problems() == {"database_lost"}
    assert bool(waiting()) is not is_stored


@pytest.mark.parametrize(
    "earlier",
    [
        "UPDATE pixels SET active = 0",
        "UPDATE projects SET active = 0",
        """UPDATE pixels SET configuration = '{"allowed_domains": ["old.example"]}'""",
    ],
    ids=["an inactive pixel", "an inactive project", "another domain"],
)
def test_what_a_database_that_was_set_back_would_refuse_waits_and_is_stored_in_the_end(
    earlier: str,
) -> None:
    now = snapshot()
    OUTSIDE.database.execute(earlier)
    before = snapshot()
    now.backup(OUTSIDE.database)
    assert send("before-the-loss") == 200
    run_crons(3)
    whole = snapshot()
    before.backup(OUTSIDE.database)
    # Before the cron knows of it, and after.
    assert send("after-the-loss-1") == 503
    run_crons(1)
    assert "database_lost" in problems()
    assert send("after-the-loss-2") == 503
    assert len(waiting()) == 2

    whole.backup(OUTSIDE.database)
    run_crons(1)
    assert waiting() == []
    assert stored("after-the-loss-1")
    assert stored("after-the-loss-2")


def test_a_database_that_is_whole_refuses_what_no_pixel_takes() -> None:
    isolate = Isolate(**SETTINGS)
    assert send("nobodys-pixel", "pixel-nobody-had", isolate) == 400
    OUTSIDE.database.execute("UPDATE pixels SET active = 0")
    assert send("inactive-pixel", "ppp-website-2", isolate) == 400
    assert waiting() == []


def test_refusals_in_a_row_judge_the_database_once() -> None:
    isolate = Isolate(**SETTINGS)
    for number in range(5):
        assert send(f"wrong-{number}", f"pixel-nobody-had-{number}", isolate) == 400
        if not number:
            OUTSIDE.calls.names.clear()
    assert "R2" not in OUTSIDE.calls.names


def test_an_older_copy_of_the_database_that_is_bound_again_stores_nothing() -> None:
    older = snapshot()
    OUTSIDE.database.execute("UPDATE database_identity SET generation = 'restored'")
    mark = json.loads(OUTSIDE.objects[MARK])
    # As the acceptance of a restore writes it.
    OUTSIDE.objects[MARK] = json.dumps(mark | {"generation": "restored"}).encode()
    isolate = Isolate(**SETTINGS)
    assert send("in-the-restored", isolate=isolate) == 200
    restored = snapshot()

    older.backup(OUTSIDE.database)
    # Its highest event catches up before anybody looks.
    OUTSIDE.pass_time(minutes=2)
    assert [send(f"in-the-older-{number}", isolate=isolate) for number in range(30)] == [503] * 30
    run_crons(1)
    assert "database_lost" in problems()

    restored.backup(OUTSIDE.database)
    run_crons(1)
    assert waiting() == []
    assert stored("in-the-older-29")


def test_a_mark_of_an_older_worker_gets_the_generation_of_the_database() -> None:
    mark = json.loads(OUTSIDE.objects[MARK])
    [identity] = OUTSIDE.rows("SELECT generation FROM database_identity")
    assert mark.pop("generation") == identity["generation"]
    OUTSIDE.objects[MARK] = json.dumps(mark).encode()
    assert send("an-event") == 200
    run_crons(1)
    assert json.loads(OUTSIDE.objects[MARK])["generation"] == identity["generation"]


def test_environments_that_share_a_bucket_take_nothing_of_each_other() -> None:
    production, mark = OUTSIDE.database, OUTSIDE.objects[MARK]
    assert json.loads(mark)["environment"] == "production"
    staging = snapshot()
    prepare_connection(staging)
    staging.execute("UPDATE database_identity SET id = 'of-staging', generation = 'of-staging'")
    staging_settings = {**SETTINGS, "ENVIRONMENT": "staging"}

    OUTSIDE.database = staging
    assert send("in-staging", isolate=Isolate(**staging_settings)) == 200
    OUTSIDE.alerts.clear()
    Isolate(**staging_settings).run_cron()
    [alert] = [json.loads(alert) for alert in OUTSIDE.alerts]
    assert alert["problem"] == "database_lost"
    assert "the bucket is that of another environment (production, not staging)" in alert["text"]
    assert OUTSIDE.objects[MARK] == mark
    assert send("still-in-staging", isolate=Isolate(**staging_settings)) == 200

    staging.execute("ALTER TABLE tracking_events RENAME TO away")
    assert send("waits-for-staging", isolate=Isolate(**staging_settings)) == 503
    [key] = waiting()
    OUTSIDE.database = production
    run_crons(2)
    assert waiting() == [key]
    assert not stored("waits-for-staging")
    assert send("in-production") == 200


def test_what_waits_and_the_mark_of_an_older_worker_name_no_environment_and_are_taken() -> None:
    mark = json.loads(OUTSIDE.objects[MARK])
    del mark["environment"]
    OUTSIDE.objects[MARK] = json.dumps(mark).encode()
    OUTSIDE.database.execute("ALTER TABLE tracking_events RENAME TO away")
    assert send("waits-for-it") == 503
    OUTSIDE.database.execute("ALTER TABLE away RENAME TO tracking_events")
    [key] = waiting()
    event = json.loads(OUTSIDE.objects[key])
    assert event.pop("environment") == "production"
    OUTSIDE.objects[key] = json.dumps(event).encode()
    run_crons(1)
    assert waiting() == []
    assert stored("waits-for-it")
    assert json.loads(OUTSIDE.objects[MARK])["environment"] == "production"


@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_bucket_that_does_not_answer_lets_nothing_into_a_lost_database(failing: int) -> None:
    OUTSIDE.database.execute("UPDATE database_identity SET id = 'another'")
    isolate = Isolate(**SETTINGS)
    OUTSIDE.calls.failing = len(OUTSIDE.calls.names) + failing
    assert send("first", isolate=isolate) == 503
    OUTSIDE.pass_time(minutes=2)
    OUTSIDE.calls.broken = ("R2",)
    assert send("while R2 is away", isolate=isolate) == 503
    assert not OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE event_key LIKE 'first%'")
