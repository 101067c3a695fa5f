"""Visitors of a client's site: page views and leads all the time, and what became of each."""

from __future__ import annotations

import json
import secrets
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Event, Lock, Thread
from typing import Any, Self

import httpx

PIXEL = "pixel-1-shop"
# Below the 100 events a minute that a client may send.
PAUSE_SECONDS = 0.7
EVERY_NTH_IS_A_LEAD = 5
# They came before the upgrade, too.
RETURNING_VISITORS = [f"pxl_{number:016x}" for number in range(20)]
NO_ANSWER = "no answer"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"


@dataclass
class Traffic:
    """A context manager that sends events while it is open.

    `meet` is called with the address of each person before the lead of that person is sent.
    `stored` are the events that were answered with 200; `unsent` are those that were not, which a
    pixel keeps and sends again, as this does; `refused` counts those answers by their status. An
    old pixel would not have sent them again.
    """

    host: str
    variables: Mapping[str, str]
    meet: Callable[[str], object]
    stored: list[dict[str, object]] = field(default_factory=list)
    unsent: list[dict[str, object]] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _stop: Event = field(default_factory=Event)
    _paused: Event = field(default_factory=Event)
    _lock: Lock = field(default_factory=Lock)

    def __enter__(self) -> Self:
        """Begin to send."""
        tls = ssl.create_default_context(cafile=self.variables["SSL_CERT_FILE"])
        self.http = httpx.Client(
            base_url=f"https://{self.host}",
            proxy=self.variables["HTTPS_PROXY"],
            verify=tls,
            timeout=120,
            headers={"user-agent": AGENT},
        )
        self._thread = Thread(target=self._send_all, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._stop.set()
        self._thread.join(timeout=150)
        self.http.close()

    @staticmethod
    def now_milliseconds() -> int:
        """Return the time as a cron trigger has it."""
        return int(time.time() * 1000)

    def settle(self) -> None:
        """Send again what is not stored, until all of it is, or a minute is over."""
        end = time.monotonic() + 60
        while self.unsent and time.monotonic() < end:
            time.sleep(PAUSE_SECONDS)

    def addresses(self) -> list[str]:
        """Return the addresses of all events that were answered with 200 until now."""
        with self._lock:
            return [str(event["page_url"]) for event in self.stored]

    def visitors(self) -> set[str]:
        """Return the cookies of all visitors of whom an event was answered with 200 until now."""
        with self._lock:
            return {str(event["visitor_cookie"]) for event in self.stored}

    def forget(self, first: int, end: int) -> None:
        """Forget the events that were answered in between: they went with the database."""
        with self._lock:
            del self.stored[first:end]

    def _send_all(self) -> None:
        number = 0
        while not self._stop.wait(PAUSE_SECONDS):
            number += 1
            event = _event(number)
            if form := event.get("form_data"):
                self.meet(form["email"])
            self._send(event)
            with self._lock:
                waiting, self.unsent = self.unsent, []
            for event in waiting:
                self._send(event)

    def _send(self, event: dict[str, object]) -> None:
        try:
            answer = self.http.post("/api/track", content=json.dumps(event))
            status = str(answer.status_code)
        except httpx.HTTPError:
            status = NO_ANSWER
        with self._lock:
            if status == str(HTTPStatus.OK.value):
                self.stored.append(event)
            else:
                self.refused[status] += 1
                self.unsent.append(event)


def _event(number: int) -> dict[str, Any]:
    token = secrets.token_hex(8)
    is_returning = number % 3
    returning = RETURNING_VISITORS[number % len(RETURNING_VISITORS)]
    event: dict[str, Any] = {
        "pixel_id": PIXEL,
        "visitor_cookie": returning if is_returning else f"pxl_{token}",
        "event_type": "pageview",
        "page_url": f"https://shop.example.com/rehearsal/{token}",
    }
    if number % EVERY_NTH_IS_A_LEAD:
        return event
    return {
        **event,
        "event_type": "form_submit",
        "form_data": {"email": f"{token}@example.com"},
    }
