"""Whether a long run stayed as it was: samples of it, and what its log may not say."""

from __future__ import annotations

import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# What workerd or Pyodide write when a proxy, a task or a coroutine was not brought to its end.
FORBIDDEN = (
    "Cannot enter into task",
    "borrowed proxy was automatically destroyed",
    "was never awaited",
    "exception was never retrieved",
    "Task was destroyed",
    "Cannot perform I/O on behalf of a different request",
    "would never generate a response",
    "Traceback",
)
# The last third of a run beside the second; the first one warms up.
MOST_INTERPRETER = 1.05
MOST_RESIDENT = 1.10
# Other programs of the machine come and go.
MOST_LATENCY = 2.0
LEAST_SAMPLES = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """A while of a run: seconds since the start, latencies in milliseconds, memory in MiB."""

    seconds: float
    answers: int
    p50: float
    p99: float
    interpreter: float
    resident: float


def faults_of(samples: Sequence[Sample], lines: Iterable[str]) -> list[str]:
    """What grew or was written that should not, one sentence each."""
    return [*_growth(samples), *_forbidden_lines(lines)]


def interpreter_mib(lines: Iterable[str]) -> float:
    """The memory of the interpreter that the last run of the cron wrote into the log; 0 without."""
    last = 0.0
    for line in lines:
        last = _log_line(line).get("memory_mib", last)
    return last


def _growth(samples: Sequence[Sample]) -> list[str]:
    if len(samples) < LEAST_SAMPLES:
        return [f"{len(samples)} samples say nothing: it was too short"]
    figures: Sequence[tuple[str, Callable[[Sample], float], float]] = (
        ("the interpreter's memory (MiB)", lambda sample: sample.interpreter, MOST_INTERPRETER),
        ("workerd's memory (MiB)", lambda sample: sample.resident, MOST_RESIDENT),
        ("p50 (ms)", lambda sample: sample.p50, MOST_LATENCY),
    )
    third = len(samples) // 3
    before, after = samples[third : 2 * third], samples[-third:]
    faults = []
    for name, figure, most in figures:
        earlier, later = (statistics.median(map(figure, part)) for part in (before, after))
        if later > earlier * most:
            faults.append(f"{name} grew from {earlier:.1f} to {later:.1f}")
    return faults


def _forbidden_lines(lines: Iterable[str]) -> list[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        counts.update(text for text in FORBIDDEN if text in line)
        logged = _log_line(line)
        if logged.get("level") == "error":
            counts[f"error {logged.get('event')}"] += 1
    return [f"the log says {number} times: {text}" for text, number in sorted(counts.items())]


def _log_line(line: str) -> dict[str, Any]:
    """A line of the Worker's own; empty for any other."""
    try:
        logged = json.loads(line)
    except ValueError:
        return {}
    return logged if isinstance(logged, dict) else {}
