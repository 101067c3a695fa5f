"""Which leads may be forged."""

import json

import pytest

from services.core.pending_leads import RELEASED
from services.core.ports import Row
from services.sync.suspicion import (
    BURST_ADDRESSES,
    ONLY_EVENT,
    UNKNOWN_HOST,
    reasons_for_suspicion,
    was_released,
)


def row(**columns: object) -> Row:
    """A lead that nothing speaks against, but for these columns."""
    return {
        "has_other_events": 1,
        "addresses_of_client": 1,
        "page_url": "https://shop.example/contact",
        "website_url": None,
        "configuration": None,
        "pixel_configuration": None,
        "suspicious": None,
        **columns,
    }


def test_an_ordinary_lead_is_not_suspicious() -> None:
    assert reasons_for_suspicion(row()) == ()


def test_every_reason_is_given() -> None:
    reasons = reasons_for_suspicion(
        row(
            has_other_events=0,
            addresses_of_client=BURST_ADDRESSES,
            website_url="https://other.example",
        )
    )
    assert reasons[:2] == (ONLY_EVENT, UNKNOWN_HOST)
    assert reasons[2].startswith("5 different addresses")
    assert reasons_for_suspicion(row(addresses_of_client=BURST_ADDRESSES - 1)) == ()


@pytest.mark.parametrize(
    ("website", "is_known"),
    [
        ("https://shop.example", True),
        ("https://www.shop.example/en", True),
        ("shop.example", True),
        ("https://blog.shop.example", True),
        ("https://op.example", False),
        ("localhost:3000", False),
        ("", True),
        (None, True),
        ("https://[", True),
    ],
)
def test_the_hosts_of_a_pixel_are_those_of_its_website(website: str, *, is_known: bool) -> None:
    assert (reasons_for_suspicion(row(website_url=website)) == ()) is is_known


def test_allowed_domains_say_it_better_than_the_website() -> None:
    rules = json.dumps({"allowed_domains": ["*.example"]})
    for name in ("configuration", "pixel_configuration"):
        lead = row(website_url="https://other.test", **{name: rules})
        assert reasons_for_suspicion(lead) == ()


@pytest.mark.parametrize("odd", [None, "", "{", "[]", '{"allowed_domains": 7}'])
def test_an_odd_configuration_says_nothing(odd: str | None) -> None:
    assert reasons_for_suspicion(row(configuration=odd, pixel_configuration=odd)) == ()


def test_a_network_is_no_client() -> None:
    many = row(addresses_of_client=BURST_ADDRESSES, configuration='{"ip_anonymization": true}')
    assert reasons_for_suspicion(many) == ()


def test_a_person_who_released_a_lead_does_not_see_it_again() -> None:
    for suspicious in (None, "[]", json.dumps([ONLY_EVENT])):
        assert not was_released(row(suspicious=suspicious))
    assert was_released(row(suspicious=json.dumps([ONLY_EVENT, RELEASED])))
