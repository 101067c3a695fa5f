from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.registrable_domains import registrable_domain, share_domain


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("client.example", "client.example"),
        ("www.client.example", "client.example"),
        ("a.b.client.example", "client.example"),
        ("client.co.uk", "client.co.uk"),
        ("www.client.co.uk", "client.co.uk"),
        ("www.client.com.br", "client.com.br"),
        ("client.github.io", "client.github.io"),
        ("shop.client.myshopify.com", "client.myshopify.com"),
        ("github.io", "github.io"),
        ("co.uk", "co.uk"),
        ("a.b.co.ck", "b.co.ck"),
        ("www.ck", "www.ck"),
        ("a.www.ck", "www.ck"),
        ("a.client.nhs.uk", "client.nhs.uk"),
        ("a.client.tokyo.jp", "client.tokyo.jp"),
        ("a.client.waw.pl", "client.waw.pl"),
        ("client.blogspot.co.uk", "client.blogspot.co.uk"),
        ("a.client.s3.amazonaws.com", "client.s3.amazonaws.com"),
        ("a.school.k12.ca.us", "school.k12.ca.us"),
        ("a.client-example.translate.goog", "client-example.translate.goog"),
        ("localhost", "localhost"),
        ("192.168.1.20", "192.168.1.20"),
        ("[::1]", "[::1]"),
        ("", ""),
    ],
)
def test_the_domain_that_somebody_registered(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


@pytest.mark.parametrize(
    ("address", "other", "is_shared"),
    [
        ("https://shop.client.example/", "https://www.client.example/?a", True),
        ("https://client.co.uk/", "https://partner.co.uk/", False),
        ("https://a.github.io/", "https://b.github.io/", False),
        ("https://client.blogspot.co.uk/", "https://evil.blogspot.co.uk/", False),
        ("https://client.example/", "https://client.example.evil.example/", False),
        ("https://192.168.1.20/", "https://172.16.1.20/", False),
        ("", "", False),
        ("nothing", "nothing", False),
    ],
)
def test_two_addresses_share_a_domain_or_not(address: str, other: str, *, is_shared: bool) -> None:
    assert share_domain(address, other) is is_shared
    assert share_domain(other, address) is is_shared


LABELS = st.text("abc1-", min_size=1, max_size=3)


@given(st.lists(LABELS, min_size=1, max_size=5).map(".".join))
def test_the_domain_is_the_end_of_its_host_and_its_own_domain(host: str) -> None:
    domain = registrable_domain(host)
    assert f".{host}".endswith(f".{domain}")
    assert registrable_domain(domain) == domain


@given(LABELS)
def test_a_subdomain_changes_no_domain(label: str) -> None:
    assert registrable_domain(f"{label}.www.client.co.uk") == "client.co.uk"


@given(st.text(), st.text())
def test_whatever_comes_nothing_is_raised(address: str, other: str) -> None:
    share_domain(address, f"https://{other}")
