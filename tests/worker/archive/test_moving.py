"""Which events move from D1 to R2, how many at a time, and what happens when something fails."""

from __future__ import annotations

import gzip
import json

import pytest

from services.core.stored_time import NEVER_DUE
from tests.harness.archive import (
    CRON,
    DAYS,
    OLD,
    OLDER,
    PENDING,
    archived,
    day,
    logged,
    run,
    some_pixel,
    store,
    stored_ids,
)
from tests.harness.worker import PROJECT, Worker

# ---- what moves -------------------------------------------------------------------------------


def test_whole_days_older_than_half_a_year_move_and_nothing_else(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    # Not that of when the tests began: midnight may have passed.
    youngest = day(DAYS)
    young = store(archiving, pixel, f"{youngest} 00:00:00")
    old = store(archiving, pixel, f"{OLD} 23:59:59") + store(archiving, pixel, f"{OLDER} 01:00:00")
    rows = archiving.query("SELECT * FROM tracking_events WHERE id = ?", old[0])
    line = run(archiving)
    assert (line["outcome"], line["archived"], line["parts"]) == ("drained", 2, 2)
    assert stored_ids(archiving) == young
    assert archived(archiving) == sorted(old)
    [key] = [key for key in archiving.stored_keys(f"archive/{pixel}/{OLD}/") if key[-2:] == "gz"]
    content = archiving.stored(key)
    assert content
    assert [json.loads(line) for line in gzip.decompress(content).splitlines()] == rows


def test_what_a_run_did_stands_in_the_ledger(archiving: Worker) -> None:
    store(archiving, some_pixel(archiving), OLD, 3)
    line = run(archiving)
    [row] = archiving.query("SELECT * FROM job_runs WHERE job = 'archive'")
    assert row["outcome"] == "drained"
    summary = json.loads(row["summary"])
    assert summary == {name: line[name] for name in summary}
    assert (summary["archived"], summary["parts"], summary["failed"]) == (3, 1, 0)


def test_a_run_is_left_alone_by_another_one(archiving: Worker) -> None:
    store(archiving, some_pixel(archiving), OLD)
    archiving.query(
        "INSERT INTO job_runs (job, run, started_at, lease_until) "
        "VALUES ('archive', 'other', datetime('now'), datetime('now', '1 minute'))"
    )
    archiving.act("clear_logs")
    archiving.act("scheduled", cron=CRON)
    assert logged(archiving, "archive_busy")
    assert len(stored_ids(archiving)) == 1


def test_a_lead_that_waits_for_the_sync_is_never_archived(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    due, at_once, never, plain = store(archiving, pixel, OLD, 4)
    archiving.query(PENDING, day(1), due)
    archiving.query(PENDING, None, at_once)
    archiving.query(PENDING, NEVER_DUE, never)
    run(archiving)
    assert stored_ids(archiving) == [due, at_once]
    assert archived(archiving) == [never, plain]
    archiving.query("UPDATE tracking_events SET pipedrive_sync_status = 'synced'")
    run(archiving)
    assert stored_ids(archiving) == []
    assert len(archived(archiving)) == 4


@pytest.mark.parametrize("time", [None, "", "x", "1970-01-01 00:00:00", 7])
def test_an_event_without_a_real_time_stays(archiving: Worker, time: object) -> None:
    [event] = store(archiving, some_pixel(archiving), OLD)
    archiving.query("UPDATE tracking_events SET timestamp = ? WHERE id = ?", time, event)
    assert run(archiving)["outcome"] == "drained"
    assert stored_ids(archiving) == [event]


def test_times_in_the_form_of_iso_belong_to_their_day(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    [event] = store(archiving, pixel, OLD)
    archiving.query("UPDATE tracking_events SET timestamp = ?", f"{OLD}T23:59:59.999Z")
    run(archiving)
    assert archived(archiving) == [event]


@pytest.mark.parametrize(
    ("configuration", "stays"),
    [
        ('{"jobs": {"archive_days": 200}}', True),
        ('{"jobs": {"archive_days": 30}}', False),
        ('{"jobs": {"archive_days": "30"}}', True),
        ('{"jobs": {"archive_days": 0}}', True),
        ('{"archive_days": 30}', True),
        ("not json", True),
        (None, True),
    ],
)
def test_a_project_has_its_own_number_of_days(
    archiving: Worker, configuration: str | None, *, stays: bool
) -> None:
    [event] = store(archiving, some_pixel(archiving), day(100))
    archiving.query("UPDATE projects SET configuration = ? WHERE id = ?", configuration, PROJECT)
    assert run(archiving)["outcome"] == "drained"
    assert stored_ids(archiving) == [event] * stays
    assert archived(archiving) == [event] * (not stays)


def test_a_run_keeps_to_its_budget_and_the_next_one_goes_on(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    events = store(archiving, pixel, OLDER, 950) + store(archiving, pixel, OLD, 150)
    line = run(archiving)
    assert (line["outcome"], line["archived"]) == ("budget_spent", 1_000)
    assert len(stored_ids(archiving)) == 100
    assert run(archiving)["outcome"] == "drained"
    assert archived(archiving) == events
    # The longer a day is, the longer are its parts: 100, 200, 400, 250, 50 of the next day, 100.
    assert len(archiving.stored_keys("archive/")) == 2 * 6


def test_many_pixels_take_turns(archiving: Worker) -> None:
    large = some_pixel(archiving)
    store(archiving, large, OLDER, 1_100)
    small = [some_pixel(archiving) for _ in range(4)]
    for pixel in small:
        store(archiving, pixel, OLD, 10)
    assert run(archiving)["outcome"] == "budget_spent"
    rows = archiving.query("SELECT DISTINCT pixel_id FROM tracking_events")
    assert [row["pixel_id"] for row in rows] == [large]


def test_a_run_costs_a_known_number_of_parts(archiving: Worker) -> None:
    pixel = some_pixel(archiving)
    for days in range(60):
        store(archiving, pixel, day(DAYS + 1 + days))
    line = run(archiving)
    assert (line["outcome"], line["parts"]) == ("budget_spent", 50)


# ---- what goes wrong --------------------------------------------------------------------------


def test_an_event_that_json_cannot_hold_stops_only_its_pixel(archiving: Worker) -> None:
    pixel, other = some_pixel(archiving), some_pixel(archiving)
    [odd] = store(archiving, pixel, OLDER)
    store(archiving, other, OLD)
    archiving.query("UPDATE tracking_events SET event_data = x'ff' WHERE id = ?", odd)
    line = run(archiving)
    assert (line["outcome"], line["failed"], line["archived"]) == ("failed", 1, 1)
    [failed] = logged(archiving, "archive_failed")
    assert failed["pixel_id"] == pixel
    assert stored_ids(archiving) == [odd]


def test_a_part_that_was_written_before_something_failed_counts_once(archiving: Worker) -> None:
    events = store(archiving, some_pixel(archiving), OLD, 3)
    archiving.query(
        "CREATE TRIGGER killed AFTER INSERT ON archive_batches BEGIN "
        "SELECT RAISE(ABORT, 'killed'); END"
    )
    try:
        assert run(archiving)["outcome"] == "failed"
    finally:
        archiving.query("DROP TRIGGER killed")
    # It lies there and does not count.
    assert stored_ids(archiving) == events
    assert archived(archiving) == []
    assert len(archiving.stored_keys("archive/")) == 2
    assert run(archiving)["archived"] == 3
    assert archived(archiving) == events
    assert len(archiving.stored_keys("archive/")) == 2
