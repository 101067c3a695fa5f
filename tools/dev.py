"""`make dev`: the whole product on this machine, ready to click through."""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType

from demo_site import DEMO_PIXEL, demo_site
from dev_state import DevState, read_state, remove_state, write_state
from dev_worker import SILENT_SECONDS, DevError, Worker, start_worker
from file_lock import LockedError, only_one
from local_config import prepare_local_config
from local_storage import PREPARED, database_file, is_migrated, replace_text
from new_api_key import new_api_key
from paths import DEV_KEY, LOCAL_CONFIG, LOCAL_STORAGE, ROOT
from processes import Process, look_up, port_holder
from pyodide_bundle import BundleError
from simulator.fields import demo_field_map
from simulator.server import Simulator, simulator
from wrangler import WranglerError, wrangler

DEV_VARS = ROOT / ".dev.vars"
SEED = ROOT / "demo" / "seed.sql"
LOOK_SECONDS = 1
SYNC_DELAY_SECONDS = 10
LANDING = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring_offer&gclid=demo-click-1"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(KeyboardInterrupt):
    """A signal ends `make dev`; the argument is its number."""


def require_free(port: int, option: str) -> None:
    """Sees that a port can be used.

    Raises:
        DevError: something else uses it.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            remedy = _remedy(port_holder(port), option)
            raise DevError(f"port {port} is taken by {remedy}") from None


def _remedy(holder: Process | None, option: str) -> str:
    another = f"or run `make dev {option}=<another>`"
    if holder is None:
        return f"another program: stop it, {another}"
    if f"{ROOT}/" in holder.command:
        return (
            f"process {holder.id} ({holder.name}), left behind by a `make dev` of this checkout "
            f"that was killed: end it with `kill -9 {_to_kill(holder)}`"
        )
    return f"process {holder.id} ({holder.name}): stop it, {another}"


def _to_kill(holder: Process) -> str:
    """The group of a process, because wrangler would start it again; never our own."""
    return f"-- -{holder.group}" if holder.group != os.getpgrp() else str(holder.id)


def require_no_orphan() -> None:
    """Sees that no Worker of a `make dev` that was killed is still at work on the database.

    Raises:
        DevError: one is.
    """
    state = read_state()
    orphan = look_up(state.worker) if state and state.worker else None
    if orphan and f"{LOCAL_CONFIG}" in orphan.command:
        raise DevError(
            f"the Worker of a `make dev` of this checkout that was killed still runs (process "
            f"{orphan.id}): end it with `kill -9 {_to_kill(orphan)}`"
        )


def development_key() -> str:
    """The API key for this machine; made where none is set, with its hash in .dev.vars."""
    if not is_set("API_KEYS"):
        written = DEV_VARS.read_text(encoding="utf-8") if DEV_VARS.exists() else ""
        key, entry = new_api_key("development", "admin")
        if written and not written.endswith("\n"):
            written += "\n"
        replace_text(DEV_VARS, f"{written}API_KEYS='{json.dumps([entry])}'\n")
        DEV_KEY.parent.mkdir(exist_ok=True)
        DEV_KEY.write_text(key, encoding="utf-8")
        DEV_KEY.chmod(0o600)
    if DEV_KEY.exists():
        return DEV_KEY.read_text(encoding="utf-8")
    return "(the one whose hash you wrote into .dev.vars)"


def local_database() -> Path:
    """The file of the database that the local configuration names."""
    [binding] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))["d1_databases"]
    return database_file(binding["database_id"])


def prepare_database() -> None:
    """Applies the migrations to the local database and adds the demo project and pixel.

    What was applied is noted beside the database, so that the next start need not ask wrangler.
    """
    sources = [*sorted((ROOT / "migrations").glob("*.sql")), SEED]
    recipe = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    was_prepared = PREPARED.exists() and PREPARED.read_text(encoding="utf-8") == recipe
    if was_prepared and is_migrated(local_database()):
        return
    wrangler("d1", "migrations", "apply", "DB", "--local")
    wrangler("d1", "execute", "DB", "--local", "--file", SEED)
    replace_text(PREPARED, recipe)


def is_set(name: str) -> bool:
    """Whether .dev.vars has this setting."""
    written = DEV_VARS.read_text(encoding="utf-8") if DEV_VARS.exists() else ""
    return bool(re.search(rf"^\s*(?:export\s+)?{name}\s*=", written, re.MULTILINE))


def own_account() -> bool:
    """Whether .dev.vars names a Pipedrive account, so that none has to be simulated."""
    return is_set("PIPEDRIVE_API_KEY")


def settings(pipedrive: Simulator | None) -> dict[str, str]:
    """The Worker's settings for this machine, beside those of wrangler.toml and .dev.vars."""
    quick = {"SYNC_DELAY_SECONDS": str(SYNC_DELAY_SECONDS)}
    if pipedrive is None:
        return quick
    return {
        **quick,
        "PIPEDRIVE_URL": pipedrive.api_url,
        "PIPEDRIVE_API_KEY": pipedrive.token,
        "PIPEDRIVE_FIELDS": json.dumps(demo_field_map()),
    }


def add_person(pipedrive: Simulator | None, form: Mapping[str, str]) -> None:
    """Adds who filled in the demo form, as a client's site tells its CRM, unless they are there."""
    if pipedrive is None:
        return
    email = form.get("email", "").strip()
    persons = pipedrive.account.persons()
    addresses = {address.lower() for person in persons for address in person.emails}
    if email and email.lower() not in addresses:
        name = f"{form.get('first_name', '')} {form.get('last_name', '')}".strip()
        pipedrive.account.add_person(name or email, [email])


def welcome(worker: str, site: str, key: str, pipedrive: str) -> str:
    """What to open, and how to stop."""
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
    """What `make dev` runs, and what becomes of its Worker."""

    state: DevState
    env_vars: Mapping[str, str]
    worker: Worker | None = None
    storage: Mapping[Path, int] | None = None

    def start(self) -> Worker:
        """Prepares the database that is to be served and starts the Worker on it."""
        write_state(replace(self.state, is_ready=False))
        print(f"Pyodide bundle: {prepare_local_config().description}", flush=True)
        prepare_database()
        self.worker = start_worker(self.state.port, self.env_vars, storage=LOCAL_STORAGE)
        self.state = replace(
            self.state, worker=self.worker.process.pid, database=str(local_database())
        )
        write_state(self.state)
        return self.worker

    def wait(self) -> None:
        """Waits until the Worker can be used, and says so to the commands.

        Raises:
            DevError: it does not get there.
        """
        if self.worker:
            self.worker.wait()
            self.worker.watch()
        self.storage = stored(Path(self.state.database))
        self.state = replace(self.state, is_ready=True)
        write_state(self.state)

    def stop(self) -> None:
        """Ends the Worker."""
        if self.worker:
            self.worker.stop()

    def look(self) -> None:
        """Sees that the Worker runs, answers, and is on the database that it is to serve.

        Raises:
            DevError: it does not run any more.
            StoppedError: nobody reads its log any more.
        """
        worker = self.worker or self.start()
        worker.require_running()
        if worker.is_unheard:
            raise StoppedError(signal.SIGPIPE)
        reason = self._why_again(worker)
        if reason:
            print(f"make dev: {reason}; starting the Worker again", flush=True)
            self.stop()
            self.start()
            self.wait()
            print(f"make dev: the Worker runs again at {worker.url}", flush=True)

    def _why_again(self, worker: Worker) -> str | None:
        if worker.silence() > SILENT_SECONDS:
            return f"the Worker has not answered for {SILENT_SECONDS} seconds"
        if not LOCAL_CONFIG.exists():
            return f"{LOCAL_CONFIG.name} was deleted"
        if str(local_database()) != self.state.database:
            return "a restore put another database in place"
        gone = [path for path, number in (self.storage or {}).items() if _inode(path) != number]
        if gone:
            return (
                f"{gone[0].relative_to(ROOT)} was deleted, and what was in it is gone: it is made "
                "anew (`./ppp restore --local` brings the database back, if the backups are there)"
            )
        return None


def stored(database: Path) -> Mapping[Path, int]:
    """The folders and the file in which the Worker keeps its data, with what identifies them."""
    folder = LOCAL_STORAGE / "v3"
    paths = [database, folder, *filter(Path.is_dir, folder.glob("*"))]
    return {path: number for path in paths if (number := _inode(path))}


def _inode(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_ino
    return 0


def run(port: int, demo_port: int, pipedrive_port: int) -> None:
    """Prepares and runs everything until a signal ends it.

    Raises:
        DevError, BundleError, WranglerError: what is in the way.
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
        pipedrive = None if own_account() else running.enter_context(simulator(pipedrive_port))
        development = Development(state, settings(pipedrive))
        running.callback(development.stop)
        worker = development.start()
        on_form = partial(add_person, pipedrive)
        site = running.enter_context(demo_site(demo_port, worker.url, on_form=on_form))
        development.wait()
        crm = pipedrive.url if pipedrive else "the account in .dev.vars"
        print(welcome(worker.url, site.url, key, crm), flush=True)
        while True:
            time.sleep(LOOK_SECONDS)
            development.look()


def stop_at_signals() -> None:
    """Lets each signal that means the end stop everything, once."""
    # `nohup` means that the terminal may go.
    ignored = {signal.SIGHUP} & {each for each in SIGNALS if _is_ignored(each)}
    for each in {*SIGNALS} - ignored:
        signal.signal(each, _stop)


def _is_ignored(number: signal.Signals) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def _stop(number: int, _frame: FrameType | None) -> None:
    # The end is not interrupted: it would leave processes behind.
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise StoppedError(number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until it is stopped; problems are said in one line."""
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
        _say(f"error: `make dev` of this checkout runs already: {read_state() or 'it starts'}")
    except (DevError, BundleError, WranglerError) as error:
        _say(f"error: {error}")
    except StoppedError as stopped:
        _say("stopped")
        # As a shell tells it of a program that a signal ended.
        return 128 + int(stopped.args[0])
    return 1


def _say(text: str) -> None:
    # The terminal may be gone.
    with contextlib.suppress(OSError, ValueError):
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
