"""The Worker under `wrangler dev`: started, watched, and ended with all its processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPResponse
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from paths import LOCAL_CONFIG, NODE_BIN, ROOT, tool_environment
from processes import end_group, kill_group

START_SECONDS = 180
SILENT_SECONDS = 30
PULSE_SECONDS = 5
CRON = "*/5 * * * *"
# Cloudflare runs it every five minutes, and a lead waits for seven: too long to watch.
CRON_SECONDS = 15
# What /health says of a lost database.
LOST = "database_lost"
LOST_ADVICE = (
    "make dev: the database is not the one that was here: its events wait in R2 until "
    "`./ppp restore --local` brings it back, or `./ppp accept-database --local --reason WHY`"
)
# Every answer of the Worker has it, errors too; those of another program have not.
REQUEST_ID_HEADER = "X-Request-Id"


class DevError(Exception):
    """`make dev` cannot go on; the message says why and what to do."""


@dataclass(slots=True)
class Worker:
    """The Worker under `wrangler dev`, which leads a group of processes.

    Attributes:
        is_unheard: the terminal that reads its log is gone.
    """

    process: subprocess.Popen[str]
    url: str
    is_unheard: bool = False
    _answered_at: float = field(default_factory=time.monotonic)
    _stopping: Event = field(default_factory=Event)

    def wait(self) -> None:
        """Wait until it is healthy.

        Raises:
            DevError: it stopped, or was not healthy in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.require_running()
            if self._is_started():
                return
            time.sleep(0.2)
        raise DevError(
            f"the Worker was not healthy after {START_SECONDS} seconds: {self.url}/health"
        )

    def _is_started(self) -> bool:
        """Whether it is healthy, or waits for a restore of its lost database."""
        # A busy machine starts the parts of a Worker slowly.
        status, text = _answer(f"{self.url}/health", seconds=60)
        if status == 503 and LOST in text:  # noqa: PLR2004  # HTTP's Service Unavailable
            print(LOST_ADVICE, flush=True)
            return True
        return status == 200  # noqa: PLR2004  # HTTP's OK

    def require_running(self) -> None:
        """Check that its process runs.

        Raises:
            DevError: it does not.
        """
        if self.process.poll() is not None:
            status = self.process.returncode
            raise DevError(f"wrangler stopped (status {status}); what it said stands above")

    def watch(self) -> None:
        """Start to measure when it answers and to run its cron, as Cloudflare does."""
        self._answered_at = time.monotonic()
        for job in (self._measure_silence, self._fire_cron):
            Thread(target=job, daemon=True).start()

    def silence(self) -> float:
        """Return the seconds since its last answer."""
        return time.monotonic() - self._answered_at

    def stop(self) -> None:
        """End it and all its processes; kill it at once if it does not answer."""
        self._stopping.set()
        if self.silence() > SILENT_SECONDS:
            kill_group(self.process)
        else:
            end_group(self.process)

    def _measure_silence(self) -> None:
        while not self._stopping.wait(PULSE_SECONDS):
            if _status(f"{self.url}/e", method="OPTIONS"):
                self._answered_at = time.monotonic()

    def _fire_cron(self) -> None:
        while not self._stopping.wait(CRON_SECONDS - time.time() % CRON_SECONDS):
            _status(f"{self.url}/cdn-cgi/handler/scheduled?cron={CRON.replace(' ', '+')}")


def _status(address: str, method: str = "GET") -> int:
    """Return the status of the Worker's answer; 0 if it is another program's, or there is none."""
    return _answer(address, method)[0]


def _answer(address: str, method: str = "GET", seconds: float = 20) -> tuple[int, str]:
    """Return the Worker's answer, its status and text; 0 as `_status` does."""
    request = urllib.request.Request(address, method=method)  # noqa: S310  # our own server
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310  # the same
            return _answer_of(int(response.status), response)
    except urllib.error.HTTPError as error:
        with error:
            return _answer_of(error.code, error)
    except (OSError, ValueError):
        return 0, ""


def _answer_of(status: int, response: HTTPResponse | urllib.error.HTTPError) -> tuple[int, str]:
    text = response.read().decode("utf-8", "replace")
    return (status, text) if REQUEST_ID_HEADER in response.headers else (0, "")


def start_worker(
    port: int,
    env_vars: Mapping[str, str],
    *,
    config: Path = LOCAL_CONFIG,
    storage: Path | None = None,
    log: TextIO = sys.stdout,
) -> Worker:
    """Start `wrangler dev`; write its log lines to `log`."""
    storage_options = [] if storage is None else ["--persist-to", str(storage)]
    variables = [part for name, value in env_vars.items() for part in ("--var", f"{name}:{value}")]
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
        [*command, "--ip", "127.0.0.1", "--test-scheduled", "--log-level", "log", *variables],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        # The stop key is ours: it must reach wrangler once, from stop().
        start_new_session=True,
    )
    worker = Worker(process, f"http://localhost:{port}")
    Thread(target=_show_log, args=(worker, log), daemon=True).start()
    return worker


def _show_log(worker: Worker, log: TextIO) -> None:
    """Print the Worker's log lines and wrangler's errors; read the output to its end."""
    with worker.process.stdout or nullcontext(()) as lines:
        for line in lines:
            if is_worth_showing(line) and not worker.is_unheard:
                try:
                    print(with_time(line), end="", flush=True, file=log)
                except (OSError, ValueError):
                    worker.is_unheard = True


def is_worth_showing(line: str) -> bool:
    """Whether a line is of the Worker's log or an error of wrangler."""
    return line.startswith("{") or ("error" in line.lower() and "│" not in line)


def with_time(line: str) -> str:
    """Return the line with the current time, inside its JSON if it is JSON.

    Cloudflare adds the time to each line; `wrangler dev` does not.
    """
    time_text = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        return f"{time_text} {line}"
    return json.dumps({"time": time_text, **fields}, ensure_ascii=False) + "\n"
