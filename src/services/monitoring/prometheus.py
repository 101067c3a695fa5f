"""The metrics as Prometheus reads them: its text exposition format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.core.stored_time import parse_stored_time
from services.monitoring.health import ComponentHealth
from services.monitoring.metrics import BREAKER_STATES, Metrics
from services.tracking.waiting_counts import WaitingCounts

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric with its samples. All are gauges: each can go down as well as up."""

    name: str
    help: str
    samples: Sequence[tuple[Labels, float]]

    def text(self) -> str:
        """The metric's lines."""
        lines = [f"# HELP ppp_{self.name} {self.help}\n# TYPE ppp_{self.name} gauge\n"]
        lines += [f"ppp_{self.name}{_labels(labels)} {value}\n" for labels, value in self.samples]
        return "".join(lines)


def exposition(
    metrics: Metrics,
    parts: Mapping[str, ComponentHealth],
    waiting: WaitingCounts | None,
    version: str,
) -> str:
    """The metrics and the health of each part as one text. Times are Unix seconds.

    `waiting` is None where R2 does not answer.
    """
    gauges = (
        *_worker_gauges(parts, version),
        *_data_gauges(metrics),
        *(_waiting_gauges(waiting) if waiting else ()),
        *_sync_gauges(metrics),
        *_job_gauges(metrics),
    )
    return "".join(gauge.text() for gauge in gauges)


def _worker_gauges(parts: Mapping[str, ComponentHealth], version: str) -> Iterator[Gauge]:
    yield Gauge("build_info", "The version that answers; always 1.", [({"version": version}, 1)])
    healthy: list[tuple[Labels, float]] = [
        ({"part": name}, int(part.healthy)) for name, part in parts.items()
    ]
    yield Gauge("part_healthy", "Whether a part of the Worker answers.", healthy)


def _data_gauges(metrics: Metrics) -> Iterator[Gauge]:
    tables, recent = metrics.tables.numbers, metrics.recent
    counted = "counted at ppp_tables_counted_timestamp_seconds."
    yield _gauge("events", f"Stored events, {counted}", tables["total_events"])
    yield _gauge("visitors", f"Stored visitors, {counted}", tables["unique_visitors"])
    yield _gauge("sessions", f"Stored sessions, {counted}", tables["unique_sessions"])
    yield _gauge("active_pixels", f"Active pixels, {counted}", tables["active_pixels"])
    yield _gauge(
        "tables_counted_timestamp_seconds",
        "When the tables were counted.",
        int(metrics.tables.at.timestamp()),
    )
    yield _gauge("database_size_bytes", "The size of the database.", metrics.database_bytes)
    today = metrics.refused_by_day.get(f"{metrics.at:%Y-%m-%d}", {})
    yield Gauge(
        "refused_today",
        "Requests refused without an error since midnight in UTC.",
        [({"kind": kind}, number) for kind, number in today.items()],
    )
    if metrics.last_event_at:
        yield _gauge(
            "last_event_timestamp_seconds",
            "When the newest event was stored.",
            int(metrics.last_event_at.timestamp()),
        )
    yield _gauge("events_last_hour", "Events of the last hour.", recent["events_last_hour"])
    yield _gauge(
        "form_submissions_last_hour",
        "Form submissions of the last hour.",
        recent["form_submissions_last_hour"],
    )


def _waiting_gauges(counts: WaitingCounts) -> Iterator[Gauge]:
    yield _gauge("waiting_events", "Events that wait in R2 for the database.", counts.waiting)
    yield _gauge(
        "oldest_waiting_age_seconds",
        "The age of the oldest one that waits; 0 where none does.",
        int(counts.oldest.total_seconds()) if counts.oldest else 0,
    )
    yield _gauge(
        "parked_events", "Events in R2 that their pixels do not take now.", counts.parked.number
    )


def _sync_gauges(metrics: Metrics) -> Iterator[Gauge]:
    yield Gauge(
        "submissions",
        "Form submissions by the end of their sync, counted at most 5 minutes ago.",
        [({"status": status}, number) for status, number in metrics.submissions.numbers.items()],
    )
    yield _gauge("submissions_pending", "Form submissions that wait for the sync.", metrics.pending)
    yield _gauge("submissions_due", "Those of them that are due.", metrics.due)
    yield _gauge(
        "oldest_pending_age_seconds",
        "The age of the oldest one that waits; 0 where none does.",
        metrics.oldest_pending_seconds or 0,
    )
    yield Gauge(
        "circuit_breaker_state",
        "1 for the state that the breaker of a Pipedrive account is in.",
        [
            ({"account": account["name"], "state": state}, int(account["state"] == state))
            for account in metrics.accounts
            for state in BREAKER_STATES
        ],
    )
    yield Gauge(
        "pipedrive_calls_today",
        "Calls to Pipedrive since midnight in UTC.",
        [({"operation": name}, number) for name, number in metrics.calls_today.items()],
    )
    yield Gauge(
        "sync_errors_last_hour",
        "What failed in the runs of the sync that began in the last hour.",
        [({"kind": kind}, number) for kind, number in metrics.errors.items()],
    )


def _job_gauges(metrics: Metrics) -> Iterator[Gauge]:
    for moment, text in (
        ("started", "the last run of a job began"),
        ("finished", "the last run of a job ended"),
        ("succeeded", "a run of a job last ended well"),
    ):
        yield Gauge(
            f"job_last_{moment}_timestamp_seconds",
            f"When {text}.",
            [
                ({"job": job}, int(parse_stored_time(run[f"{moment}_at"]).timestamp()))
                for job, run in metrics.jobs.items()
                if run[f"{moment}_at"]
            ],
        )


def _gauge(name: str, help_text: str, value: float) -> Gauge:
    return Gauge(name, help_text, [({}, value)])


def _labels(labels: Labels) -> str:
    pairs = [f'{name}="{value.translate(_ESCAPED)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""
