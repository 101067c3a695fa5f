"""One load on one Worker, from a process of its own, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from paths import NODE_BIN, tool_environment
from tests.harness.direct import Direct

SCRIPT = Path(__file__).resolve().parent / "load.mjs"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")
# In /proc/PID/stat, behind the name: the group, and CPU time as user and as system.
GROUP, USER, SYSTEM = 2, 11, 12


@dataclass(frozen=True, slots=True)
class Measured:
    """Events a second, latencies in milliseconds, CPU of workerd an event in milliseconds."""

    per_second: float
    p50: float
    p95: float
    p99: float
    cpu: float | None
    """None where the system does not say."""
    failed: int


def load(worker: Direct, kind: str, connections: int, seconds: float) -> Measured:
    """Sends events of a kind (see load.mjs) to a Worker."""
    arguments = [f"{worker.url}/e", kind, str(connections), str(seconds)]
    before = _cpu_seconds(worker)
    client = subprocess.run(
        [str(NODE_BIN / "node"), str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=tool_environment(),
    )
    after = _cpu_seconds(worker)
    answer = json.loads(client.stdout)
    events = answer.pop("events")
    cpu = None if before is None or after is None else (after - before) * 1000 / events
    return Measured(cpu=cpu, **answer)


def _cpu_seconds(worker: Direct) -> float | None:
    """CPU time of the workerd of a Worker so far."""
    if not PROC.is_dir():
        return None
    ticks = 0
    for file in PROC.glob("[0-9]*/stat"):
        try:
            name, _, text = file.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue
        fields = text.split()
        if name.endswith("(workerd") and int(fields[GROUP]) == worker.process.pid:
            ticks += int(fields[USER]) + int(fields[SYSTEM])
    return ticks / TICKS_PER_SECOND
