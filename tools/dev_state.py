"""The state file of this checkout's `make dev`, and whether that runs.

`make dev` holds a lock on the checkout's folder while it runs, so a killed process, or another one
with its id, is not taken for it. The file says which ports and which database it serves.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass

from file_lock import is_locked
from local_storage import replace_text
from paths import ROOT

STATE = ROOT / ".wrangler" / "dev.json"
START_IT = "run `make dev` in another terminal"


class NotRunningError(Exception):
    """This checkout has no `make dev` that can be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class DevState:
    """A `make dev`: `process` is its id, `worker` that of the process group of its Worker."""

    checkout: str
    process: int
    started_at: str
    port: int
    demo_port: int
    pipedrive_port: int
    storage: str
    database: str = ""
    worker: int = 0
    is_ready: bool = False

    @property
    def url(self) -> str:
        """The Worker's address."""
        return f"http://localhost:{self.port}"

    def __str__(self) -> str:
        return (
            f"process {self.process}, since {self.started_at}: the Worker on port {self.port}, "
            f"the demo site on {self.demo_port}, Pipedrive on {self.pipedrive_port}"
        )


def write_state(state: DevState) -> None:
    """Write the state file."""
    replace_text(STATE, json.dumps(asdict(state), indent=2) + "\n")


def remove_state() -> None:
    """Delete the state file."""
    STATE.unlink(missing_ok=True)


def read_state() -> DevState | None:
    """Return the state file's content; None if it is missing or malformed."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        return DevState(**json.loads(STATE.read_text(encoding="utf-8")))
    return None


def running_dev() -> DevState | None:
    """Return the running `make dev` of this checkout, also while it starts; None if none runs."""
    state = read_state()
    return state if state and state.checkout == str(ROOT) and is_locked(ROOT) else None


def require_dev() -> DevState:
    """Return the `make dev` of this checkout, ready to answer.

    Raises:
        NotRunningError: none runs, or it is not ready yet.
    """
    state = read_state()
    if not is_locked(ROOT):
        raise NotRunningError(
            f"no `make dev` of this checkout runs{_not_running_reason(state)}: {START_IT}"
        )
    if state is None or state.checkout != str(ROOT) or not state.is_ready:
        raise NotRunningError(
            "`make dev` of this checkout is not ready: try again when it says what to open"
        )
    return state


def _not_running_reason(state: DevState | None) -> str:
    if state is None:
        return ""
    if state.checkout != str(ROOT):
        return f" ({STATE.name} was copied from {state.checkout})"
    return f" (process {state.process} was killed)"
