"""Which leads may be forged."""

import json
import sqlite3

import pytest

from services.core.pending_leads import RELEASED
from services.core.ports import Row
from services.sync.suspicion import (
    BOT,
    BURST_ADDRESSES,
    BURST_FORMS,
    ONLY_EVENT,
    UNKNOWN_HOST,
    read_near,
    reasons_for_suspicion,
    was_released,
    with_addresses_of_clients,
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
        "user_agent": None,
        **columns,
    }


def test_a_lead_of_a_bots_browser_is_suspicious_and_one_that_a_program_posts_is_not() -> None:
    bot = "Mozilla/5.0 (compatible; Examplebot/1.0; +https://a.example)"
    assert reasons_for_suspicion(row(user_agent=bot)) == (BOT,)
    assert reasons_for_suspicion(row(user_agent="WordPress/6.4; https://shop.example")) == ()


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
        ("https://shop.example\\@other.example", True),
        ("https://xn--mnchen-3ya.example", False),
        ("other.example, shop.example", True),
        ("other.example shop.example", True),
        ("other.example; third.example", False),
        ("ACME GmbH", True),
        ("n/a", True),
        ("-", True),
        ("client", True),
        ("Client (shop.example)", True),
    ],
)
def test_the_hosts_of_a_pixel_are_those_of_its_website(website: str, *, is_known: bool) -> None:
    assert (reasons_for_suspicion(row(website_url=website)) == ()) is is_known


@pytest.mark.parametrize(
    "site", ["münchen.example", "https://xn--mnchen-3ya.example/", "MÜNCHEN.example."]
)
@pytest.mark.parametrize(
    "page", ["https://münchen.example/", "https://www.xn--mnchen-3ya.example./"]
)
def test_a_host_is_known_in_each_of_its_spellings(site: str, page: str) -> None:
    assert reasons_for_suspicion(row(website_url=site, page_url=page)) == ()


def test_a_link_that_leads_elsewhere_is_on_no_known_host() -> None:
    page = r"https://evil.example\@shop.example/scam"
    assert reasons_for_suspicion(row(website_url="shop.example", page_url=page)) == (UNKNOWN_HOST,)


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


def form(minute: int, email: str | None = "a@x.com", **columns: object) -> Row:
    """A form of one client in a minute of an hour."""
    return {
        "project_id": "p",
        "ip_address": "192.0.2.1",
        "timestamp": f"2026-05-01 12:{minute:02}:00",
        "email": email,
        **columns,
    }


def test_the_addresses_of_a_client_are_counted_within_minutes_of_the_lead() -> None:
    near = [
        *(form(20), form(20, " A@X.com"), form(10, "b@x.com"), form(30, "c@x.com"), form(20, None)),
        *(form(9, "d@x.com"), form(31, "e@x.com"), form(20, "f@x.com", timestamp="?")),
        form(20, "g@x.com", project_id="q"),
        form(20, "h@x.com", ip_address="192.0.2.2"),
    ]
    leads = [form(20), form(20, ip_address=None), form(20, timestamp=None), form(20, timestamp="?")]
    counted = with_addresses_of_clients(leads, near)
    assert [lead["addresses_of_client"] for lead in counted] == [3, 0, 0, 0]


def test_who_has_an_address_of_ipv6_has_all_that_begin_with_its_half() -> None:
    near = [form(20, f"{at}@x.com", ip_address=f"2001:db8::{at}") for at in range(1, 6)]
    near += [form(20, "other@x.com", ip_address="2001:db8:0:1::1")]
    near += [form(20, "mapped@x.com", ip_address="::ffff:192.0.2.1")]
    leads = [form(20, ip_address=address) for address in ("2001:db8::9:9", "2001:db8:0:1::2")]
    counted = with_addresses_of_clients([*leads, form(20)], near)
    assert [lead["addresses_of_client"] for lead in counted] == [5, 1, 1]


def near_forms(leased: list[int], forms: int = 1_000, **columns: object) -> list[int]:
    """The forms that are read for leads with these ids, among so many with all ids from 1."""
    database = sqlite3.connect(":memory:")
    names = "project_id, ip_address, timestamp, form_data, event_type"
    database.execute(f"CREATE TABLE tracking_events (id INTEGER PRIMARY KEY, {names})")
    database.execute(
        "CREATE INDEX tracking_events_by_form ON tracking_events (id)"
        " WHERE event_type = 'form_submit'"
    )
    row = {**form(0), "form_data": "{", "event_type": "form_submit", **columns}
    values = tuple(row[name] for name in names.split(", "))
    for number in range(1, forms + 1):
        database.execute("INSERT INTO tracking_events VALUES (?, ?, ?, ?, ?, ?)", (number, *values))
    rows = database.execute(read_near(", ".join(map(str, leased)))).fetchall()
    database.close()
    return [number for number, *_ in rows]


def test_forms_on_either_side_of_a_lead_are_read() -> None:
    assert sorted(near_forms([500])) == list(range(500 - BURST_FORMS, 500 + BURST_FORMS + 1))
    assert near_forms([500], event_type="pageview") == []
    assert near_forms([500], ip_address=None) == []


def test_leads_beside_each_other_read_each_form_once() -> None:
    numbers = near_forms(list(range(500, 550)))
    assert sorted(numbers) == list(range(500 - BURST_FORMS, 550 + BURST_FORMS))


def test_leads_far_from_each_other_read_nothing_between_their_sides() -> None:
    numbers = near_forms([100, 900])
    assert len(numbers) == len(set(numbers)) == 2 * (2 * BURST_FORMS + 1)
