"""`?ppp_debug`: the page shows what its pixel sent, and what came back."""

from __future__ import annotations

import pytest

from tests.browser.client_site import Visit, until

DEBUG = "/?ppp_debug"
PLACE = """(panel) => {
  const { position } = getComputedStyle(panel);
  const { bottom, height } = panel.getBoundingClientRect();
  return [position, innerHeight - bottom < 20, height > 0];
}"""


def panel_shows(visit: Visit, *words: str) -> bool:
    """Whether the panel has a line with these words."""

    def shown() -> bool:
        lines = visit.page.locator("pre").inner_text(timeout=3_000).splitlines()
        return any(all(word in line for word in words) for line in lines)

    return bool(until(shown))


def test_the_panel_shows_what_was_sent_and_what_came_back(visit: Visit) -> None:
    visit.open(DEBUG)
    assert panel_shows(visit, "pageview", "200", '"event_id"')
    visit.command("identify", {"email": "ada@example.org"})
    assert panel_shows(visit, "form_submit", "submitted", "200", '"event_id"')
    assert visit.page.locator("pre").count() == 1
    assert visit.page.locator("pre").evaluate(PLACE) == ["fixed", True, True]


@pytest.mark.parametrize("path", ["/form?ppp_debug", "/form?a=b&ppp_debug=1", "/#ppp_debug"])
def test_the_panel_is_there_wherever_the_address_asks_for_it(visit: Visit, path: str) -> None:
    visit.open(path)
    assert panel_shows(visit, "pageview", "200")


def test_a_reload_shows_it_again(visit: Visit) -> None:
    visit.open(DEBUG)
    visit.page.reload()
    assert panel_shows(visit, "pageview", "200", '"event_id"')
    visit.stored(1)


def test_a_pixel_that_nobody_knows_is_found_out(visit: Visit) -> None:
    visit.site.pixel = "nobody-knows-this-pixel"
    visit.open(DEBUG)
    assert panel_shows(visit, "pageview", "400", "Invalid pixel_id")


def test_a_worker_that_fails_is_found_out(visit: Visit) -> None:
    visit.road.refuse(503)
    visit.open(DEBUG)
    assert panel_shows(visit, "pageview", "503")


def test_a_strict_policy_lets_the_panel_stand_where_it_belongs(visit: Visit) -> None:
    complaints: list[str] = []
    visit.page.on("console", lambda message: complaints.append(message.text))
    visit.site.headers["Content-Security-Policy"] = (
        "default-src 'none'; img-src data:; "
        f"script-src {visit.road.url}; connect-src {visit.road.url}"
    )
    visit.open(DEBUG)
    assert panel_shows(visit, "pageview", "200")
    assert visit.page.locator("pre").evaluate(PLACE) == ["fixed", True, True]
    assert [text for text in complaints if "Content Security Policy" in text] == []


def test_nobody_else_sees_a_panel(visit: Visit) -> None:
    visit.open("/form")
    visit.command("identify", {"email": "ada@example.org"})
    visit.stored(2)
    assert visit.page.locator("pre").count() == 0
