"""Which projects are known on a host, and which page an address is."""

from __future__ import annotations

import asyncio

import pytest

from services.core.ports import Row
from services.projects.pixel_cache import Pixel
from services.tracking.site_directory import Page, SiteDirectory, read_page
from tests.unit.memory import NOW, MemoryDatabase

PIXEL = Pixel("pixel", "a", active=True, synced=True)
ROWS: list[Row] = [
    {
        "id": "pixel",
        "project_id": "a",
        "website_url": "https://www.lp.example/a, shop.example",
        "of_pixel": '{"allowed_domains": ["x.example", "*.y.example"]}',
        "of_project": '{"allowed_domains": ["hidden.example"]}',
        "page_url": None,
    },
    {
        "id": "other",
        "project_id": "b",
        "website_url": "Bertha's Bakery",
        "of_pixel": "{",
        "of_project": None,
        "page_url": "https://lp.example/b?utm_source=news",
    },
]


class Sites(MemoryDatabase):
    """A database with those pixels."""

    async def rows(self, statement: str, *values: str | int) -> list[Row]:
        assert (bool(statement), values) == (True, ())
        return ROWS


@pytest.mark.parametrize(
    ("address", "named_by", "seen_by", "by_wildcard"),
    [
        ("https://lp.example/", {"a"}, {"b"}, set()),
        ("https://www.shop.example:8080/x", {"a"}, set(), set()),
        ("https://x.example/", {"a"}, set(), set()),
        ("https://hidden.example/", set(), set(), set()),
        ("https://z.y.example/", set(), set(), {"a"}),
        ("https://y.example/", set(), set(), set()),
        ("android-app://com.google.android.gm/", set(), set(), set()),
    ],
)
def test_a_host_is_known_by_settings_and_by_the_last_page(
    address: str, named_by: set[str], seen_by: set[str], by_wildcard: set[str]
) -> None:
    sites = SiteDirectory(Sites(), 60)
    host = asyncio.run(sites.host(address, PIXEL, NOW))
    assert (host.named_by, host.seen_by, sites.by_wildcard(address)) == (
        named_by,
        seen_by,
        by_wildcard,
    )


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("https://www.lp.example", Page("lp.example", "", ())),
        ("https://lp.example:8080/a//B/?c#d", Page("lp.example", "8080", ("a", "B"))),
        ("https://lp.example/a%2Fb/%63;d", Page("lp.example", "", ("a/b", "c"))),
        ("https://lp.example/../a/./b/%2e%2E/c%3Futm_source=x", Page("lp.example", "", ("a", "c"))),
    ],
)
def test_a_page_is_host_port_and_the_parts_of_its_path(address: str, page: Page) -> None:
    assert read_page(address) == page
