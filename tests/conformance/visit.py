"""What a visitor does on the client's site, and what became of it in the database."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.conformance.engines import Engine, NotNowError, Visitor
from tests.conformance.site import Site, running_site
from tests.harness.road import Road, running_road
from tests.harness.worker import Row, Worker

Answer = TypeVar("Answer")

DEADLINE_SECONDS = 8.0
PAUSE_SECONDS = 0.05
# Finds an element behind shadow roots and frames, "host >>> field"; says where it is.
FIND = """((path) => {
  let [root, x, y, box] = [document, 0, 0];
  for (const selector of path.split(" >>> ")) {
    const element = root.querySelector(selector);
    if (!element) return null;
    box = element.getBoundingClientRect();
    const inner = element.contentDocument;
    if (inner) [x, y] = [x + box.x + element.clientLeft, y + box.y + element.clientTop];
    root = inner || element.shadowRoot;
  }
  return box.width ? { x, y, left: box.x, top: box.y, width: box.width, height: box.height } : null;
})"""


def eventually(question: Callable[[], Answer], seconds: float = DEADLINE_SECONDS) -> Answer:
    """What it answers as soon as that is true of it, else what it answers at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = question()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody new on the client's site."""

    visitor: Visitor
    site: Site
    road: Road
    worker: Worker
    emails: list[str]
    """The addresses that were sent; the first one is there from the start."""
    last_event: int

    @property
    def email(self) -> str:
        """The visitor's newest address."""
        return self.emails[-1]

    def another_email(self) -> None:
        """From now on the visitor has another address."""
        self.emails.append(some_email())

    def open(self, page: str) -> None:
        """Opens a page and waits until its page view is stored."""
        url = f"{self.site.url}/{page}"
        views = self._page_views(url)
        self.visitor.go(url)
        stored = eventually(lambda: self._page_views(url) > views)
        assert stored, "the page view was not stored"

    def _page_views(self, url: str) -> int:
        return sum(
            event.status == 200 and '"pageview"' in event.body and f'"{url}"' in event.body
            for event in self.road.events
        )

    def until(self, condition: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Waits until a JavaScript expression is true on the page; gives its value."""

        def answer() -> object:
            try:
                return self.visitor.evaluate(condition)
            except NotNowError:
                return None

        value = eventually(answer)
        assert value, f"never on the page: {condition}"
        return value

    def until_at(self, path: str) -> None:
        """Waits until the visitor is somewhere else."""
        self.until(f"location.pathname === {json.dumps(path)}")

    def until_thanked(self) -> None:
        """Waits until the page says that it has the form."""
        self.until('!!document.querySelector("#thanks")')

    def click(self, selector: str, times: int = 1, height: float = 0.5) -> None:
        """Clicks at an element once it is there, by default in its middle."""
        box = self.until(f"{FIND}({json.dumps(selector)})")
        x, y = box["x"] + box["left"], box["y"] + box["top"]
        self.visitor.click(x + box["width"] / 2, y + box["height"] * height, times)

    def write(self, selector: str, text: str) -> None:
        """Types into a field."""
        self.click(selector)
        self.visitor.write(text)

    def leads(self) -> list[Row]:
        """What counts as a lead of this visit: all that the site did not reject."""
        rows = self.worker.query(
            "SELECT * FROM tracking_events WHERE id > ?1 AND event_type = 'form_submit'"
            " AND (page_url LIKE ?2 || '/%' OR page_url LIKE ?3 || '/%') ORDER BY id",
            self.last_event,
            self.site.url,
            self.site.elsewhere,
        )
        return [row for row in rows if row.get("form_outcome") != "rejected"]

    def pause(self, seconds: float) -> None:
        """Does nothing for a while."""
        time.sleep(seconds)

    def look_further(self) -> None:
        """Opens another page of the site: what the pixel still had to say, it has said then."""
        self.open("after")


def some_email() -> str:
    """An address that no other visit has, and that is soon typed."""
    return f"{secrets.token_hex(4)}@example.org"


@contextmanager
def visiting(engine: Engine, worker: Worker) -> Iterator[Visit]:
    """Somebody new, with a road and a site of their own, until the block ends."""
    with engine.visitor() as visitor, visit_of(visitor, worker) as visit:
        yield visit


@contextmanager
def visit_of(visitor: Visitor, worker: Worker, situation: str = "") -> Iterator[Visit]:
    """A visitor on a site of its own, by a road of its own, until the block ends."""
    [last] = worker.query("SELECT coalesce(max(id), 0) AS id FROM tracking_events")
    email = some_email()
    with (
        running_road(worker.url) as road,
        running_site(road.url, email, situation) as site,
    ):
        yield Visit(visitor, site, road, worker, [email], last["id"])
