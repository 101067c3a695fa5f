"""What people do with the Worker while calls fail: browsers, the cron and somebody with a key.

Each of them tries again as it does in the world: a pixel until it is answered, the cron after five
minutes, a command a few times. An isolate that dies is followed by another.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from simulator.fields import demo_field_map
from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, TOKEN, KilledError
from tests.harness.keys import ADMIN_KEY, keys

PIXEL = "ppp-website-1"
SETTINGS = {
    "ENVIRONMENT": "production",
    "LOG_LEVEL": "info",
    "API_KEYS": keys(),
    "PIPEDRIVE_API_KEY": TOKEN,
    "PIPEDRIVE_URL": "https://crm.example/api/v2",
    "PIPEDRIVE_FIELDS": json.dumps(demo_field_map()),
    "ALERT_WEBHOOK_URL": "https://alerts.example/hook",
    "ARCHIVE_DAYS": "180",
}
SECONDS_TO_TRY_AGAIN = 31
MAX_TRIES = 8
TRY_AGAIN_AFTER = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)

Answer = tuple[int, Any]
Result = TypeVar("Result")


@dataclass
class Story:
    """What was promised so far: events that were answered, persons who were erased."""

    promised: dict[str, str] = field(default_factory=dict)
    """The e-mail address, or nothing, of each event by its key."""
    erased: set[str] = field(default_factory=set)
    rejected: set[str] = field(default_factory=set)
    """The keys of the forms that their site refused at last."""
    problems: list[str] = field(default_factory=list)
    isolates: list[Isolate | None] = field(default_factory=lambda: [None])
    """The isolates that run at once; the first one is asked next."""
    kept: list[tuple[Mapping[str, object], str]] | None = None
    """What pixels keep for better weather, with its e-mail address; None: they give up."""

    def copy(self) -> Story:
        """The same promises, for another end."""
        return Story(
            dict(self.promised), set(self.erased), set(self.rejected), deepcopy(self.problems)
        )

    def ask_next_isolate(self) -> None:
        """The next request or cron run meets another isolate, if there are several."""
        self.isolates.append(self.isolates.pop(0))

    def kill(self) -> None:
        """The isolate that would be asked next dies; another one begins in its place."""
        self.isolates[0] = None

    def view(
        self, visitor: str, key: str, page: str = "/", pixel: str = PIXEL, email: str = ""
    ) -> None:
        """Somebody, who may have this address, looks at a page; the pixel sends until an answer."""
        self._send(_event(visitor, key, page, pixel, ""), email)

    def submit(
        self, visitor: str, key: str, email: str, page: str = "/contact", outcome: str = ""
    ) -> None:
        """Somebody sends a form; the pixel sends it until it is answered.

        The same key again is the same form, with what became of it.
        """
        event = _event(visitor, key, page, PIXEL, email)
        if self.kept:
            # What a pixel keeps of a form says what became of it last.
            self.kept = [entry for entry in self.kept if entry[0]["event_key"] != key]
        self.rejected.discard(key)
        if outcome == "rejected":
            self.rejected.add(key)
        self._send(event | {"outcome": outcome} if outcome else event, email)

    def send_kept(self) -> None:
        """The pixels send what they kept, in its order."""
        kept, self.kept = self.kept or [], []
        for event, email in kept:
            self._send(event, email)

    def submit_while_database_is_away(self, visitor: str, key: str, email: str) -> None:
        """An old pixel, which sends nothing twice, sends a form that D1 does not take."""
        OUTSIDE.calls.broken = ("D1",)
        answer = self._post("/e", _event(visitor, key, "/contact", PIXEL, email), address=key)
        OUTSIDE.calls.broken = ()
        assert answer is not None
        assert answer[0] == HTTPStatus.SERVICE_UNAVAILABLE, answer
        self.promised[key] = email

    def run_cron(self, *, minutes: float = 5) -> None:
        """The cron runs; it does so again after some minutes."""
        self._with_isolate(Isolate.run_cron)
        OUTSIDE.pass_time(minutes=minutes)

    def erase(self, email: str) -> None:
        """Somebody with a key erases a person: the command goes on until it is done."""
        body: dict[str, object] = {"email": email, "confirm": True}
        for _ in range(50):
            progress = self._manage("/api/privacy/erase", "POST", body)
            if progress is None:
                return
            if progress["done"]:
                self.erased.add(email)
                return
            OUTSIDE.pass_time(minutes=5 if progress.get("waits_until") else 0)
            body["cursor"] = progress["cursor"]
        self.problems.append(f"the erasure of {email} came to no end")

    def back_up(self) -> None:
        """Somebody with a key makes a backup: the command goes on until it is verified."""
        backup = self._manage("/api/backups", "POST", {})
        for _ in range(50):
            if backup is None or backup["state"] == "verified":
                return
            backup = self._manage(f"/api/backups/{backup['id']}/continue", "POST", {})
        self.problems.append("a backup came to no end")

    def add_expiring_pixel(self) -> str:
        """Adds a pixel whose project keeps events for thirty days; returns its id."""
        body: dict[str, object] = {"name": "Expiring", "configuration": {"retention_days": 30}}
        project = self._manage("/api/manage/projects", "POST", body)
        assert project is not None
        pixels = f"/api/manage/projects/{project['id']}/pixels"
        pixel = self._manage(pixels, "POST", {"name": "Expiring"})
        assert pixel is not None
        return str(pixel["id"])

    def _send(self, event: Mapping[str, object], email: str) -> None:
        key, answer = str(event["event_key"]), None
        for _ in range(MAX_TRIES):
            answer = self._post("/e", event, address=key)
            OUTSIDE.pass_time(seconds=SECONDS_TO_TRY_AGAIN)
            if answer and answer[0] == HTTPStatus.OK:
                self.promised[key] = email
                return
            if answer and answer[0] not in TRY_AGAIN_AFTER:
                break
        else:
            if self.kept is not None:
                self.kept.append((event, email))
                return
        self.problems.append(f"{key} was refused: {answer}")

    def _manage(self, path: str, method: str, body: object) -> dict[str, Any] | None:
        """The answer's data, or None if there is none after some tries."""
        answer = None
        for _ in range(MAX_TRIES):
            answer = self._post(path, body, {"x-api-key": ADMIN_KEY}, method=method)
            OUTSIDE.pass_time(seconds=SECONDS_TO_TRY_AGAIN)
            if answer and answer[0] < HTTPStatus.BAD_REQUEST:
                data: dict[str, Any] = answer[1]["data"]
                return data
        self.problems.append(f"{path} failed: {answer}")
        return None

    def _post(
        self,
        path: str,
        body: object,
        headers: Mapping[str, str] | None = None,
        *,
        method: str = "POST",
        address: str = "",
    ) -> Answer | None:
        # A client of its own for each event: this is not about limits.
        client = f"2001:db8:{zlib.crc32(address.encode()) % 65_536:x}::1"
        return self._with_isolate(
            lambda isolate: isolate.request(path, method, body, headers, client)
        )

    def _with_isolate(self, act: Callable[[Isolate], Result]) -> Result | None:
        """What the isolate answers, or None if it dies."""
        isolate = self.isolates[0] = self.isolates[0] or Isolate(**SETTINGS)
        try:
            return act(isolate)
        except KilledError:
            self.kill()
            return None


def _event(visitor: str, key: str, page: str, pixel: str, email: str) -> dict[str, object]:
    form = {"form_data": {"email": email, "first_name": "Ada"}} if email else {}
    return {
        "pixel_id": pixel,
        "event_type": "form_submit" if email else "pageview",
        "page_url": f"https://shop.example{page}",
        "event_key": key,
        "visitor_cookie": f"pxl_{visitor * 16:.16}",
        **form,
    }
