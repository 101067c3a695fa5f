import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.email_addresses import read_email, spellings, visible

JANE = "jane@example.com"
# As keyboards for Chinese and Japanese write it.
WIDE = {letter: letter + 0xFEE0 for letter in range(0x21, 0x7F)}
MUNICH = "jane@xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    "typed",
    [
        " Jane@Example.COM\n",
        # What nobody sees, at the ends and inside.
        "\u200bjane@example.com",
        "jane@example.com\u200e",
        "jane@\u2060example.com",
        "jane@exam\u00adple.com",
        "ja\u200cne@example\u200d.com",
        "\ufeffjane@example.com\u202c",
        "\u2068jane@example.com\u2069",
        "\u202ajane@example.com",
        "jane@example\u061c.com",
        "jane\ufe0f@example.com",
        "\u00a0jane@example.com\u3000",
        # A keyboard for Chinese or Japanese.
        JANE.translate(WIDE),
        "jane﹫example。com",
        "jane@example｡com",
        # What is copied along.
        "mailto:jane@example.com",
        "MAILTO: Jane@example.com",
        "<jane@example.com>",
        '"jane@example.com"',
        "(jane@example.com)",
        "Jane <jane@example.com>",
        '"Doe, Jane" <jane@example.com>;',
        "Jane Doe <mailto:jane@example.com>",
        "jane@example.com.",
        "jane@example.com,",
        "jane@example.com;",
    ],
)
def test_an_address_is_what_the_person_meant(typed: str) -> None:
    assert read_email(typed) == JANE


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("jane@münchen.example", MUNICH),
        ("Jane@MÜNCHEN.example", MUNICH),
        (unicodedata.normalize("NFD", "jane@münchen.example"), MUNICH),
        ("jane@xn--mnchen-3ya.example", MUNICH),
        ("jane@XN--MNCHEN-3YA.Example", MUNICH),
        ("jane@mün\u00adchen.example", MUNICH),
        ("jane@\uff4dünchen。example", MUNICH),
        ("jane@mail.münchen.example", "jane@mail.xn--mnchen-3ya.example"),
        ("jane@straße.example", "jane@xn--strae-oqa.example"),
        ("jane@STRAẞE.example", "jane@xn--strae-oqa.example"),
        ("jane@strasse.example", "jane@strasse.example"),
        ("info@παράδειγμα.gr", "info@xn--hxajbheg2az3al.gr"),
        ("info@ΟΔΟΣ.gr", "info@xn--pxavbq.gr"),
        ("info@пример.рф", "info@xn--e1afmkfd.xn--p1ai"),
        ("info@例え.jp", "info@xn--r8jz45g.jp"),
        ("info@مثال.example", "info@xn--mgbh0fb.example"),
        # The standard forbids it; name servers do not.
        ("me@foo_ü.example", "me@xn--foo_-3ra.example"),
        # The part in front of the @ is the mailbox's own business.
        ("josé@example.com", "josé@example.com"),
        (unicodedata.normalize("NFD", "josé@example.com"), "josé@example.com"),
        ("josé@münchen.example", "josé@xn--mnchen-3ya.example"),
        ("jane@foo_bar.münchen.example", "jane@foo_bar.xn--mnchen-3ya.example"),
    ],
)
def test_a_domain_has_one_spelling(typed: str, stored: str) -> None:
    assert read_email(typed) == stored
    assert read_email(stored) == stored


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (JANE, (JANE,)),
        ("josé@example.com", ("josé@example.com",)),
        (MUNICH, (MUNICH, "jane@münchen.example")),
        (
            "jane@mail.xn--mnchen-3ya.example",
            ("jane@mail.xn--mnchen-3ya.example", "jane@mail.münchen.example"),
        ),
        ("me@xn--foo_-3ra.example", ("me@xn--foo_-3ra.example", "me@foo_ü.example")),
        ("jane@xn--.example", ("jane@xn--.example", "jane@.example")),
        ("jane@xn--99999999.example", ("jane@xn--99999999.example",)),
    ],
)
def test_an_address_can_be_spelled_both_ways(stored: str, expected: tuple[str, ...]) -> None:
    assert spellings(stored) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "@", "jane", "jane@", "@example.com", "jane@example", "jane@@example.com"),
        *("jane@example..com", "jane doe@example.com", "Jane <jane@example.com> or Bob"),
        *("jane@example.com, bob@example.com", "mailto:", "\u200b@\u200b"),
        f"{'j' * 250}@example.com",
        f"j@{''.join(map(chr, range(0x4E00, 0x4E00 + 240)))}.example",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert read_email(text) is None


def test_a_text_can_be_searched_for_an_address() -> None:
    assert visible("jane@exam\u00adple.com") == JANE
    assert visible("plain") == "plain"


def test_only_a_domain_in_unicode_imports_the_table_of_its_letters() -> None:
    program = (
        "import sys; from services.core.email_addresses import read_email;"
        " read_email('jane@example.com'); print('idna' in sys.modules);"
        " read_email('jane@m\u00fcnchen.example'); print('idna' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "PYTHONUTF8": "1"},
    )
    assert run.stdout.split() == ["False", "True"]


LABELS = st.text(st.characters(categories=("L", "N", "Cf", "Mn")), min_size=1, max_size=8)


@given(st.text(max_size=40) | st.builds("{}@{}.{}".format, LABELS, LABELS, LABELS))
def test_what_is_read_is_read_as_itself(text: str) -> None:
    email = read_email(text)
    if email is None:
        return
    assert read_email(email) == email
    assert len(email) <= 254
    assert email == email.lower()
    assert not re.search(r"\s", email)
    for spelling in spellings(email):
        assert isinstance(spelling, str)
