"""The report of a drill: what is on top, and what counts as passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ops.restore.drill_report import MAX_PROBLEMS_SHOWN, DrillReport

AT = datetime(2026, 11, 21, 9, 30, 5, tzinfo=UTC)


def report(**changes: object) -> DrillReport:
    values: dict[str, object] = {
        "at": AT,
        "target": "local: D1",
        "backup": "20261121T090000Z-hourly",
        "as_of": AT - timedelta(minutes=30),
        "rows": 12_000,
        "recovery": timedelta(seconds=95),
        "smoke": {},
    }
    return DrillReport(**{**values, **changes})  # type: ignore[arg-type]


def test_rpo_and_rto_are_on_top() -> None:
    lines = report().text().splitlines()
    assert lines[0] == "# Drill of 2026-11-21 09:30 UTC: fine"
    assert lines[2] == "RPO 30 min (promised 1 h 0 min), RTO 1 min (promised 5 min)"


def test_a_smoke_test_that_was_not_run_has_not_passed() -> None:
    drill = report(smoke=None, recovery=None, problems=["the database refused step 1"])
    assert not drill.is_fine
    assert "smoke test of a Worker on the restored database: not run" in drill.text()
    assert "passed" not in drill.text()
    assert "RTO not reached" in drill.text()
    assert not report(smoke=None).is_fine


def test_a_failed_smoke_test_is_a_problem() -> None:
    drill = report(smoke={"health": "/health answers 503"})
    assert (drill.is_fine, drill.smoke_result) == (False, "failed")


def test_a_second_drill_of_a_day_has_a_name_of_its_own() -> None:
    assert report().name == "2026-11-21T093005Z"
    assert report(at=AT + timedelta(seconds=1)).name != report().name


def test_the_last_three_are_compared() -> None:
    days = [AT - timedelta(days=number) for number in range(1, 6)]
    earlier = [report(at=day, as_of=day - timedelta(minutes=30)).summary() for day in days]
    text = report(earlier=earlier).text()
    assert text.count("| fine |") == 4
    assert "| 2026-11-18T093005Z | fine | 30 min | 1 min | 12,000 | passed |" in text
    assert "2026-11-17" not in text


def test_of_many_problems_the_first_are_shown() -> None:
    drill = report(problems=[f"unhealthy {number}" for number in range(200)])
    assert len(drill.shown_problems()) == MAX_PROBLEMS_SHOWN + 1
    assert drill.shown_problems()[-1] == "and 180 more"
    assert len(drill.text().splitlines()) < 60
