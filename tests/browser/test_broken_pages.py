"""The worst pages: what the pixel would use is missing, broken or replaced. The page goes on."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from tests.browser.client_site import FORM, Visit, script, until, with_pixel
from tests.browser.troubles import Troubles

ADA = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"}
TO_START_SECONDS = 0.3
BODY = f"""{FORM}<button type="button" onclick="document.title = 'clicked'">Own</button>"""


def throws(function: str) -> str:
    return f"{function} = function () {{ throw new Error('broken'); }}"


def answers(name: str, code: str = "throw new Error('broken')") -> str:
    return f"Object.defineProperty(window, '{name}', {{ configurable: true, get() {{ {code} }} }})"


def without(*names: str) -> str:
    return ";".join(f"delete {name}" for name in names)


# The page view and the whole lead are stored all the same.
HARMLESS: Mapping[str, str] = {
    "fetch missing": without("window.fetch"),
    "fetch throws": throws("window.fetch"),
    "fetch is an object": "window.fetch = {}",
    "fetch returns nothing": "window.fetch = () => {}",
    "localStorage throws": answers("localStorage"),
    "localStorage is null": answers("localStorage", "return null"),
    "localStorage is full": """for (let size = 2 ** 23; size >= 1; size /= 2)
        try { localStorage["full" + size] = "x".repeat(size); } catch {}""",
    "sessionStorage throws": answers("sessionStorage"),
    "JSON.parse throws": throws("JSON.parse"),
    "Array.prototype.toJSON": "Array.prototype.toJSON = function () { return 'old'; }",
    "Array.prototype extended": "Array.prototype.each = function () {}",
    "Object.prototype extended": "Object.prototype.extend = function () {}",
    "Array.prototype without its functions": without(
        *(f"Array.prototype.{name}" for name in ("filter", "forEach", "some", "splice", "concat"))
    ),
    "Array.from replaced": "Array.from = () => []",
    "pushState missing": without("History.prototype.pushState"),
    "pushState throws": throws("History.prototype.pushState"),
    "history frozen": "Object.freeze(history)",
    "attachShadow missing": without("Element.prototype.attachShadow"),
    "composedPath missing": without("Event.prototype.composedPath"),
    "XMLHttpRequest missing": without("window.XMLHttpRequest"),
    "XMLHttpRequest replaced": "window.XMLHttpRequest = function () {}",
    "Promise missing": without("window.Promise"),
    "catch missing": without("Promise.prototype.catch"),
    "cookies throw": """Object.defineProperty(document, "cookie", {
        get() { throw new Error("broken"); }, set() { throw new Error("broken"); } })""",
    "performance missing": answers("performance", "return undefined"),
    "performance.navigation missing": without("Performance.prototype.navigation"),
    "apply throws": throws("Function.prototype.apply"),
    "console missing": without("window.console"),
    "prototypes frozen": """for (const { prototype } of [Element, HTMLFormElement, Event, History])
        Object.freeze(prototype)""",
    "submit throws": throws("HTMLFormElement.prototype.submit"),
    "setInterval throws": throws("window.setInterval"),
    "ppp is a string": "window.ppp = 'mine'",
    "ppp is null": "window.ppp = null",
}
# What is reported is not promised.
HARD: Mapping[str, str] = {
    "fetch rejects": "window.fetch = () => Promise.reject(new Error('blocked'))",
    "fetch never ends": "window.fetch = () => new Promise(() => {})",
    "fetch throws when it is looked at": answers("fetch"),
    "fetch answers nothing": "window.fetch = () => Promise.resolve()",
    "fetch and sendBeacon missing": without("window.fetch", "Navigator.prototype.sendBeacon"),
    "JSON missing": without("window.JSON"),
    "JSON.stringify throws": throws("JSON.stringify"),
    "map missing": without("Array.prototype.map"),
    "map throws": throws("Array.prototype.map"),
    "slice and join missing": without("Array.prototype.slice", "Array.prototype.join"),
    "arrays cannot be gone through": without("Array.prototype[Symbol.iterator]"),
    "history missing": answers("history", "return undefined"),
    "closest throws": throws("Element.prototype.closest"),
    "crypto missing": answers("crypto", "return undefined"),
    "crypto throws": throws("Crypto.prototype.getRandomValues"),
    "then throws": throws("Promise.prototype.then"),
    "addEventListener throws": throws("EventTarget.prototype.addEventListener"),
    "setTimeout throws": throws("window.setTimeout"),
    "querySelector missing": without("Document.prototype.querySelector"),
    "texts without their functions": without(
        *(f"String.prototype.{name}" for name in ("includes", "padStart", "replace", "split"))
    ),
    "test throws": throws("RegExp.prototype.test"),
    "exec throws": throws("RegExp.prototype.exec"),
    "BigUint64Array missing": without("window.BigUint64Array"),
    "URL missing": without("window.URL"),
    "Date.now missing": without("Date.now"),
}


def open_broken(visit: Visit, code: str) -> Troubles:
    troubles = Troubles(visit.page)
    visit.site.pages["/"] = with_pixel(BODY, script(code))
    visit.page.goto(visit.site.url)
    return troubles


def use(visit: Visit) -> None:
    """Does what the page is for: its own button, and its form."""
    visit.page.get_by_role("button", name="Own").click()
    assert visit.page.title() == "clicked"
    visit.submit()


@pytest.mark.parametrize("code", HARMLESS.values(), ids=HARMLESS)
def test_the_page_goes_on_and_the_lead_is_reported(visit: Visit, code: str) -> None:
    troubles = open_broken(visit, code)
    assert until(lambda: visit.rows("pageview")), "no page view was stored"
    use(visit)
    assert until(lambda: visit.rows("form_submit")), "no lead was stored"
    assert [json.loads(str(row["form_data"])) for row in visit.rows("form_submit")] == [ADA]
    assert troubles.taken() == []


@pytest.mark.parametrize("code", HARD.values(), ids=HARD)
def test_the_page_goes_on_whatever_is_reported(visit: Visit, code: str) -> None:
    troubles = open_broken(visit, code)
    time.sleep(TO_START_SECONDS)
    use(visit)
    assert troubles.taken() == []


def test_the_browser_would_have_told_of_an_exception(visit: Visit) -> None:
    troubles = open_broken(visit, "setTimeout(() => { throw new Error('seen'); })")
    assert until(lambda: len(troubles) >= 2)
    assert any("seen" in trouble for trouble in troubles.taken())
