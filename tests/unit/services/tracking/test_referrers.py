"""Whose page the page before is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.core.ports import Row
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import PixelRules
from services.tracking.attribution import Touch, TouchOrigin
from services.tracking.events import Event, check_event
from services.tracking.referrers import READ_SEEN, Referrers
from services.tracking.site_directory import READ_SITES, SiteDirectory
from tests.unit.memory import NOW, MemoryDatabase

PIXEL = Pixel("pixel", "own", active=True, synced=True)
CAMPAIGN = "?gclid=1"


class Sites(MemoryDatabase):
    """A database with rows of sites and of seen pages, which notes what is read."""

    def __init__(self, *rows: Row) -> None:
        super().__init__()
        self.sites = [*(row for row in rows if "id" in row), site("own", id=PIXEL.id)]
        self.seen_pages = [row for row in rows if "id" not in row]
        self.read: list[str] = []

    async def rows(self, sql: str, *values: str | int) -> list[Row]:
        self.read.append("sites" if sql == READ_SITES else "seen")
        assert (sql, len(values)) in {(READ_SITES, 0), (READ_SEEN, 2)}
        return self.sites if sql == READ_SITES else self.seen_pages


def site(project: str, **columns: object) -> Row:
    """A row of a pixel's site."""
    names = ("website_url", "of_pixel", "of_project", "page_url")
    return {"id": f"of {project}", "project_id": project, **dict.fromkeys(names), **columns}


def seen_page(project: str, page: str) -> Row:
    """A row of a page on which the visitor was seen with a project."""
    return {"project_id": project, "page_url": page}


def arrival(referrer: str, page: str = "https://shop.example/") -> Event:
    """An event with a page before it."""
    fields = {"pixel_id": "12345678", "page_url": page, "event_type": "pageview"}
    return check_event({**fields, "referrer_url": referrer}, "pxl_0123456789abcdef")


def prepared(event: Event, *rows: Row, rules: PixelRules = PIXEL.rules) -> tuple[Event, list[str]]:
    """The event as it is stored, and what was read for it."""
    database = Sites(*rows)
    referrers = Referrers(database, SiteDirectory(database, 60))
    pixel = replace(PIXEL, rules=rules)
    return asyncio.run(referrers.with_own_referrer(event, pixel, NOW)), database.read


RULES = PixelRules(("shop.example", "landing.example", "*.landings.example"))


@pytest.mark.parametrize(
    ("referrer", "is_counted", "read"),
    [
        (f"https://shop.example/{CAMPAIGN}", True, ["sites"]),
        (f"https://www.shop.example/{CAMPAIGN}", True, ["sites"]),
        (f"https://shop.example:8443/{CAMPAIGN}", True, ["sites"]),
        (f"https://landing.example/{CAMPAIGN}", True, ["sites"]),
        (f"https://a.landings.example/{CAMPAIGN}", True, ["sites"]),
        (f"https://blog.shop.example/{CAMPAIGN}", True, ["sites", "seen"]),
        (f"https://partner.example/{CAMPAIGN}", False, ["sites", "seen"]),
        (f"https://landing.example.evil.example/{CAMPAIGN}", False, ["sites", "seen"]),
        (rf"https://partner.example\@shop.example/{CAMPAIGN}", False, ["sites", "seen"]),
        ("https://shop.example/prices", False, []),
        ("https://landing.example/", False, []),
        ("https://partner.example/", False, []),
        ("https://partner.example/?q=words", False, []),
        ("https://partner.example/p#gclid=1", False, ["sites", "seen"]),
        ("https://blog.shop.example/p#gclid=1", True, ["sites", "seen"]),
    ],
)
def test_the_parameters_of_another_sites_page_are_no_touch(
    referrer: str, *, is_counted: bool, read: list[str]
) -> None:
    event = arrival(referrer)
    stored, was_read = prepared(event, rules=RULES)
    assert (stored.touch is not None, was_read) == (is_counted, read)
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
        seen_page("other", "https://www.other.shop.example:8443/contact"),
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
    stored, read = prepared(
        arrival(referrer), site("other", website_url="https://other.shop.example")
    )
    assert (stored.touch, stored.referrer_url) == (None, "https://other.shop.example/")
    assert read == ["sites"]


@pytest.mark.parametrize(
    "sites",
    [
        (),
        (site("other", website_url="https://shop.example"),),
        (site("other", website_url="ACME", of_pixel="{", page_url="?"),),
        (site("own", page_url="https://other.shop.example/"),),
        (
            site("own", of_pixel='{"allowed_domains": ["other.shop.example"]}'),
            seen_page("other", "https://other.shop.example/"),
        ),
        (
            site("other", page_url="https://other.shop.example/"),
            seen_page("own", "https://other.shop.example/?x=1"),
        ),
        (
            site("other", page_url="https://other.shop.example/"),
            site("own", website_url="https://other.shop.example/"),
        ),
    ],
)
def test_a_page_that_is_known_as_nobody_elses_is_an_own_one(sites: tuple[Row, ...]) -> None:
    stored, _ = prepared(arrival(BESIDE), *sites)
    assert stored == arrival(BESIDE)


def on_host(own_path: str, other_path: str) -> tuple[Row, Row]:
    """Two projects with their sites on one host."""
    return (
        site("own", website_url=f"https://lp.agency.example{own_path}"),
        site("other", website_url=f"https://lp.agency.example{other_path}"),
    )


PAGE = "https://lp.agency.example/b/page"


def is_counted(referrer: str, *rows: Row, page: str = PAGE) -> bool:
    """Whether the campaign of a page before counts, and so all of its address is stored."""
    event = arrival(referrer, page)
    stored, _ = prepared(event, *rows)
    assert (stored.touch is None) == (stored.referrer_url != event.referrer_url)
    return stored.touch is not None


@pytest.mark.parametrize(
    ("own_path", "other_path", "path", "expected"),
    [
        ("/b", "/a", "/b", True),
        ("/b", "/a", "/b/", True),
        ("/b/", "/a/", "/b", True),
        ("/b", "/a", "/b/more/index.html", True),
        ("/b", "/a", "/%62/more", True),
        ("/b", "/a", "/a/../b", True),
        ("/b", "/a", "//b", True),
        ("/b", "/a", "/a", False),
        ("/b", "/a", "/A/page", False),
        ("/b", "/a", "/a%2Fpage", False),
        ("/b", "/a", "/b/../a", False),
        ("/b", "/a", "/b/%2e%2e/a", False),
        ("/b", "/a", r"/b/..\a", False),
        ("/b", "/a", "/bb", False),
        ("/b", "/a", "/c", False),
        ("/b", "/a", "/", False),
        ("/a", "/ab", "/ab", False),
        ("/a", "/ab", "/a", True),
        ("", "/a", "/", True),
        ("", "/a", "/b", True),
        ("/", "/a", "/a", False),
        ("", "/a/index.html", "/a/page", False),
        ("/b/index.html", "", "/b/page", False),
        ("/john.doe", "/john.smith", "/john.smith", False),
        ("/john.doe", "/jane", "/john.smith", False),
        ("/b", "", "/b", True),
        ("/b", "", "/c", False),
        ("/b", "/b/a", "/b/a", False),
        ("/b", "/b/a", "/b", True),
        ("/b", "/b", "/b", False),
        ("/b", "/B", "/b", False),
        ("?client=b", "?client=a", "/", True),
        ("/b", ":8080/b", "/b", False),
    ],
)
def test_on_a_shared_host_the_longest_path_of_a_site_has_the_page(
    own_path: str, other_path: str, path: str, *, expected: bool
) -> None:
    referrer = f"https://lp.agency.example{path}{CAMPAIGN}"
    assert is_counted(referrer, *on_host(own_path, other_path)) == expected
    assert (
        is_counted(referrer.replace("lp.", "WWW.LP."), *on_host(own_path, other_path)) == expected
    )
    assert is_counted(
        referrer.replace("example/", "example:443/"), *on_host(own_path, other_path)
    ) == (expected)


@pytest.mark.parametrize(
    "other_site",
    [
        site("other", website_url="lp.agency.example/a"),
        site("other", website_url="https://lp.agency.example:8080/"),
    ],
)
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://lp.agency.example/x/?utm_source=news", True),
        ("https://lp.agency.example/x#top", True),
        ("http://www.lp.agency.example:80/x", True),
        ("https://lp.agency.example/X", False),
        ("https://lp.agency.example/x/y", False),
        ("https://lp.agency.example:8443/x", False),
        ("https://agency.example/x?lp.agency.example/x", False),
    ],
)
def test_without_such_a_path_a_page_that_the_visitor_saw_with_the_project_is_its(
    other_site: Row, address: str, *, expected: bool
) -> None:
    referrer = f"https://lp.agency.example/x{CAMPAIGN}"
    is_another_port = str(other_site["website_url"]).endswith(":8080/")
    assert not is_counted(referrer, other_site)
    assert not is_counted(referrer, other_site, seen_page("other", address))
    assert is_counted(referrer, other_site, seen_page("own", address)) == (
        expected and not is_another_port
    )


@pytest.mark.parametrize(
    "other_site",
    [
        site("other", page_url="https://lp.agency.example/a"),
        site("other", website_url="https://lp.agency.example/"),
        site("other", of_pixel='{"allowed_domains": ["lp.agency.example"]}'),
        site("other", of_project='{"allowed_domains": ["*.agency.example"]}'),
    ],
)
def test_of_a_host_of_which_nobody_has_a_path_a_page_is_its_who_had_the_visitor(
    other_site: Row,
) -> None:
    referrer = f"https://lp.agency.example/x{CAMPAIGN}"
    page = "https://lp.agency.example/x"
    assert is_counted(referrer, other_site)
    assert not is_counted(referrer, other_site, seen_page("other", page))
    assert is_counted(referrer, other_site, seen_page("own", page))


def test_a_page_that_the_visitor_saw_with_the_project_is_not_its_on_the_path_of_another() -> None:
    referrer = f"https://lp.agency.example/a/x{CAMPAIGN}"
    rows = (*on_host("", "/a"), seen_page("own", "https://lp.agency.example/a/x"))
    assert not is_counted(referrer, *rows)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("x.a.agency.example", False),
        ("shop.b.agency.example", True),
        ("c.agency.example", True),
        ("agency.example", False),
    ],
)
def test_what_is_below_the_host_of_another_client_is_that_clients(
    host: str, *, expected: bool
) -> None:
    rows = (
        site("own", website_url="https://b.agency.example"),
        site("other", website_url="https://a.agency.example"),
        site("third", website_url="https://agency.example"),
    )
    page = "https://b.agency.example/"
    assert is_counted(f"https://{host}/p{CAMPAIGN}", *rows, page=page) == expected


WILDCARD = '{"allowed_domains": ["*.agency.example"]}'
EXACT = '{"allowed_domains": ["a.agency.example"]}'


@pytest.mark.parametrize(
    "exact",
    [
        {"website_url": "https://a.agency.example/start"},
        {"website_url": "a.agency.example"},
        {"of_pixel": EXACT},
        {"of_project": EXACT},
    ],
)
def test_who_names_a_host_comes_before_those_who_name_all_of_a_domain(
    exact: dict[str, str],
) -> None:
    referrer = f"https://a.agency.example/{CAMPAIGN}"
    rules = PixelRules(("*.agency.example",))
    event = arrival(referrer, "https://b.agency.example/")
    rows = (site("own", of_pixel=WILDCARD), site("other", **exact))
    stored, _ = prepared(event, *rows, rules=rules)
    assert (stored.touch, stored.referrer_url) == (None, "https://a.agency.example/")
    # And the other way round.
    rows = (site("other", of_pixel=WILDCARD), site("own", **exact))
    assert is_counted(referrer, *rows, page="https://a.agency.example/form")


def test_the_sites_are_read_once_while_they_are_remembered() -> None:
    database = Sites(site("other", website_url="https://other.example"))
    referrers = Referrers(database, SiteDirectory(database, 60))
    event = arrival(f"https://shop.example/{CAMPAIGN}")

    def reads(after_seconds: int, pixel: Pixel = PIXEL) -> int:
        database.read.clear()
        now = NOW + timedelta(seconds=after_seconds)
        stored = asyncio.run(referrers.with_own_referrer(event, pixel, now))
        assert stored == event
        return len(database.read)

    assert [reads(0), reads(30), reads(59), reads(60), reads(61)] == [1, 0, 0, 1, 0]
    # A pixel that is not among them is newer than they are.
    database.sites.append(site("own", id="new"))
    new = replace(PIXEL, id="new")
    assert [reads(62, new), reads(63, new), reads(64)] == [1, 0, 0]
