from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.web_addresses import host_of, place_of, read_host, read_web_address


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://Client.example/a?b=https://x.example/", "client.example"),
        ("http://client.example:8788", "client.example"),
        ("https://client.example.?a", "client.example"),
        ("https://client.example.:443/", "client.example"),
        ("https://[::1]:8787/", "[::1]"),
        ("https://[0:0::1]/", "[::1]"),
        ("https://user:secret@client.example/", "client.example"),
        (r"https://evil.example\@client.example/scam", "evil.example"),
        ("https://client.example@evil.example/", "evil.example"),
        ("https://client.example:443@evil.example:80/", "evil.example"),
        ("https://client.example#@evil.example/", "client.example"),
        ("https://client.example?@evil.example/", "client.example"),
        ("https://ev\til.example\n/", "evil.example"),
        (" https://client.example/", "client.example"),
        ("http:/client.example", "client.example"),
        ("https:client.example", "client.example"),
        (r"https:\\client.example\a", "client.example"),
        ("https://evil%2eexample/", "evil.example"),
        ("https://client%2f.example/", ""),
        ("https://evil\u3002example/", "evil.example"),
        ("https://\uff45vil.example/", "evil.example"),
        ("https://e\u00advil.example/", "evil.example"),
        ("https://münchen.example/", "xn--mnchen-3ya.example"),
        ("https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example"),
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://127.1:80/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("http://127.evil.example/", "127.evil.example"),
        ("http://1.2.3.256/", ""),
        ("http://09.1.1.1/", ""),
        ("https://cli ent.example/", ""),
        ("https://client.example:8o/", ""),
        ("https://[::1/", ""),
        ("https://{{host}}/", ""),
        ("https://", ""),
        ("android-app://com.google.android.gm/", ""),
        ("javascript:alert(1)//https://client.example/", ""),
        ("client.example", ""),
        ("", ""),
    ],
)
def test_the_host_is_the_one_that_a_browser_goes_to(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (r"https://evil.example\@client.example/scam", "https://evil.example/@client.example/scam"),
        ("https://client.example@evil.example/x", "https://evil.example/x"),
        ("https://user:secret@client.example:8443/", "https://client.example:8443/"),
        (r"http:\client.example\a\b?c=\d", r"http://client.example/a/b?c=\d"),
        ("https://ev%69l.example/", "https://evil.example/"),
        ("https://ev\til.exam\nple/", "https://evil.example/"),
        ("https://client.example./a", "https://client.example./a"),
        ("HTTPS://Client.example/Ä?q=a b#c", "HTTPS://Client.example/Ä?q=a b#c"),
        ("https://münchen.example/", "https://münchen.example/"),
        ("https://cli ent.example/", None),
        ("ftp://client.example/", None),
        ("https://", None),
    ],
)
def test_an_address_is_written_as_a_browser_reads_it(text: str, address: str | None) -> None:
    assert read_web_address(text) == address


@given(st.text(st.sampled_from("htps:/\\@.?#[]%2e01ax ö\t-"), max_size=30))
def test_no_text_is_too_odd(text: str) -> None:
    for odd in (text, f"https://{text}", f"https://shop.example{text}"):
        address = read_web_address(odd)
        assert (address is None) == (host_of(odd) == "")
        if address:
            assert host_of(address) == host_of(odd)
    assert read_host(read_host(text)) == read_host(text)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("https://Client.example", ("client.example", "", "")),
        ("https://client.example:443/A/b?c=/d#/e", ("client.example", "", "/A/b")),
        ("http://client.example:0080/", ("client.example", "", "/")),
        ("http://client.example:443/", ("client.example", "443", "/")),
        ("https://client.example.:/", ("client.example", "", "/")),
        (r"https:\\evil.example:8080\a@b\c", ("evil.example", "8080", "/a@b/c")),
        ("client.example/a", ("", "", "")),
    ],
)
def test_a_place_is_host_port_and_path(address: str, place: tuple[str, str, str]) -> None:
    assert place_of(address) == place
