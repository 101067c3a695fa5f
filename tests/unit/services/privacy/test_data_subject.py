import json
from urllib.parse import urlencode

import pytest

from services.core.errors import InvalidFieldsError
from services.privacy.data_subject import DataSubject, read_subject

JANE = DataSubject("email", "jane+news@example.com")
VISITOR = DataSubject("visitor_cookie", "0123456789abcdef")
NO_TEXTS = dict.fromkeys(("event_data", "page_url", "referrer_url", "page_title", "form_data"))


def row(form: object = None, **texts: str) -> dict[str, object]:
    return {**NO_TEXTS, "form_data": form if form is None else json.dumps(form), **texts}


@pytest.mark.parametrize(
    "form",
    [
        {"email": "jane+news@example.com", "first_name": "Jane"},
        {"E-Mail": " Jane+News@Example.com "},
        {"contact": {"your_email": "jane+news@example.com"}},
        {"email": "jane@work.example", "billing_email": "jane+news@example.com"},
        json.dumps({"correo": "jane+news@example.com"}),
    ],
)
def test_the_person_is_the_sender_of_a_form_that_gives_their_address_as_its_own(
    form: object,
) -> None:
    assert JANE.is_sender_of(row(form))
    assert not JANE.is_other_sender(row(form))


@pytest.mark.parametrize("requested", ["jane@münchen.example", "jane@xn--mnchen-3ya.example"])
@pytest.mark.parametrize("stored", ["jane@münchen.example", "jane@xn--mnchen-3ya.example"])
def test_an_internationalized_domain_is_one_in_both_spellings(requested: str, stored: str) -> None:
    subject = read_subject({"email": requested}, frozenset())
    assert subject.is_sender_of(row({"email": stored}))
    assert subject.is_in(f"write to {stored}.", None)
    assert subject.is_in(json.dumps({"note": stored}))
    assert subject.clue in json.dumps({"email": stored})
    assert not subject.is_in(stored.replace("jane", "mary-jane"))


@pytest.mark.parametrize(
    "page",
    [
        "https://a.example/?email=jane%2Bnews%40example.com",
        "https://a.example/?mail=jane+news@example.com",
    ],
)
def test_an_address_in_the_page_is_the_senders_where_the_form_has_none(page: str) -> None:
    assert JANE.is_sender_of(row(page_url=page))
    assert not JANE.is_sender_of(row({"email": "bob@example.com"}, page_url=page))


@pytest.mark.parametrize(
    "form",
    [
        {"email": "bob@example.com", "friend_email": "jane+news@example.com"},
        {"email": "bob@example.com", "message": "Write to jane+news@example.com."},
    ],
)
def test_a_form_that_only_mentions_the_address_has_another_sender(form: object) -> None:
    assert not JANE.is_sender_of(row(form))
    assert JANE.is_mentioned_in(row(form))
    assert JANE.is_other_sender(row(form))


@pytest.mark.parametrize(
    "text",
    [
        "xjane+news@example.com",
        "dr.jane+news@example.com",
        "jane+news@example.com.au",
        "jane+news@example.community",
        "news@example.com",
    ],
)
def test_an_address_within_a_longer_one_is_another(text: str) -> None:
    assert not JANE.is_in(text, f"a {text} b", json.dumps({"email": text}))


@pytest.mark.parametrize(
    "text",
    [
        "jane+news@example.com",
        "To: JANE+NEWS@EXAMPLE.COM.",
        "<jane+news@example.com>",
        '{"to": "jane\\u002bnews@example.com"}',
        "https://a.example/?x=jane%2bnews%40example.com&y=1",
    ],
)
def test_an_address_is_seen_however_it_is_written(text: str) -> None:
    assert JANE.is_in(None, text)


def test_every_encoding_of_an_address_contains_a_clue() -> None:
    umlaut = DataSubject("email", "müller+a@example.com")
    for subject in (JANE, umlaut):
        form = {"email": subject.value}
        texts = (
            json.dumps(form),
            json.dumps(json.dumps(form)),
            json.dumps(form, ensure_ascii=False),
        )
        assert all(subject.clue in text.lower() for text in texts)
        assert subject.url_clue in urlencode(form).lower()
    assert umlaut.clue == "a@example.com"


def test_a_person_with_a_cookie_is_the_sender_of_no_form() -> None:
    form = row({"email": "bob@example.com"})
    assert not VISITOR.is_sender_of(form)
    assert not VISITOR.is_mentioned_in(form)
    assert not VISITOR.is_other_sender(form)


def test_a_form_without_an_address_has_no_other_sender() -> None:
    assert not JANE.is_other_sender(row({"first_name": "Bob"}))


def test_a_check_tells_persons_and_requests_apart_and_no_representation_shows_whom() -> None:
    other = DataSubject("email", "bob@example.com")
    assert len({JANE.check("1"), JANE.check("2"), other.check("1")}) == 3
    assert JANE.value not in repr(JANE)


@pytest.mark.parametrize("value", ["  Jane+News@Example.com\n", "jane+news@example.com"])
def test_an_address_is_taken_as_people_write_it(value: str) -> None:
    assert read_subject({"email": value}, frozenset()) == JANE


def test_a_cookie_may_be_an_old_pixels() -> None:
    sent = {"visitor_cookie": "pxl_0123456789ABCDEF", "cursor": "c"}
    subject = read_subject(sent, frozenset({"cursor"}))
    assert subject == DataSubject("visitor_cookie", "pxl_0123456789abcdef")


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(InvalidFieldsError) as refused:
        read_subject({"email": "jane", "visitor_cookie": "x", "who": 1}, frozenset({"cursor"}))
    assert [problem.partition(":")[0] for problem in refused.value.details] == [
        *("who", "say whom", "email", "visitor_cookie")
    ]
