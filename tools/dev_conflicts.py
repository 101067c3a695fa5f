"""What keeps `make dev` from starting: a port in use, a Worker that outlived its `make dev`."""

from __future__ import annotations

import os
import socket

from dev_state import read_state
from dev_worker import DevError
from paths import LOCAL_CONFIG, ROOT
from processes import Process, look_up, port_holder

# What `make dev` starts is in these: wrangler and workerd, and its own Python.
PROGRAM_FOLDERS = (ROOT / "node_modules", ROOT / "tools")


def require_free(port: int, option: str) -> None:
    """Check that a port is free.

    Raises:
        DevError: another program listens on it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            remedy = _remedy(port_holder(port), option)
            raise DevError(f"port {port} is taken by {remedy}") from None


def _remedy(holder: Process | None, option: str) -> str:
    alternative = f"or run `make dev {option}=<another>`"
    if holder is None:
        return f"another program: stop it, {alternative}"
    if any(f"{folder}/" in holder.command for folder in PROGRAM_FOLDERS):
        return (
            f"process {holder.id} ({holder.name}), left behind by a `make dev` of this checkout "
            f"that was killed: end it with `kill -9 {_kill_argument(holder)}`"
        )
    return f"process {holder.id} ({holder.name}): stop it, {alternative}"


def _kill_argument(holder: Process) -> str:
    """Return the argument of `kill`: the group, as wrangler restarts its child; never our own."""
    return f"-- -{holder.group}" if holder.group != os.getpgrp() else str(holder.id)


def require_no_orphan() -> None:
    """Check that no Worker of a killed `make dev` still runs on the database.

    Raises:
        DevError: one does.
    """
    state = read_state()
    orphan = look_up(state.worker) if state and state.worker else None
    if orphan and f"{LOCAL_CONFIG}" in orphan.command:
        raise DevError(
            f"the Worker of a `make dev` of this checkout that was killed still runs (process "
            f"{orphan.id}): end it with `kill -9 {_kill_argument(orphan)}`"
        )
