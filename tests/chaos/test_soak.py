"""Half a minute of mixed traffic, and the rules by which a long run is judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from tests.chaos.soak import Soak, soak
from tests.chaos.soak_verdict import Sample, faults_of, interpreter_mib

SAMPLE = Sample(seconds=30, answers=100, p50=10, p99=40, interpreter=36, resident=300)
STEADY = [SAMPLE] * 9


def with_last(**changes: int) -> Sequence[Sample]:
    """A run whose last third is another one."""
    return [*STEADY[:6], *([replace(SAMPLE, **changes)] * 3)]


@pytest.mark.timeout(600)
def test_mixed_traffic_loses_nothing_and_leaves_nothing_open(
    local_config: Bundle, tmp_path: Path
) -> None:
    lines: list[str] = []
    run = Soak(1, tmp_path / "storage", lines.append, log=tmp_path / "workerd.log")
    faults = soak(run, 30)
    # Memory and latency of so short a time say nothing.
    assert [fault for fault in faults if "grew from" not in fault] == [], "\n".join(lines)
    assert run.ledger.campaigns
    assert run.strangers > 20
    assert run.samples[-1].interpreter > 0


def test_a_steady_run_has_no_fault() -> None:
    assert faults_of(STEADY, ['{"event": "cron_run", "level": "info"}', "ready"]) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"interpreter": 39}, "the interpreter's memory (MiB) grew from 36.0 to 39.0"),
        ({"resident": 340}, "workerd's memory (MiB) grew from 300.0 to 340.0"),
        ({"p50": 21}, "p50 (ms) grew from 10.0 to 21.0"),
    ],
)
def test_what_grows_in_the_last_third_is_a_fault(changes: dict[str, int], fault: str) -> None:
    assert faults_of(with_last(**changes), []) == [fault]


def test_what_warms_up_at_first_is_none() -> None:
    assert faults_of([replace(SAMPLE, interpreter=20, p50=2), *STEADY], []) == []


def test_too_few_samples_are_a_fault() -> None:
    assert faults_of(STEADY[:5], []) == ["5 samples say nothing: it was too short"]


def test_lines_that_speak_of_open_proxies_and_errors_are_counted() -> None:
    lines = [
        "RuntimeError: Cannot enter into task <Task pending>",
        "This borrowed proxy was automatically destroyed at the end of a function call.",
        json.dumps({"level": "error", "event": "request_failed"}),
        json.dumps({"level": "error", "event": "request_failed"}),
    ]
    assert faults_of(STEADY, lines) == [
        "the log says 1 times: Cannot enter into task",
        "the log says 1 times: borrowed proxy was automatically destroyed",
        "the log says 2 times: error request_failed",
    ]


def test_the_interpreters_memory_is_that_of_the_last_run_of_the_cron() -> None:
    lines = ['{"memory_mib": 30}', "noise", "[1]", '{"memory_mib": 36}', '{"event": "other"}']
    assert interpreter_mib(lines) == 36
    assert interpreter_mib([]) == 0
