"""Who sends an event, by what the browser says itself."""

import pytest

from services.projects.pixel_rules import PixelRules
from services.tracking.senders import may_send, sender_of

OWN = "https://pixel.agency.example"
RULES = PixelRules(allowed_domains=("shop.example", "*.partner.example"))
PAGE = "https://shop.example/contact"


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({}, None),
        ({"origin": "https://a.example"}, "https://a.example"),
        ({"origin": "https://a.example", "referer": "https://b.example/"}, "https://a.example"),
        ({"origin": "null", "referer": "https://b.example/"}, "https://b.example/"),
        ({"origin": "null"}, None),
        ({"origin": "HTTPS://A.example"}, "HTTPS://A.example"),
        ({"origin": "capacitor://localhost"}, None),
        ({"origin": "file://"}, None),
        ({"referer": "about:client"}, None),
        ({"origin": "https://["}, None),
        ({"origin": "http://localhost:3000"}, None),
        ({"origin": "http://app.localhost"}, None),
        ({"origin": "http://127.0.0.1:5500"}, None),
        ({"origin": "http://[::1]"}, None),
        ({"referer": "https://shop-example.cdn.ampproject.org/"}, None),
        ({"origin": "https://shop-example.translate.goog"}, None),
        ({"origin": "https://translate.goog.evil.example"}, "https://translate.goog.evil.example"),
        ({"referer": f"{OWN}/e/page.gif"}, None),
        ({"origin": OWN, "referer": "https://b.example/"}, "https://b.example/"),
    ],
)
def test_only_another_site_is_evidence(headers: dict[str, str], sender: str | None) -> None:
    assert sender_of(headers.get, OWN) == sender


@pytest.mark.parametrize(
    ("sender", "is_taken"),
    [
        (None, True),
        ("https://shop.example", True),
        ("https://shop.example:8443", True),
        ("https://shop.example.", True),
        ("https://www.shop.example", True),
        ("https://forms.shop.example/x", True),
        ("https://a.partner.example", True),
        ("https://partner.example", False),
        ("https://evil.example", False),
        ("https://shop.example.evil.example", False),
        ("https://evilshop.example", False),
    ],
)
def test_a_sender_is_on_the_domains_of_the_pixel_or_of_the_page(
    sender: str | None, *, is_taken: bool
) -> None:
    assert may_send(RULES, sender, PAGE) is is_taken


def test_neighbours_on_a_shared_domain_are_strangers() -> None:
    rules = PixelRules(allowed_domains=("shop.co.uk",))
    assert not may_send(rules, "https://evil.co.uk", "https://shop.co.uk/")


def test_without_allowed_domains_everybody_may_send() -> None:
    assert may_send(PixelRules(), "https://evil.example", PAGE)
