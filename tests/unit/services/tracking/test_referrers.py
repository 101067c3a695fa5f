"""Whose page the page before is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from services.core.ports import Row
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import PixelRules
from services.tracking.attribution import Touch, TouchOrigin
from services.tracking.events import Event, check_event
from services.tracking.referrers import READ_SITES, with_own_referrer
from tests.unit.memory import MemoryDatabase

PIXEL = Pixel("pixel", "own", active=True, synced=True)
CAMPAIGN = "?gclid=1"


class Sites(MemoryDatabase):
    """A database with rows of sites, which counts how often they are read."""

    def __init__(self, *sites: Row) -> None:
        super().__init__()
        self.sites = sites
        self.lookups = 0

    async def rows(self, sql: str, *values: str | int) -> list[Row]:
        assert (sql, len(values)) == (READ_SITES, 3)
        self.lookups += 1
        return list(self.sites)


def site(project: str, **columns: object) -> Row:
    """A row of a pixel's site."""
    names = ("website_url", "of_pixel", "of_project", "page_url")
    return {"project_id": project, **dict.fromkeys(names), **columns}


def arrival(referrer: str, page: str = "https://shop.example/") -> Event:
    """An event with a page before it."""
    fields = {"pixel_id": "12345678", "page_url": page, "event_type": "pageview"}
    return check_event({**fields, "referrer_url": referrer}, "pxl_0123456789abcdef")


def prepared(event: Event, *sites: Row, rules: PixelRules = PIXEL.rules) -> tuple[Event, int]:
    """The event as it is stored, and the number of lookups."""
    database = Sites(*sites)
    pixel = replace(PIXEL, rules=rules)
    return asyncio.run(with_own_referrer(database, event, pixel)), database.lookups


RULES = PixelRules(("shop.example", "landing.example", "*.landings.example"))


@pytest.mark.parametrize(
    ("referrer", "is_counted", "lookups"),
    [
        (f"https://shop.example/{CAMPAIGN}", True, 0),
        (f"https://www.shop.example/{CAMPAIGN}", True, 0),
        (f"https://shop.example:8443/{CAMPAIGN}", True, 0),
        (f"https://landing.example/{CAMPAIGN}", True, 0),
        (f"https://a.landings.example/{CAMPAIGN}", True, 0),
        (f"https://blog.shop.example/{CAMPAIGN}", True, 1),
        (f"https://partner.example/{CAMPAIGN}", False, 1),
        (f"https://landing.example.evil.example/{CAMPAIGN}", False, 1),
        (rf"https://partner.example\@shop.example/{CAMPAIGN}", False, 1),
        ("https://partner.example/", False, 0),
        ("https://partner.example/?q=words", False, 0),
        ("https://partner.example/p#gclid=1", False, 1),
        ("https://blog.shop.example/p#gclid=1", True, 1),
    ],
)
def test_the_parameters_of_another_sites_page_are_no_touch(
    referrer: str, *, is_counted: bool, lookups: int
) -> None:
    event = arrival(referrer)
    stored, number = prepared(event, rules=RULES)
    assert (stored.touch is not None, number) == (is_counted, lookups)
    assert stored.referrer_url == event.referrer_url
    origins: tuple[TouchOrigin, ...] = ("page_url", "body")
    for origin in origins:
        other = replace(event, touch=Touch(origin, gclid="2"))
        assert prepared(other, rules=RULES)[0].touch == other.touch


BESIDE = f"https://other.shop.example/{CAMPAIGN}"


@pytest.mark.parametrize(
    "foreign_site",
    [
        site("other", website_url="https://other.shop.example"),
        site("other", website_url="other.shop.example, x.example"),
        site("other", of_pixel='{"allowed_domains": ["other.shop.example"]}'),
        site("other", of_project='{"allowed_domains": ["*.shop.example"]}'),
        site("other", page_url="https://www.other.shop.example:8443/contact"),
    ],
)
def test_the_page_of_another_project_brings_nothing(foreign_site: Row) -> None:
    stored, _ = prepared(arrival(BESIDE), foreign_site)
    assert (stored.touch, stored.referrer_url) == (None, "https://other.shop.example/")
    page = f"https://shop.example/{CAMPAIGN}"
    stored, _ = prepared(arrival(BESIDE, page=page), foreign_site)
    assert stored.touch == arrival(page, page=page).touch
    assert stored.referrer_url == "https://other.shop.example/"


@pytest.mark.parametrize("referrer", ["https://other.shop.example/?p=12", f"{BESIDE}#/route"])
def test_the_page_of_another_project_is_stored_without_what_is_behind_its_path(
    referrer: str,
) -> None:
    stored, lookups = prepared(
        arrival(referrer), site("other", website_url="https://other.shop.example")
    )
    assert (stored.touch, stored.referrer_url, lookups) == (None, "https://other.shop.example/", 1)


@pytest.mark.parametrize(
    "sites",
    [
        (),
        (site("other", website_url="https://shop.example"),),
        (site("other", website_url="ACME", of_pixel="{", page_url="?"),),
        (site("own", page_url="https://other.shop.example/"),),
        (
            site("other", page_url="https://other.shop.example/"),
            site("own", website_url="https://other.shop.example/"),
        ),
    ],
)
def test_a_page_that_is_known_as_nobody_elses_is_an_own_one(sites: tuple[Row, ...]) -> None:
    stored, _ = prepared(arrival(BESIDE), *sites)
    assert stored == arrival(BESIDE)
