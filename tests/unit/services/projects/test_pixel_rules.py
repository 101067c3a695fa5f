from collections.abc import Mapping

import pytest

from services.projects.pixel_rules import PixelRules, declines, read_rules


@pytest.mark.parametrize(
    ("domains", "page_url", "is_allowed"),
    [
        ((), "https://anywhere.example/", True),
        (("shop.example",), "https://shop.example/a?b", True),
        (("shop.example",), "http://SHOP.example:8080/", True),
        (("shop.example",), "https://www.shop.example/", False),
        (("shop.example",), "https://notshop.example/", False),
        (("shop.example",), "https://shop.example.evil.example/", False),
        (("shop.example",), "https://evil.example/?shop.example", False),
        (("shop.example",), "https://shop.example@evil.example/", False),
        (("*.shop.example",), "https://a.b.shop.example/", True),
        (("*.shop.example",), "https://shop.example/", False),
        (("*.shop.example",), "https://evilshop.example/", False),
        (("shop.example", "localhost"), "http://localhost:3000/", True),
        (("shop.example",), "https://[broken/", False),
    ],
)
def test_an_event_comes_from_an_allowed_domain(
    domains: tuple[str, ...], page_url: str, *, is_allowed: bool
) -> None:
    rules = PixelRules(allowed_domains=domains)
    assert rules.allow(page_url) == is_allowed
    assert rules.covers(page_url) == (is_allowed and bool(domains))


@pytest.mark.parametrize(
    ("address", "stored"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("no address", None),
        (None, None),
    ],
)
def test_only_the_network_of_an_address_is_stored(address: str | None, stored: str | None) -> None:
    assert PixelRules(anonymizes_addresses=True).stored_address(address) == stored
    assert PixelRules().stored_address(address) == address


def test_the_settings_of_a_pixel_override_those_of_its_project() -> None:
    project = {"session_minutes": 60, "respect_dnt": True, "allowed_domains": ["shop.example"]}
    rules = read_rules(project, {"session_minutes": 5, "allowed_domains": ["Blog.example"]})
    assert rules == PixelRules(("blog.example",), respects_dnt=True, session_minutes=5)


@pytest.mark.parametrize(
    "configuration",
    [
        {"allowed_domains": "shop.example", "session_minutes": "30", "respect_dnt": None},
        {"allowed_domains": [1, None], "session_minutes": True, "ip_anonymization": "no"},
        {"allowed_domains": {}, "session_minutes": -1, "ip_anonymization": 0},
    ],
)
def test_what_cannot_be_read_is_as_if_it_were_not_there(
    configuration: Mapping[str, object],
) -> None:
    assert read_rules(configuration, {}) == PixelRules()


@pytest.mark.parametrize(
    ("headers", "is_declined"),
    [({}, False), ({"dnt": "0"}, False), ({"dnt": "1"}, True), ({"sec-gpc": "1"}, True)],
)
def test_a_visitor_declines_by_either_header(
    headers: Mapping[str, str], *, is_declined: bool
) -> None:
    assert declines(headers.get) == is_declined
