"""`make dev`: the whole product on this machine, ready to click through."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

from demo_site import DEMO_PIXEL, demo_site
from dev_conflicts import require_free, require_no_orphan
from dev_database import local_database, prepare_database, read_inode, storage_inodes
from dev_settings import development_key, uses_own_account, worker_settings
from dev_state import STATE, DevState, read_state, remove_state, write_state
from dev_worker import SILENT_SECONDS, DevError, Worker, start_worker
from file_lock import LockedError, only_one
from local_config import prepare_local_config
from paths import LOCAL_CONFIG, LOCAL_STORAGE, ROOT
from pyodide_bundle import BundleError
from simulator.server import Simulator, simulator
from worker_source import SourceError, build_worker
from wrangler import WranglerError

CHECK_INTERVAL_SECONDS = 1
# A wrangler that stops by itself so often in so long will not hold after one more start.
MOST_STOPS = 3
STOPS_SECONDS = 300
LANDING = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring_offer&gclid=demo-click-1"
RESTORED = "a restore put another database in place"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(KeyboardInterrupt):
    """A signal ends `make dev`; the argument is its number."""


def add_person(pipedrive: Simulator | None, form: Mapping[str, str]) -> None:
    """Add the sender of the demo form to Pipedrive, as a client's CRM does, once an address."""
    if pipedrive is None:
        return
    email = form.get("email", "").strip()
    persons = pipedrive.account.persons()
    addresses = {address.lower() for person in persons for address in person.emails}
    if email and email.lower() not in addresses:
        name = f"{form.get('first_name', '')} {form.get('last_name', '')}".strip()
        pipedrive.account.add_person(name or email, [email])


def welcome(worker: str, site: str, key: str, pipedrive: str) -> str:
    """Return the text that says what to open and how to stop."""
    return f"""
PPP Pixel runs at {worker}

  Open this     {site}{LANDING}
  Pipedrive     {pipedrive}
                send the demo's form: within half a minute its person's fields fill in here
  Numbers       curl -H 'X-API-Key: {key}' {worker}/api/reports/realtime/{DEMO_PIXEL}
  API key       {key}
  Embed guide   {worker}/static/integration-example.html
  Health        {worker}/health
  Stop          Ctrl+C
"""


@dataclass(slots=True)
class Development:
    """The running `make dev`: its state, and its Worker with the inodes of the Worker's data."""

    state: DevState
    env_vars: Mapping[str, str]
    worker: Worker | None = None
    inodes: Mapping[Path, int] = field(default_factory=dict)
    _complaint: str = ""
    _stops: list[float] = field(default_factory=list)

    def start(self) -> Worker:
        """Prepare the database and start the Worker on it."""
        # Also of a Worker that is started again: until it is healthy, no command asks it.
        self.state = replace(self.state, is_ready=False)
        write_state(self.state)
        print(f"Pyodide bundle: {prepare_local_config().description}", flush=True)
        prepare_database()
        self.worker = start_worker(self.state.port, self.env_vars, storage=LOCAL_STORAGE)
        self.state = replace(
            self.state, worker=self.worker.process.pid, database=str(local_database())
        )
        write_state(self.state)
        return self.worker

    def wait(self) -> None:
        """Wait until the Worker is healthy; the commands then find it in the state file.

        Raises:
            DevError: it did not become healthy.
        """
        if self.worker:
            self.worker.wait()
            self.worker.watch()
        self.inodes = storage_inodes(Path(self.state.database))
        self.state = replace(self.state, is_ready=True)
        write_state(self.state)

    def stop(self) -> None:
        """Stop the Worker."""
        if self.worker:
            self.worker.stop()

    def supervise(self) -> None:
        """Start the Worker again if it died, does not answer or its database is another one.

        Raises:
            DevError: wrangler has stopped again and again, or cannot be started again.
            StoppedError: the terminal that reads the log is gone.
        """
        worker = self.worker or self.start()
        self._ship_source()
        if worker.is_unheard:
            raise StoppedError(signal.SIGPIPE)
        reason = self._stop_reason(worker) or self._restart_reason(worker)
        if reason:
            print(f"make dev: {reason}; starting the Worker again", flush=True)
            self.stop()
            self.start()
            self.wait()
            print(f"make dev: the Worker runs again at {worker.url}", flush=True)
        elif read_state() is None:
            # The commands find this `make dev` by it.
            print(f"make dev: {STATE.name} was deleted; it is written again", flush=True)
            write_state(self.state)

    def _ship_source(self) -> None:
        """Bring what was saved into the copy that wrangler watches; say what is wrong with it."""
        complaint = ""
        try:
            build_worker()
        except (OSError, SourceError) as error:
            # An editor may be saving it.
            complaint = str(error)
        if complaint and complaint != self._complaint:
            print(f"error: {complaint}", flush=True)
        self._complaint = complaint

    def _stop_reason(self, worker: Worker) -> str | None:
        """Return how wrangler stopped by itself, or None.

        Raises:
            DevError: it does so again and again.
        """
        if worker.process.poll() is None:
            return None
        now = time.monotonic()
        self._stops = [*(stop for stop in self._stops if now - stop < STOPS_SECONDS), now]
        if len(self._stops) >= MOST_STOPS:
            worker.require_running()
        return f"wrangler stopped (status {worker.process.returncode})"

    def _restart_reason(self, worker: Worker) -> str | None:
        if worker.silence() > SILENT_SECONDS:
            return f"the Worker has not answered for {SILENT_SECONDS} seconds"
        if not LOCAL_CONFIG.exists():
            return f"{LOCAL_CONFIG.name} was deleted"
        if str(local_database()) != self.state.database:
            return RESTORED
        deleted = [path for path, inode in self.inodes.items() if read_inode(path) != inode]
        if deleted:
            path = deleted[0].relative_to(ROOT)
            return (
                f"{path} was deleted, and what was in it is gone: it is made anew "
                "(`./ppp restore --local` brings the database back, if the backups are there)"
            )
        return None


def run(port: int, demo_port: int, pipedrive_port: int) -> None:
    """Run the Worker, the demo site and the simulator until a signal stops them.

    Raises:
        DevError, BundleError, SourceError, WranglerError: it cannot start or go on.
    """
    require_no_orphan()
    started_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    ports = (port, demo_port, pipedrive_port)
    state = DevState(str(ROOT), os.getpid(), started_at, *ports, str(LOCAL_STORAGE))
    with ExitStack() as running:
        running.callback(remove_state)
        write_state(state)
        require_free(port, "PORT")
        require_free(demo_port, "DEMO_PORT")
        require_free(pipedrive_port, "PIPEDRIVE_PORT")
        key = development_key()
        pipedrive = None if uses_own_account() else running.enter_context(simulator(pipedrive_port))
        development = Development(state, worker_settings(pipedrive))
        running.callback(development.stop)
        worker = development.start()
        on_form = partial(add_person, pipedrive)
        site = running.enter_context(demo_site(demo_port, worker.url, on_form=on_form))
        development.wait()
        crm = pipedrive.url if pipedrive else "the account in .dev.vars"
        print(welcome(worker.url, site.url, key, crm), flush=True)
        while True:
            time.sleep(CHECK_INTERVAL_SECONDS)
            development.supervise()


def stop_at_signals() -> None:
    """Raise StoppedError at the first signal that means the end."""
    # `nohup` means that the terminal may go.
    ignored = {signal.SIGHUP} & {number for number in SIGNALS if _is_ignored(number)}
    for number in {*SIGNALS} - ignored:
        signal.signal(number, _stop)


def _is_ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def _stop(received: int, _frame: FrameType | None) -> None:
    # The end is not interrupted: it would leave processes behind.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise StoppedError(received)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until stopped; print a problem in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8787, help="the Worker's port")
    parser.add_argument("--demo-port", type=int, default=8788, help="the demo site's port")
    parser.add_argument("--pipedrive-port", type=int, default=8789, help="the simulator's port")
    options = parser.parse_args(arguments)
    stop_at_signals()
    try:
        with only_one(ROOT):
            run(options.port, options.demo_port, options.pipedrive_port)
    except LockedError:
        _print_error(
            f"error: `make dev` of this checkout runs already: {read_state() or 'it starts'}"
        )
    except (DevError, BundleError, SourceError, WranglerError) as error:
        _print_error(f"error: {error}")
    except StoppedError as stopped:
        _print_error("stopped")
        # The exit code that a shell gives a program that a signal ended.
        return 128 + int(stopped.args[0])
    return 1


def _print_error(text: str) -> None:
    # The terminal may be gone.
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
