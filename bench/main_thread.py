"""`make browserbench`: what the pixel costs a page's main thread.

The same visits are made again and again, in turn, by somebody new each time, to a site with a
hostname. Chromium's own trace says how long its main thread computed (CPU time, waiting left out)
and how long it was kept (wall time, with its waits for other processes).

CPU time is taken at full speed and multiplied: to slow a CPU down, Chromium lets the thread spin,
which counts as computing and takes time from the processes that it waits for. Wall time is taken
while it is slowed down. The pages have no other scripts, so whatever is script is the pixel's.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from local_config import prepare_local_config
from tests.browser.client_site import FORM, Visit, document, script, visiting, with_pixel
from tests.browser.conftest import somebody_new
from tests.harness.chromium import running_chromium
from tests.harness.worker import Worker, running_worker

SLOWDOWN = 4
HOST = "www.client.example"
CHROMIUM = (
    f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
    # The site is public to a browser, the Worker is on this machine.
    "--disable-features=LocalNetworkAccessChecks",
)
CATEGORIES = ["devtools.timeline", "disabled-by-default-devtools.timeline", "v8", "toplevel"]
TASK = "RunTask"
RUNS_SCRIPT = {"EvaluateScript", "FunctionCall", "TimerFire", "EventDispatch", "v8.callFunction"}
RUNS_SCRIPT |= {"v8.compile", "v8.compileModule", "v8.evaluateModule", "v8.run"}
RUNS_SCRIPT |= {"BlinkScheduler_PerformMicrotaskCheckpoint"}  # what follows a promise
SETTLES_MS = 1_000  # the browser's own window, which computes more than any page here
AFTERWARDS_MS = 1_500  # the answer to an event comes, and is heard
# Sent by a key: to click, Playwright runs scripts of its own in the page.
STAYING_FORM = FORM.replace("<form", '<form onsubmit="event.preventDefault()"').replace(
    "<button", "<button autofocus"
)


BARE = """
localStorage.bare ||= 1;
document.cookie.match(/bare=1/);
document.cookie = "bare=1;path=/;max-age=1000";
fetch("/bare", { method: "POST", body: "{}", keepalive: true }).then(() => {});
"""
NO_SCRIPT = "no script"
NO_PIXEL = "form sent, no pixel"


@dataclass(frozen=True, slots=True)
class Kind:
    """A page, and what happens on it."""

    name: str
    page: str
    is_sent: bool = False
    is_second: bool = False
    """The visitor has seen a page of the site in this tab."""
    beside: str = NO_SCRIPT
    """The same without the pixel."""


KINDS = (
    Kind(NO_SCRIPT, document("", "Welcome")),
    Kind(NO_PIXEL, document("", STAYING_FORM), is_sent=True, beside=NO_PIXEL),
    Kind("bare script", document(script(BARE), "Welcome")),
    Kind("page view, no fields", with_pixel("Welcome")),
    Kind("the next page", with_pixel("Welcome"), is_second=True),
    Kind("page view, a form", with_pixel(STAYING_FORM)),
    Kind("page view and a lead", with_pixel(STAYING_FORM), is_sent=True, beside=NO_PIXEL),
)
Span = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of the main thread, of one visit."""

    scripts: float
    """In which scripts were compiled or ran."""
    longest: float
    """The part of `scripts` in the one task that has most of it."""
    tasks: float
    """All that the thread did, the page itself included."""


def cost_of(spans: Sequence[Span], measure: str) -> Cost:
    """What the spans of one thread come to, in order; measured in `tdur` (CPU) or `dur` (wall)."""
    tasks = [span for span in spans if span["name"] == TASK]
    scripts = list(outermost(span for span in spans if span["name"] in RUNS_SCRIPT))
    return Cost(
        total(scripts, measure),
        max((total(within(scripts, task), measure) for task in tasks), default=0),
        total(tasks, measure),
    )


def total(spans: Iterable[Span], measure: str) -> float:
    """Milliseconds."""
    return sum(float(span.get(measure, 0)) for span in spans) / 1_000


def outermost(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans that lie in no other."""
    end = 0.0
    for span in spans:
        if span["ts"] >= end:
            end = span["ts"] + span["dur"]
            yield span


def within(spans: Iterable[Span], task: Span) -> list[Span]:
    """The spans that lie in this one."""
    end = task["ts"] + task["dur"]
    return [span for span in spans if task["ts"] <= span["ts"] < end]


def main_thread(trace: Mapping[str, Any], site: str) -> list[Span]:
    """The spans of the thread that showed a site, in order, an outer one before what is in it."""
    spans = [event for event in trace["traceEvents"] if "dur" in event]
    [process, *_] = [
        (event["pid"], event["tid"])
        for event in trace["traceEvents"]
        if event["name"] == "CommitLoad" and site in json.dumps(event["args"])
    ]
    thread_spans = [span for span in spans if (span["pid"], span["tid"]) == process]
    return sorted(thread_spans, key=lambda span: (span["ts"], -span["dur"]))


def go(visit: Visit, *, is_sent: bool) -> None:
    """One visit."""
    visit.page.goto(visit.site.url)
    visit.page.wait_for_timeout(AFTERWARDS_MS)
    if is_sent:
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_timeout(AFTERWARDS_MS)


def measured(browser: Browser, page: Page, worker: Worker, kind: Kind, slowdown: int) -> Cost:
    """What one visit costs: CPU time at full speed, else wall time."""
    with visiting(page, worker) as visit:
        visit.site.url = visit.site.url.replace("127.0.0.1", HOST)
        visit.site.pages |= {"/": kind.page, "/before": kind.page}
        page.wait_for_timeout(SETTLES_MS)
        if kind.is_second:
            page.goto(f"{visit.site.url}/before")
            page.wait_for_timeout(AFTERWARDS_MS)
        devtools = page.context.new_cdp_session(page)
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
        browser.start_tracing(page=page, categories=CATEGORIES)
        go(visit, is_sent=kind.is_sent)
        trace = json.loads(browser.stop_tracing())
        spans = main_thread(trace, visit.site.url)
    return cost_of(spans, "tdur" if slowdown == 1 else "dur")


Costs = dict[tuple[str, int], list[Cost]]


def all_visits(browser: Browser, worker: Worker, runs: int) -> Costs:
    """Every kind at both speeds, in a new order each time."""
    costs: Costs = {(kind.name, speed): [] for kind in KINDS for speed in (1, SLOWDOWN)}
    turns = [(kind, speed) for kind in KINDS for speed in (1, SLOWDOWN)]
    for _ in range(runs):
        random.shuffle(turns)
        for kind, speed in turns:
            with somebody_new(browser) as page:
                costs[kind.name, speed].append(measured(browser, page, worker, kind, speed))
    return costs


def show(costs: Costs, runs: int) -> None:
    """Prints the two tables."""
    print(f"{runs} visits of each kind, milliseconds: least, median and most of them")
    print(f"\nCPU time at full speed, times {SLOWDOWN}")
    print(f"{'':22}{'scripts':^24}{'longest task':^24}  all tasks, more than without")
    for kind in KINDS:
        mine, beside = costs[kind.name, 1], costs[kind.beside, 1]
        extra_ms = (middle_of_tasks(mine) - middle_of_tasks(beside)) * SLOWDOWN
        print(f"{kind.name:22}{spread(mine, SLOWDOWN)}{extra_ms:8.1f}")
    print(f"\nwall time, slowed down {SLOWDOWN} times, with the waits for other processes")
    print(f"{'':22}{'scripts':^24}{'longest task':^24}")
    for kind in KINDS:
        print(f"{kind.name:22}{spread(costs[kind.name, SLOWDOWN], 1)}")


def middle_of_tasks(costs: Iterable[Cost]) -> float:
    """The median of all that the thread did."""
    return statistics.median(cost.tasks for cost in costs)


def spread(costs: Sequence[Cost], times: int) -> str:
    """Least, median and most of what scripts cost, and of the longest task."""
    columns = ([cost.scripts for cost in costs], [cost.longest for cost in costs])
    return "".join(
        f"{measure(values) * times:8.1f}"
        for values in columns
        for measure in (min, statistics.median, max)
    )


def parse_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=15, help="visits of each kind")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> None:
    """Measures and prints two tables."""
    runs = parse_options(arguments).runs
    prepare_local_config()
    with running_worker() as worker, running_chromium(*CHROMIUM) as browser:
        show(all_visits(browser, worker, runs), runs)


if __name__ == "__main__":
    main(sys.argv[1:])
