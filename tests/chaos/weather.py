"""Bad weather over the real runtime: clients send while everything around the Worker breaks.

Each client is a pixel: it sends an event again until it is answered 200, and only then the next one
of its visitor. When the time is over everything works again, the cron runs until nothing is
pending, and the ledger is compared with the database and with Pipedrive.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event as Signal

import httpx

from paths import LOCAL_CONFIG
from simulator.faults import Fault
from simulator.fields import demo_field_map
from simulator.server import Simulator, simulator
from tests.chaos.ledger import Event, Ledger, StoredEvent
from tests.harness.direct import Config, Direct, migrate, running_directly
from tests.harness.prepared import database_file, worker_bundle
from tests.harness.worker import BROWSER, PIXEL, some_address

CRON_PATH = "/cdn-cgi/handler/scheduled?cron=*%2F5+*+*+*+*"
CLIENTS = 4
PAUSE_SECONDS = 0.05  # of a visitor between two events
RETRY_SECONDS = 0.3
LEADS_OF = 3  # every third visitor fills in a form
CRON_SECONDS = 3.0
WEATHER_SECONDS = (1.0, 4.0)  # between two blows, at least and at most
LOCKED_SECONDS = (1.0, 6.0)
MAX_RUNS_AFTERWARDS = 120
CAMPAIGN = "last_touch_campaign"
PIPEDRIVE_FAULTS = (
    *("timeout", "hang_after", "reset", "server_error", "bad_gateway"),
    *("too_many_requests", "broken_json", "empty"),
)
SETTINGS = {
    "LOG_LEVEL": "error",
    "SYNC_DELAY_SECONDS": "3",
    "SYNC_RUN_SECONDS": "20",
    "SYNC_FIRST_PAUSE_SECONDS": "1",
    "SYNC_LONGEST_PAUSE_SECONDS": "3",
    "SYNC_LEAD_SECONDS": "12",
    "SYNC_LEASE_SECONDS": "30",
    "PIPEDRIVE_TIMEOUT_SECONDS": "1",
    "PIPEDRIVE_BACKOFF_MS": "10",
    "PIPEDRIVE_BREAKER_SECONDS": "2",
    "PIPEDRIVE_WINDOW_MS": "1",
}
READ_EVENTS = "SELECT event_key, event_type, pipedrive_sync_status FROM tracking_events"
COUNT_PENDING = """
SELECT count(*) FROM tracking_events
WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL
"""


@dataclass
class Weather:
    """One run: what stands, what was sent, and what struck so far.

    `say` is told of each blow, with the seconds since the start. `log` gets what workerd says.
    """

    seed: int
    storage: Path
    say: Callable[[str], None]
    ledger: Ledger = field(default_factory=Ledger)
    blows: Counter[str] = field(default_factory=Counter)
    start: float = field(default_factory=time.monotonic)
    stop: Signal = field(default_factory=Signal)
    has_limiter: bool = True
    pause_seconds: float = PAUSE_SECONDS
    settings: Mapping[str, str] = field(default_factory=lambda: SETTINGS)
    log: Path | None = None
    worker: Direct | None = None
    pipedrive: Simulator = field(default_factory=simulator)
    _running: ExitStack = field(default_factory=ExitStack)

    def play(self, seconds: float) -> Sequence[str]:
        """Sends through bad weather for so long; returns the faults that are left afterwards."""
        migrate(self.storage)
        limits = self.pipedrive.limits
        limits.requests_per_window = limits.searches_per_window = limits.daily_tokens = None
        with self.pipedrive, ThreadPoolExecutor(CLIENTS + 1) as threads:
            self._start_worker()
            self.start = time.monotonic()
            try:
                clients = [threads.submit(self._send_visitors, number) for number in range(CLIENTS)]
                cron = threads.submit(self._run_crons)
                self._blow(seconds)
                self.stop.set()
                for thread in (*clients, cron):
                    thread.result()
                self._clear_up()
            finally:
                self.stop.set()
                self._stop_worker(kill=False)
        return self.ledger.faults(self._rows(), self._written())

    # ---- traffic -------------------------------------------------------------------------------

    def _send_visitors(self, number: int) -> None:
        random = Random(f"{self.seed}-{number}")  # noqa: S311  # a visitor, no secret
        with httpx.Client(timeout=30) as http:
            while not self.stop.is_set():
                for event, campaign in self._visit(random):
                    self.ledger.send(event, campaign)
                    # A form before its page view would be another story: of late events.
                    if not self._send_until_answered(http, event):
                        return
                    time.sleep(self.pause_seconds)

    def _visit(self, random: Random) -> Iterator[tuple[Event, str]]:
        """The events of one visitor, the form last, with the campaign that brought them."""
        visitor = f"pxl_{random.getrandbits(64):016x}"
        campaign = f"campaign-{random.getrandbits(32):08x}"
        person = f"{visitor}@client.example"
        address = f"https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign={campaign}"
        event = {"pixel_id": PIXEL, "visitor_cookie": visitor, "event_type": "pageview"}
        for page_url in (address, "https://shop.example/prices"):
            yield event | {"event_key": secrets.token_hex(8), "page_url": page_url}, campaign
        if random.randrange(LEADS_OF) == 0:
            self.pipedrive.account.add_person("Jane Doe", [person])
            yield (
                event
                | {
                    "event_key": secrets.token_hex(8),
                    "event_type": "form_submit",
                    "page_url": "https://shop.example/contact",
                    "form_data": {"email": person, "first_name": "Jane", "last_name": "Doe"},
                    "outcome": "accepted",
                },
                campaign,
            )

    def _send_until_answered(self, http: httpx.Client, event: Event) -> bool:
        """Sends an event until it is answered 200, or until the time is over, which is False."""
        while True:
            status = self._send(http, event)
            self.ledger.answer(event, status)
            if status == 200:
                return True
            if self.stop.wait(RETRY_SECONDS):
                return False

    def _send(self, http: httpx.Client, event: Event) -> int:
        """The status that an event is answered with; 0 where nobody answers."""
        worker = self.worker
        headers = {"cf-connecting-ip": some_address(), "user-agent": BROWSER}
        try:
            if worker:
                body = json.dumps(event)
                return http.post(f"{worker.url}/e", content=body, headers=headers).status_code
        except httpx.HTTPError:
            pass
        return 0

    def _run_crons(self) -> None:
        while not self.stop.wait(CRON_SECONDS):
            self._run_cron()

    def _run_cron(self) -> bool:
        """One run of the cron; whether it was answered."""
        worker = self.worker
        try:
            return worker is not None and httpx.get(worker.url + CRON_PATH, timeout=120).is_success
        except httpx.HTTPError:
            return False

    # ---- weather -------------------------------------------------------------------------------

    def _blow(self, seconds: float) -> None:
        random = Random(self.seed)  # noqa: S311  # weather, no secret
        blows: Mapping[str, Callable[[Random], None]] = {
            "killed": lambda _: self._restart(),
            "KV emptied": lambda _: self._restart(without="kv"),
            "R2 emptied": lambda _: self._restart(without="r2"),
            "limiter broken or back": lambda _: self._break_limiter(),
            "D1 locked": self._lock_database,
            "Pipedrive misbehaves": self._break_pipedrive,
        }
        while time.monotonic() - self.start < seconds:
            time.sleep(random.uniform(*WEATHER_SECONDS))
            name = random.choice(sorted(blows))
            blows[name](random)
            self.blows[name] += 1
            events, answered = len(self.ledger.events), len(self.ledger.answered)
            self.say(
                f"{time.monotonic() - self.start:5.0f} s  {name}; {events:,} events, {answered:,}"
                " answered"
            )

    def _restart(self, without: str | None = None) -> None:
        """SIGKILL under load; what is without is gone when it starts again."""
        self._stop_worker(kill=True)
        if without:
            shutil.rmtree(self.storage / "v3" / without, ignore_errors=True)
        self._start_worker()

    def _break_limiter(self) -> None:
        self.has_limiter = not self.has_limiter
        self._restart()

    def _lock_database(self, random: Random) -> None:
        with closing(sqlite3.connect(database_file(self.storage), timeout=30)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(random.uniform(*LOCKED_SECONDS))
            database.rollback()

    def _break_pipedrive(self, random: Random) -> None:
        kind = random.choice(PIPEDRIVE_FAULTS)
        times = random.randint(1, 6)
        retry_after = 1 if kind == "too_many_requests" else None
        self.pipedrive.faults.add(Fault(kind, times=times, seconds=1.5, retry_after=retry_after))

    # ---- the Worker ----------------------------------------------------------------------------

    def _start_worker(self) -> None:
        config: Config = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
        if not self.has_limiter:
            del config["durable_objects"]
        variables = {
            **self.settings,
            "PIPEDRIVE_URL": self.pipedrive.api_url,
            "PIPEDRIVE_API_KEY": self.pipedrive.token,
            "PIPEDRIVE_FIELDS": json.dumps(demo_field_map()),
        }
        self.worker = self._running.enter_context(
            running_directly(
                worker_bundle(), "entry.py", config, self.storage, variables, log=self.log
            )
        )

    def _stop_worker(self, *, kill: bool) -> None:
        worker, self.worker = self.worker, None
        if worker is None:
            return
        if kill:
            worker.kill()
        self._running.close()

    # ---- afterwards ----------------------------------------------------------------------------

    def _clear_up(self) -> None:
        """Everything works again: what pixels keep is sent, and the cron runs until all is done."""
        self.pipedrive.faults.clear()
        self.has_limiter = True
        self._restart()
        with httpx.Client(timeout=30) as http:
            for _ in range(MAX_RUNS_AFTERWARDS):
                for event in self.ledger.unanswered():
                    self.ledger.answer(event, self._send(http, event))
                if not self.ledger.unanswered():
                    break
                time.sleep(RETRY_SECONDS)
        for _ in range(MAX_RUNS_AFTERWARDS):
            self._run_cron()
            if self._count_pending() == 0:
                return
            time.sleep(1)

    def _count_pending(self) -> int:
        return int(self._query(COUNT_PENDING)[0][0])

    def _rows(self) -> Sequence[StoredEvent]:
        return [StoredEvent(*row) for row in self._query(READ_EVENTS)]

    def _query(self, sql: str) -> Sequence[tuple[str, ...]]:
        with closing(sqlite3.connect(database_file(self.storage), timeout=30)) as database:
            return database.execute(sql).fetchall()

    def _written(self) -> Mapping[str, object]:
        """The campaign that each person of the account has, by address."""
        key = demo_field_map()[CAMPAIGN]
        return {
            person.emails[0]: person.custom_fields.get(key)
            for person in self.pipedrive.account.persons()
        }


@contextmanager
def weather(seed: int, folder: Path, say: Callable[[str], None]) -> Iterator[Weather]:
    """A run in a folder of its own, which is removed at the end."""
    storage = folder / f"chaos-{seed}"
    try:
        yield Weather(seed, storage, say)
    finally:
        shutil.rmtree(storage, ignore_errors=True)
