from datetime import UTC, datetime, timedelta

from services.monitoring.health import ComponentHealth
from services.monitoring.metrics import CachedCounts, Metrics
from services.monitoring.prometheus import Gauge, exposition
from services.tracking.parked_events import ParkedSummary
from services.tracking.waiting_counts import WaitingCounts

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
RUN: dict[str, object] = {
    "run": "r",
    "started_at": "2026-05-01 11:55:00",
    "finished_at": None,
    "outcome": None,
    "succeeded_at": "2026-05-01 11:50:00",
    "summary": {},
}
METRICS = Metrics(
    at=NOW,
    tables=CachedCounts(
        NOW, {"total_events": 9, "unique_visitors": 4, "unique_sessions": 5, "active_pixels": 2}
    ),
    submissions=CachedCounts(NOW, {"synced": 3, "error": 1}),
    recent={"events_last_hour": 6, "form_submissions_last_hour": 1},
    pending=2,
    due=1,
    oldest_pending_seconds=90,
    accounts=[
        {
            "name": "acme",
            "state": "half_open",
            "failures": 5,
            "open_until": None,
            "paused_until": None,
        }
    ],
    jobs={"pipedrive_sync": RUN},
    errors={"leads_failed": 1, "leads_put_back": 0, "runs_killed": 0},
    database_bytes=4_096,
    last_event_at=NOW,
    calls_today={"search": 7, "person": 0, "update": 3, "fields": 1},
    refused_by_day={"2026-04-30": {"refused_bots": 9}, "2026-05-01": {"refused_bots": 4}},
)
PARTS = {"kv": ComponentHealth(healthy=False, latency_ms=1, error="x")}
AGE = timedelta(minutes=90)
WAITING = WaitingCounts(7, 51_200, AGE, NOW - AGE, ParkedSummary({"pixel-one": 2}, NOW))
LINES = exposition(METRICS, PARTS, WAITING, "3.1.0")


def test_a_metric_has_its_help_its_type_and_its_samples() -> None:
    assert Gauge("size", "How large.", [({}, 1), ({"a": "x", "b": "y"}, 2.5)]).text() == (
        '# HELP ppp_size How large.\n# TYPE ppp_size gauge\nppp_size 1\nppp_size{a="x",b="y"} 2.5\n'
    )


def test_a_label_is_escaped() -> None:
    text = Gauge("size", "How large.", [({"a": 'x"y\\z\n'}, 1)]).text()
    assert text.splitlines()[2] == r'ppp_size{a="x\"y\\z\n"} 1'


def test_each_metric_is_a_sample() -> None:
    for line in (
        'ppp_build_info{version="3.1.0"} 1',
        'ppp_part_healthy{part="kv"} 0',
        "ppp_events 9",
        "ppp_last_event_timestamp_seconds 1777636800",
        'ppp_pipedrive_calls_today{operation="search"} 7',
        'ppp_refused_today{kind="refused_bots"} 4',
        'ppp_submissions{status="synced"} 3',
        'ppp_submissions{status="error"} 1',
        "ppp_submissions_pending 2",
        "ppp_submissions_due 1",
        "ppp_oldest_pending_age_seconds 90",
        "ppp_waiting_events 7",
        "ppp_oldest_waiting_age_seconds 5400",
        "ppp_parked_events 2",
        'ppp_circuit_breaker_state{account="acme",state="closed"} 0',
        'ppp_circuit_breaker_state{account="acme",state="half_open"} 1',
        'ppp_sync_errors_last_hour{kind="leads_failed"} 1',
        'ppp_job_last_started_timestamp_seconds{job="pipedrive_sync"} 1777636500',
        'ppp_job_last_succeeded_timestamp_seconds{job="pipedrive_sync"} 1777636200',
    ):
        assert line in LINES.splitlines()


def test_where_r2_does_not_answer_nothing_is_said_of_what_waits() -> None:
    assert "waiting" not in exposition(METRICS, PARTS, None, "3.1.0")


def test_a_run_that_did_not_end_has_no_end() -> None:
    assert "\nppp_job_last_finished_timestamp_seconds{" not in LINES
