"""`make dev`: the whole product on this machine, ready to click through."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TextIO

from demo_site import DEMO_PIXEL, demo_site
from local_config import prepare_local_config
from new_api_key import new_api_key
from paths import DEV_KEY, LOCAL_CONFIG, NODE_BIN, ROOT, tool_environment
from pyodide_bundle import BundleError
from simulator.fields import demo_field_map
from simulator.server import Simulator, simulator
from wrangler import WranglerError, wrangler

DEV_VARS = ROOT / ".dev.vars"
SEED = ROOT / "demo" / "seed.sql"
PREPARED = ROOT / ".wrangler" / "state" / "prepared"
START_SECONDS = 90
CRON = "*/5 * * * *"
# Cloudflare runs it every five minutes, and a lead waits for seven: too long to watch.
CRON_SECONDS = 15
SYNC_DELAY_SECONDS = 10
LANDING = "/?utm_source=google&utm_medium=cpc&utm_campaign=spring_offer&gclid=demo-click-1"


class DevError(Exception):
    """`make dev` cannot go on; the message says why and what to do."""


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
            raise DevError(
                f"port {port} is taken: stop what uses it, or run `make dev {option}=<another>`"
            ) from None


def development_key() -> str:
    """The API key for this machine; made, with its hash in .dev.vars, on the first run."""
    if not DEV_VARS.exists():
        key, entry = new_api_key("development", "admin")
        DEV_VARS.write_text(f"API_KEYS='{json.dumps([entry])}'\n", encoding="utf-8")
        DEV_KEY.write_text(key, encoding="utf-8")
        DEV_KEY.chmod(0o600)
    if DEV_KEY.exists():
        return DEV_KEY.read_text(encoding="utf-8")
    return "(the one whose hash you wrote into .dev.vars)"


def prepare_database() -> None:
    """Applies the migrations to the local database and adds the demo project and pixel.

    What was applied is noted beside the database, so that the next start need not ask wrangler.
    """
    sources = [*sorted((ROOT / "migrations").glob("*.sql")), SEED]
    recipe = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if PREPARED.exists() and PREPARED.read_text(encoding="utf-8") == recipe:
        return
    wrangler("d1", "migrations", "apply", "DB", "--local")
    wrangler("d1", "execute", "DB", "--local", "--file", SEED)
    PREPARED.write_text(recipe, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Worker:
    """The Worker under `wrangler dev`."""

    process: subprocess.Popen[str]
    url: str

    def wait(self) -> None:
        """Waits until it is healthy.

        Raises:
            DevError: it stopped or did not get there in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise DevError("the Worker stopped; what it said stands above")
            if _answers(f"{self.url}/health"):
                return
            time.sleep(0.2)
        raise DevError(
            f"the Worker was not healthy after {START_SECONDS} seconds: {self.url}/health"
        )

    def fire_cron(self) -> None:
        """Runs the cron trigger once, as Cloudflare would."""
        _answers(f"{self.url}/cdn-cgi/handler/scheduled?cron={CRON.replace(' ', '+')}")

    def stop(self) -> None:
        """Stops it, as the stop key does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=20)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=20) as response:  # noqa: S310  # our own server
            return bool(response.status == 200)  # noqa: PLR2004  # HTTP's OK
    except (OSError, urllib.error.HTTPError):
        return False


def own_account() -> bool:
    """Whether .dev.vars names a Pipedrive account, so that none has to be simulated."""
    lines = DEV_VARS.read_text(encoding="utf-8").splitlines() if DEV_VARS.exists() else []
    return any(line.startswith("PIPEDRIVE_API_KEY=") for line in lines)


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


def start_worker(
    port: int,
    env_vars: Mapping[str, str],
    *,
    config: Path = LOCAL_CONFIG,
    storage: Path | None = None,
    log: TextIO = sys.stdout,
) -> Worker:
    """Starts `wrangler dev`; its log lines go to the terminal."""
    storage_options = [] if storage is None else ["--persist-to", str(storage)]
    chosen = [part for name, value in env_vars.items() for part in ("--var", f"{name}:{value}")]
    command = [
        str(NODE_BIN / "wrangler"),
        "dev",
        "--config",
        str(config),
        "--port",
        str(port),
        *storage_options,
    ]
    process = subprocess.Popen(
        [*command, "--ip", "127.0.0.1", "--test-scheduled", "--log-level", "log", *chosen],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # The stop key is ours: it must reach wrangler once, from stop().
        start_new_session=True,
    )
    Thread(target=_show_log, args=(process, log), daemon=True).start()
    return Worker(process, f"http://localhost:{port}")


def _show_log(process: subprocess.Popen[str], log: TextIO) -> None:
    """Shows the Worker's own log lines, and what wrangler says is wrong."""
    with process.stdout or nullcontext(()) as lines:
        for line in lines:
            if line.startswith("{") or "ERROR" in line or "error" in line.lower():
                print(line, end="", flush=True, file=log)


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


def run(port: int, demo_port: int, pipedrive_port: int) -> None:
    """Prepares and runs everything until the stop key is pressed.

    Raises:
        DevError, BundleError, WranglerError: what is in the way.
    """
    require_free(port, "PORT")
    require_free(demo_port, "DEMO_PORT")
    require_free(pipedrive_port, "PIPEDRIVE_PORT")
    print(f"Pyodide bundle: {prepare_local_config().description}", flush=True)
    key = development_key()
    prepare_database()
    with ExitStack() as running:
        pipedrive = None if own_account() else running.enter_context(simulator(pipedrive_port))
        worker = start_worker(port, settings(pipedrive))
        running.callback(worker.stop)
        on_form = partial(add_person, pipedrive)
        site = running.enter_context(demo_site(demo_port, worker.url, on_form=on_form))
        worker.wait()
        crm = pipedrive.url if pipedrive else "the account in .dev.vars"
        print(welcome(worker.url, site.url, key, crm), flush=True)
        while worker.process.poll() is None:
            time.sleep(CRON_SECONDS - time.time() % CRON_SECONDS)
            worker.fire_cron()


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs until it is stopped; problems are said in one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8787, help="the Worker's port")
    parser.add_argument("--demo-port", type=int, default=8788, help="the demo site's port")
    parser.add_argument("--pipedrive-port", type=int, default=8789, help="the simulator's port")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run(options.port, options.demo_port, options.pipedrive_port)
    except (DevError, BundleError, WranglerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
