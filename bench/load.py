"""One load on one Worker, from a process of its own, and what it took."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from paths import NODE_BIN, tool_environment
from tests.harness.direct import Direct
from tests.harness.workerd_use import workerd_use

SCRIPT = Path(__file__).resolve().parent / "load.mjs"


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
    before = workerd_use(worker.process.pid)
    client = subprocess.run(
        [str(NODE_BIN / "node"), str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=tool_environment(),
    )
    after = workerd_use(worker.process.pid)
    answer = json.loads(client.stdout)
    events = answer.pop("events")
    cpu = (after.cpu_seconds - before.cpu_seconds) * 1000 / events if before and after else None
    return Measured(cpu=cpu, **answer)
