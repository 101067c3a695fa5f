"""Other processes of this machine: who holds a port, and how a tree of them ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LISTENING = "0A"
END_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its id, that of its group, and its command line."""

    id: int
    group: int
    command: str

    @property
    def name(self) -> str:
        """Its program, without the folder."""
        return Path(self.command.partition(" ")[0]).name


def port_holder(port: int) -> Process | None:
    """Return the process that listens on a port; None if it cannot be found out."""
    ids = _listeners(port) if PROC.is_dir() else _listeners_by_lsof(port)
    return next((process for number in ids if (process := look_up(number))), None)


def look_up(number: int) -> Process | None:
    """Return the process with this id, or None."""
    try:
        return Process(number, os.getpgid(number), _command(number))
    except (OSError, subprocess.CalledProcessError):
        return None


def end_group(process: subprocess.Popen[str]) -> None:
    """Interrupt the leader of a process group, then kill the rest of the group."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
    kill_group(process)


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill the leader of a process group, and the group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _command(number: int) -> str:
    file = PROC / str(number) / "cmdline"
    if file.exists():
        return file.read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    command = ["ps", "-o", "args=", "-p", str(number)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _listeners(port: int) -> Iterator[int]:
    """Yield the ids of the processes that listen on a port: by their sockets' inodes in /proc."""
    sockets = {f"socket:[{number}]" for number in _sockets(port)}
    if not sockets:
        return
    for folder in PROC.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):
            for link in folder.iterdir():
                with contextlib.suppress(OSError):
                    if str(link.readlink()) in sockets:
                        yield int(folder.parent.name)
                        break


def _sockets(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (PROC / "net" / table).read_text().splitlines()[1:]:
                columns = line.split()
                local, state, number = columns[1], columns[3], columns[9]
                if state == LISTENING and int(local.rpartition(":")[2], 16) == port:
                    yield number


def _listeners_by_lsof(port: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        command = ["lsof", "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-t"]
        lsof = subprocess.run(command, capture_output=True, text=True, check=False)
        yield from map(int, lsof.stdout.split())
