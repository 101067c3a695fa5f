"""`make browserbench`: what the pixel costs a page's main thread, on a computer four times slower.

Chromium's own trace says when scripts of the pixel ran or were compiled. The same visit is made
many times, by somebody new each time. The times belong to the machine, so there is a script beside
the pixel that only does what every pixel has to ask of a browser: one look into the storage and the
cookies, one write to each, one request.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from local_config import prepare_local_config
from tests.browser.client_site import FORM, Visit, document, script, visiting, with_pixel
from tests.browser.conftest import somebody_new
from tests.harness.chromium import running_chromium
from tests.harness.worker import Worker, running_worker

SLOWDOWN = 4
CATEGORIES = ["devtools.timeline", "v8", "disabled-by-default-v8.compile"]
RUNS_SCRIPT = {
    *("EvaluateScript", "FunctionCall", "v8.compile", "v8.compileModule"),
    *("v8.evaluateModule", "v8.parseOnBackground", "v8.callFunction"),
}
AFTERWARDS_MS = 1_500  # the answer to an event comes, and is heard
STAYS = FORM.replace("<form", '<form onsubmit="event.preventDefault()"')


BARE = """
localStorage.bare ||= 1;
document.cookie.match(/bare=1/);
document.cookie = "bare=1;path=/;max-age=1000";
fetch("/bare", { method: "POST", body: "{}", keepalive: true }).then(() => {});
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A page, and whether its form is sent."""

    name: str
    page: str
    is_sent: bool = False
    is_ours: bool = True


KINDS = (
    Kind("bare script", document(script(BARE)), is_ours=False),
    Kind("page view, no fields", with_pixel("Welcome")),
    Kind("page view, a form", with_pixel(STAYS)),
    Kind("page view and a lead", with_pixel(STAYS), is_sent=True),
)


def milliseconds_of(trace: Mapping[str, Any], origin: str) -> tuple[float, float]:
    """The main thread's time in scripts of an origin: all of it, and the longest piece."""
    spans = sorted(
        (event["ts"], event["ts"] + event["dur"])
        for event in trace["traceEvents"]
        if event["name"] in RUNS_SCRIPT and "dur" in event and origin in json.dumps(event["args"])
    )
    pieces = list(merged(spans))
    return sum(pieces) / 1_000, max(pieces, default=0) / 1_000


def merged(spans: Iterable[tuple[float, float]]) -> Iterable[float]:
    """The lengths of the spans, those that lie in one another counted once."""
    end = 0.0
    for start, stop in spans:
        if stop > end:
            yield stop - max(start, end)
            end = stop


def go(visit: Visit, kind: Kind) -> None:
    """One visit."""
    if kind.is_ours:
        visit.open()
    else:
        visit.page.goto(visit.site.url)
    if kind.is_sent:
        visit.page.get_by_role("button", name="Send").click()
    visit.page.wait_for_timeout(AFTERWARDS_MS)


def measure(browser: Browser, page: Page, worker: Worker, kind: Kind) -> tuple[float, float]:
    """The milliseconds of one visit, and of its longest piece."""
    with visiting(page, worker) as visit:
        visit.site.pages["/"] = kind.page
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        browser.start_tracing(page=page, categories=CATEGORIES)
        go(visit, kind)
        origin = visit.road.url if kind.is_ours else visit.site.url
        return milliseconds_of(json.loads(browser.stop_tracing()), origin)


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15, help="visits of each kind")
    return parser.parse_args(given)


def main(given: Sequence[str]) -> None:
    """Measures and prints a table."""
    runs = arguments(given).runs
    prepare_local_config()
    print(f"main thread, CPU slowed down {SLOWDOWN} times, {runs} visits each, milliseconds")
    print(f"{'':24}{'min':>8}{'median':>8}{'max':>8}{'longest piece, median':>24}")
    with running_worker() as worker, running_chromium() as browser:
        for kind in KINDS:
            whole, longest = [], []
            for _ in range(runs):
                with somebody_new(browser) as page:
                    total, piece = measure(browser, page, worker, kind)
                whole.append(total)
                longest.append(piece)
            low, high = min(whole), max(whole)
            middle, piece = statistics.median(whole), statistics.median(longest)
            print(f"{kind.name:24}{low:8.2f}{middle:8.2f}{high:8.2f}{piece:24.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
