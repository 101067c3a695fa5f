"""`make soak`: mixed traffic at a bounded rate for long; memory and latency stay as they are.

The clients, the cron and the counting at the end are those of bad weather (weather.py), without the
weather. Beside them come images, crawlers, reads of the API and clients that hang up.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from random import Random
from urllib.parse import urlsplit

import httpx

from tests.chaos.ledger import Event
from tests.chaos.soak_verdict import Sample, faults_of, interpreter_mib
from tests.chaos.weather import CLIENTS, SETTINGS, Weather
from tests.harness.keys import READ_KEY, keys
from tests.harness.worker import BROWSER, PIXEL, some_address
from tests.harness.workerd_use import workerd_use

PAGES = 9  # of a visitor, behind the first
LEADS_OF = 5  # every fifth visitor, so one event in fifty
STRANGERS_SHARE = 0.1  # of the rate
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
MIB = 1024 * 1024


@dataclass
class Soak(Weather):
    """One run: `samples` are taken every `sample_seconds`, `strangers` is how many others came."""

    rate: float = 40.0
    sample_seconds: float = 30.0
    samples: list[Sample] = field(default_factory=list)
    strangers: int = 0
    _latencies: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Bounds the rate of the clients."""
        self.pause_seconds = CLIENTS / self.rate
        self.settings = {**SETTINGS, "LOG_LEVEL": "warn", "API_KEYS": keys()}

    def log_lines(self) -> list[str]:
        """What workerd has said so far."""
        if self.log is None or not self.log.exists():
            return []
        return self.log.read_text(encoding="utf-8", errors="replace").splitlines()

    def _visit(self, random: Random) -> Iterator[tuple[Event, str]]:
        """A visitor's first page, those behind it, and at times a form and its outcome."""
        visitor = f"pxl_{random.getrandbits(64):016x}"
        campaign = f"campaign-{random.getrandbits(32):08x}"
        person = f"{visitor}@client.example"
        event = {"pixel_id": PIXEL, "visitor_cookie": visitor, "event_type": "pageview"}
        first = f"https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign={campaign}"
        pages = (f"https://shop.example/page-{number}" for number in range(PAGES))
        for page_url in (first, *pages):
            yield event | {"event_key": secrets.token_hex(8), "page_url": page_url}, campaign
        if random.randrange(LEADS_OF) == 0:
            self.pipedrive.account.add_person("Jane Doe", [person])
            lead = event | {
                "event_key": secrets.token_hex(8),
                "event_type": "form_submit",
                "page_url": "https://shop.example/contact",
                "form_data": {"email": person, "first_name": "Jane", "last_name": "Doe"},
            }
            for outcome in ("submitted", "accepted"):
                yield lead | {"outcome": outcome}, campaign

    def _send(self, http: httpx.Client, event: Event) -> int:
        start = time.monotonic()
        status = super()._send(http, event)
        self._latencies.append((time.monotonic() - start) * 1000)
        return status

    def _blow(self, seconds: float) -> None:
        """No weather: samples, and strangers beside the clients."""
        with ThreadPoolExecutor(1) as threads:
            strangers = threads.submit(self._send_strangers, seconds)
            while (passed := time.monotonic() - self.start) < seconds:
                time.sleep(min(self.sample_seconds, seconds - passed))
                self._take_sample()
            strangers.result()

    def _take_sample(self) -> None:
        latencies, self._latencies = sorted(self._latencies), []
        use = workerd_use(self.worker.process.pid) if self.worker else None
        sample = Sample(
            seconds=time.monotonic() - self.start,
            answers=len(latencies),
            p50=statistics.median(latencies or [0.0]),
            p99=latencies[int(len(latencies) * 0.99)] if latencies else 0.0,
            interpreter=interpreter_mib(self.log_lines()),
            resident=use.resident_bytes / MIB if use else 0.0,
        )
        self.samples.append(sample)
        self.say(
            f"{sample.seconds:5.0f} s  {sample.answers:,} answers, p50 {sample.p50:.1f} ms, p99"
            f" {sample.p99:.1f} ms; interpreter {sample.interpreter:.0f} MiB, workerd"
            f" {sample.resident:.0f} MiB"
        )

    # ---- strangers -----------------------------------------------------------------------------

    def _send_strangers(self, seconds: float) -> None:
        kinds = cycle((self._send_image, self._send_crawler, self._read_api, self._hang_up))
        with httpx.Client(timeout=30) as http:
            while time.monotonic() - self.start < seconds:
                next(kinds)(http)
                self.strangers += 1
                time.sleep(1 / (self.rate * STRANGERS_SHARE))

    def _page_view(self) -> dict[str, str]:
        return {
            "pixel_id": PIXEL,
            "visitor_cookie": f"pxl_{secrets.token_hex(8)}",
            "event_type": "pageview",
            "event_key": secrets.token_hex(8),
            "page_url": "https://shop.example/?utm_source=newsletter&utm_medium=email",
        }

    def _send_image(self, http: httpx.Client) -> None:
        event = self._page_view()
        self.ledger.send(event, "")
        headers = {"cf-connecting-ip": some_address(), "user-agent": BROWSER}
        answer = http.get(f"{self._url()}/e/page.gif", params=event, headers=headers)
        self.ledger.answer(event, answer.status_code)

    def _send_crawler(self, http: httpx.Client) -> None:
        headers = {"cf-connecting-ip": some_address(), "user-agent": CRAWLER}
        http.post(f"{self._url()}/e", content=json.dumps(self._page_view()), headers=headers)

    def _read_api(self, http: httpx.Client) -> None:
        headers = {"cf-connecting-ip": some_address(), "X-API-Key": READ_KEY}
        http.get(f"{self._url()}/api/reports/realtime/{PIXEL}", headers=headers).raise_for_status()

    def _hang_up(self, _: httpx.Client) -> None:
        """Sends an event, or half of it, and does not wait for the answer; its pixel keeps it."""
        event = self._page_view()
        self.ledger.send(event, "")
        body = json.dumps(event).encode()
        head = (
            f"POST /e HTTP/1.1\r\nHost: pixel.example\r\nUser-Agent: {BROWSER}\r\n"
            f"CF-Connecting-IP: {some_address()}\r\nContent-Type: text/plain\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        address = urlsplit(self._url())
        part = secrets.choice((body, body[: len(body) // 2], b""))
        with (
            contextlib.suppress(OSError),
            socket.create_connection((address.hostname, address.port), timeout=30) as connection,
        ):
            connection.sendall(head.encode() + part)

    def _url(self) -> str:
        return self.worker.url if self.worker else ""


def soak(run: Soak, seconds: float) -> list[str]:
    """Plays a run for so long; its faults."""
    run.sample_seconds = min(run.sample_seconds, seconds / 12)
    faults = run.play(seconds)
    return [*faults, *faults_of(run.samples, run.log_lines())]
