"""Pages that run before they are shown, and pages that come back: counted when they are seen."""

from __future__ import annotations

import time
from pathlib import Path

from tests.browser.client_site import (
    SETTLE_SECONDS,
    client_site,
    document,
    new_pixel,
    script,
    until,
    with_pixel,
)
from tests.harness.chromium import undriven_chromium
from tests.harness.road import running_road
from tests.harness.worker import Worker

SAY = """const say = (word) => fetch("{{road}}/" + word, { mode: "no-cors" });"""
PRERENDERS = """<script type="speculationrules">
{ "prerender": [{ "urls": ["/next"], "eagerness": "immediate" }] }
</script>"""
# Once the pixel has run there: pages of one site share their storage.
GOES_THERE = """setInterval(() => { if (localStorage.ran) location.href = "/next"; }, 500);"""
SAYS_WHEN_SHOWN = """
say(document.prerendering ? "hidden" : "anew");
document.addEventListener("prerenderingchange", () => {
  const sent = performance.getEntriesByType("resource").filter(({ name }) => name.endsWith("/e"));
  say(`shown-after-${sent.length}-events`);
});
setInterval(() => { if (window.ppp) localStorage.ran = 1; }, 500);
"""
# Once the page view was answered.
GOES_AWAY = """
say("opened");
addEventListener("pageshow", ({ persisted }) => { if (persisted) say("back"); });
const timer = setInterval(() => {
  const waits = Object.keys(localStorage).some((key) => key.startsWith("ppp_e_"));
  if (!sessionStorage.ppp_page || waits) return;
  clearInterval(timer);
  location.href = "/away";
}, 100);
"""
GOES_BACK = """setTimeout(() => { history.back(); }, 500)"""


def requested_paths(worker: Worker, profile: Path, pages: dict[str, str], events: int) -> list[str]:
    """What the pages said, and their events, as soon as there are that many and no more come."""
    with running_road(worker.url) as road, client_site(road.url, new_pixel(worker)) as site:
        site.pages |= pages
        # What must not be stored is kept for nobody to come back to.
        site.headers["Cache-Control"] = "no-cache"
        with undriven_chromium(site.url, profile):
            until(lambda: len(road.events) == events)
            time.sleep(SETTLE_SECONDS)
        return [
            request.path.removeprefix("/") for request in road.requests if request.path != "/p.js"
        ]


def test_a_prerendered_page_is_counted_when_it_is_shown(worker: Worker, tmp_path: Path) -> None:
    pages = {
        "/": document(PRERENDERS + script(GOES_THERE)),
        "/next": with_pixel(before=script(SAY + SAYS_WHEN_SHOWN)),
    }
    paths = requested_paths(worker, tmp_path, pages, events=1)
    assert paths[0] == "hidden"
    assert sorted(paths[1:]) == ["e", "shown-after-0-events"]


def test_a_page_that_comes_back_from_the_cache_is_counted_again(
    worker: Worker, tmp_path: Path
) -> None:
    pages = {
        "/": with_pixel(before=script(SAY + GOES_AWAY)),
        "/away": document(script(GOES_BACK)),
    }
    paths = requested_paths(worker, tmp_path, pages, events=2)
    assert sorted(paths[:2]) == ["e", "opened"]
    assert sorted(paths[2:]) == ["back", "e"]
