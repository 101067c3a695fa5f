"""What the workerd of a Worker takes of the machine, by /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# In /proc/PID/stat, behind the name: the group, CPU time as user and as system, resident pages.
GROUP, USER, SYSTEM, RESIDENT = 2, 11, 12, 21


@dataclass(frozen=True, slots=True)
class WorkerdUse:
    """CPU seconds so far, and the bytes of memory that are resident now."""

    cpu_seconds: float
    resident_bytes: int


def workerd_use(group: int) -> WorkerdUse | None:
    """What the workerds of a group of processes take together; None where the system is silent."""
    if not PROC.is_dir():
        return None
    ticks = pages = 0
    for file in PROC.glob("[0-9]*/stat"):
        try:
            name, _, text = file.read_text(encoding="utf-8").rpartition(")")
        except OSError:
            continue
        fields = text.split()
        if name.endswith("(workerd") and int(fields[GROUP]) == group:
            ticks += int(fields[USER]) + int(fields[SYSTEM])
            pages += int(fields[RESIDENT])
    return WorkerdUse(ticks / TICKS_PER_SECOND, pages * PAGE_BYTES)
