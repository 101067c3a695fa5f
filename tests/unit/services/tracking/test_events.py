import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tracking.attribution import Touch
from services.tracking.custom_events import (
    MAX_DATA_CHARACTERS,
    MAX_NAME_CHARACTERS,
    NAMELESS,
    CustomEvent,
)
from services.tracking.events import (
    MAX_SCREEN_PIXELS,
    MAX_SEQUENCE,
    MAX_TITLE_CHARACTERS,
    MAX_URL_CHARACTERS,
    Event,
    InvalidEventError,
    Size,
    check_event,
    read_event,
)
from services.tracking.form_data import Lead

NEW_VISITOR = "00ff00ff00ff00ff"
NEW = {"event_key": "fedcba9876543210"}
LEAST = {"pixel_id": "demo-pixel", "page_url": "https://client.example/"}
JANE = Lead("jane@example.com", "Jane", "Doe")
JANES_FORM = {"email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"}

# What pixel 2.x sends for a page view without UTM parameters of its own.
OLD_PAGE_VIEW: dict[str, object] = {
    "pixel_id": "pixel_1a2b3c4d",
    "visitor_cookie": "pxl_0123456789abcdef",
    "page_url": "https://client.example/pricing",
    "referrer_url": None,
    "page_title": "Prices",
    "timestamp": "2025-03-01T12:00:00.000Z",
    "event_type": "pageview",
    "form_data": None,
    "viewport": {"width": 1280, "height": 720},
    "screen": {"width": 1920, "height": 1080},
    "utm_source": None,
    "utm_medium": None,
    "utm_campaign": None,
    "utm_content": None,
    "utm_term": None,
    "gclid": None,
    "fbclid": None,
    "msclkid": None,
    "ttclid": None,
    "twclid": None,
    "li_fat_id": None,
    "sc_click_id": None,
    "attribution_source": "direct",
    "project_id": "project-1",
}


def read(**fields: object) -> Event:
    return read_event(json.dumps(LEAST | fields), NEW_VISITOR)


def refusal(body: str) -> InvalidEventError:
    with pytest.raises(InvalidEventError) as refused:
        read_event(body, NEW_VISITOR)
    return refused.value


# What an event needs


def test_a_pixel_and_a_page_are_enough() -> None:
    assert read() == Event(
        pixel_id="demo-pixel",
        visitor_cookie=NEW_VISITOR,
        event_key=None,
        event_type="pageview",
        page_url="https://client.example/",
        referrer_url=None,
        page_title=None,
        touch=None,
        lead=None,
        viewport=None,
        screen=None,
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "pixel",
        "null",
        "7",
        '"{}"',
        "[]",
        "[{}]",
        '{"pixel_id": "demo-pixel"',
        "pixel_id=demo-pixel&page_url=https://client.example/",
        '{"pixel_id":"demo-pixel","page_url":"https://client.example/","event_type":' + "9" * 5_000,
        "[" * 16 * 1_024,
        '{"form_data":' * 1_200,
        "\ud83d",
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: str) -> None:
    refused = refusal(body)
    assert refused.message == "Invalid request format - expected JSON"
    assert refused.details == ["the body must be one JSON object"]
    assert str(refused) == refused.message


@pytest.mark.parametrize(
    "pixel_id",
    [
        None,
        "",
        "short",
        "x" * 65,
        "demo pixel",
        "demo-pixel\n",
        "dêmo-pixel",
        "demo.pixel",
        12345678,
        ["demo-pixel"],
        {"id": "demo-pixel"},
    ],
)
def test_a_wrong_pixel_id_is_named(pixel_id: object) -> None:
    refused = refusal(json.dumps(LEAST | {"pixel_id": pixel_id}))
    assert refused.message == "Validation failed"
    assert refused.details == ["pixel_id: must be 8 to 64 letters, digits, '-' or '_'"]


@pytest.mark.parametrize("pixel_id", ["12345678", "A-Z_a-z-0_9", "x" * 64])
def test_a_pixel_id_has_8_to_64_letters_digits_and_lines(pixel_id: str) -> None:
    assert read(pixel_id=pixel_id).pixel_id == pixel_id


@pytest.mark.parametrize(
    "page_url",
    [
        None,
        "",
        "/pricing",
        "client.example",
        "//client.example/",
        "ftp://client.example/",
        "javascript:alert(1)//http://client.example",
        "data:text/html,hello",
        "file:///etc/passwd",
        "https://",
        "https:",
        "https:///",
        "https:// client.example",
        " \x00 ",
        7,
        True,
        ["https://client.example/"],
    ],
)
def test_a_wrong_page_url_is_named(page_url: object) -> None:
    refused = refusal(json.dumps(LEAST | {"page_url": page_url}))
    assert refused.message == "Validation failed"
    assert refused.details == ["page_url: must be an http or https address"]


@pytest.mark.parametrize(
    "page_url",
    [
        "http://localhost:8788/",
        "HTTPS://Client.Example/Path",
        "https://[::1]:8080/",
        "https://[broken/",
        "https://münchen.example/straße?q=100%",
        "https://client.example",
    ],
)
def test_a_page_url_is_an_http_address_kept_as_it_is(page_url: str) -> None:
    assert read(page_url=page_url).page_url == page_url


@pytest.mark.parametrize(
    "page_url",
    [
        *("https:/shop.example/a", "https:shop.example/a", "https:///shop.example/a"),
        *(r"https:\\shop.example/a", r"https:\/shop.example/a", " https:/shop.example/a\n"),
    ],
)
def test_a_page_url_may_have_other_slashes_as_browsers_take_them(page_url: str) -> None:
    event = read(page_url=page_url, referrer_url=page_url)
    assert event.page_url == event.referrer_url == "https://shop.example/a"


@pytest.mark.parametrize(
    "event_type",
    [7, True, ["pageview"], {"a": 1}, " ", "<b>", "jane@shop.example", "x" * 65, "a\nb"],
)
def test_a_wrong_event_type_of_a_new_pixel_is_named_with_the_right_ones(
    event_type: object,
) -> None:
    refused = refusal(json.dumps(LEAST | NEW | {"event_type": event_type}))
    assert refused.details == [
        (
            "event_type: must be one of pageview, form_submit, form_submission, event,"
            " or a name of at most 64 letters, digits, spaces and _.:/%()&+#!?$,'=-"
        )
    ]


def test_all_problems_are_listed_at_once() -> None:
    details = refusal(json.dumps(NEW | {"event_type": 7})).details
    assert [detail.partition(":")[0] for detail in details] == [
        "pixel_id",
        "page_url",
        "event_type",
    ]


def test_a_refusal_repeats_nothing_that_was_sent() -> None:
    sent = NEW | {"pixel_id": "jane@", "page_url": "jane@", "event_type": "jane@"}
    refused = refusal(json.dumps(sent))
    assert "jane" not in " ".join([refused.message, *refused.details])


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        (None, "pageview"),
        ("", "pageview"),
        ("pageview", "pageview"),
        ("form_submit", "form_submit"),
        ("form_submission", "form_submit"),
    ],
)
def test_the_kind_of_event(event_type: str | None, kind: str) -> None:
    assert read(event_type=event_type).event_type == kind


def test_unknown_fields_are_ignored() -> None:
    assert read(visitor_id="v1", session_id=[1], __proto__={"a": {}}) == read()


# Old pixels


def read_old(**fields: object) -> Event:
    return read_event(json.dumps(OLD_PAGE_VIEW | fields), NEW_VISITOR)


def test_an_old_pixels_page_view_is_read() -> None:
    assert read_old() == Event(
        pixel_id="pixel_1a2b3c4d",
        visitor_cookie="pxl_0123456789abcdef",
        event_key=None,
        event_type="pageview",
        page_url="https://client.example/pricing",
        referrer_url=None,
        page_title="Prices",
        touch=None,
        lead=None,
        viewport=Size(1280, 720),
        screen=Size(1920, 1080),
    )


@pytest.mark.parametrize(
    "name",
    [
        *("click", "purchase", "PAGEVIEW", "add to cart", "køb", "shop:buy/2", "x" * 64),
        *("404_error", "scroll_50%", "purchase (test)", "_ga", "$pageview", "Kauf!", "3d, a&b+c"),
    ],
)
def test_another_type_of_an_old_pixel_is_a_custom_event_of_that_name(name: str) -> None:
    event = read_old(event_type=name, page_url="https://client.example/?email=jane@shop.example")
    assert (event.event_type, event.lead) == ("custom", None)
    assert event.custom is not None
    assert (event.custom.name, event.custom.data) == (name, None)


@pytest.mark.parametrize(
    ("event_type", "name"),
    [
        (7, "7"),
        (1.5, "1.5"),
        (True, "true"),
        (["pageview"], NAMELESS),
        ({"a": 1}, NAMELESS),
        (" ", NAMELESS),
        ("\x00", NAMELESS),
        ("event", NAMELESS),
        ("<b>", "_b_"),
        ("-10 %", "_-10 %"),
        ("a\nb", "a b"),
        ("a|b;c*~", "a_b_c__"),
        ("🛒 cart", "_ cart"),
        ("x" * 65, "x" * 64),
        ("-" * 64, "_" + "-" * 63),
        # Names are shown to every key.
        ("jane@shop.example", NAMELESS),
    ],
)
def test_no_type_of_an_old_sender_is_refused(event_type: object, name: str) -> None:
    event = read_old(event_type=event_type)
    assert (event.event_type, event.custom) == ("custom", CustomEvent(name))
    with_form = read_old(event_type=event_type, form_data=JANES_FORM)
    assert (with_form.event_type, with_form.lead) == ("form_submit", JANE)


@pytest.mark.parametrize("event_type", [None, "", False, 0, [], {}])
def test_an_empty_type_is_a_page_view(event_type: object) -> None:
    assert read_old(event_type=event_type).event_type == "pageview"


@pytest.mark.parametrize(
    ("name", "stored"),
    [("", NAMELESS), (" \n", NAMELESS), (7, "7"), (["a"], NAMELESS), ("x" * 65, "x" * 64)],
)
def test_an_event_without_a_key_is_not_refused_for_its_name(name: object, stored: str) -> None:
    assert read_old(event_type="event", event_name=name).custom == CustomEvent(stored)


def test_a_byte_order_mark_refuses_nothing() -> None:
    assert read_event("\ufeff" + json.dumps(LEAST), NEW_VISITOR) == read()


def test_a_lead_is_one_whatever_the_site_calls_its_event() -> None:
    event = read_old(event_type="purchase", form_data=JANES_FORM)
    assert (event.event_type, event.lead, event.custom) == ("form_submit", JANE, None)
    named = read(event_type="event", event_name="purchase", form_data=JANES_FORM)
    assert (named.event_type, named.lead) == ("custom", None)


@pytest.mark.parametrize("event_type", ["form_submit", "form_submission"])
@pytest.mark.parametrize("times_encoded", [0, 1, 2])
def test_an_old_pixels_form_is_read_however_it_was_encoded(
    event_type: str, times_encoded: int
) -> None:
    form: object = JANES_FORM
    for _ in range(times_encoded):
        form = json.dumps(form)
    event = read_old(event_type=event_type, form_data=form)
    assert (event.event_type, event.lead) == ("form_submit", JANE)


@pytest.mark.parametrize("form", [None, "", "null", "{", "[]", [], {}, 7, {"message": "hello"}])
def test_a_form_without_a_person_is_still_a_form_submission(form: object) -> None:
    event = read_old(event_type="form_submission", form_data=form)
    assert (event.event_type, event.lead) == ("form_submit", None)


def test_a_page_view_with_a_lead_is_a_form_submission() -> None:
    event = read_old(event_type="pageview", form_data=JANES_FORM)
    assert (event.event_type, event.lead) == ("form_submit", JANE)


def test_a_null_utm_of_the_old_pixel_hides_nothing_of_the_page_url() -> None:
    event = read_old(page_url="https://client.example/?utm_source=google&gclid=G1")
    assert event.touch == Touch(origin="page_url", utm_source="google", gclid="G1")


def test_a_click_id_in_an_old_pixels_body_is_a_touch() -> None:
    assert read_old(fbclid="F1").touch == Touch(origin="body", fbclid="F1")


def test_a_touch_may_come_from_the_referrer() -> None:
    event = read_old(referrer_url="https://client.example/?utm_source=news")
    assert event.touch == Touch(origin="referrer", utm_source="news")


def test_a_thank_you_page_carries_the_lead_in_its_address() -> None:
    event = read_old(
        page_url="https://client.example/thank-you?email=jane%40example.com"
        "&first_name=Jane&last_name=Doe"
    )
    assert (event.event_type, event.lead) == ("form_submit", JANE)


def test_a_form_comes_before_the_address() -> None:
    event = read_old(
        page_url="https://client.example/?email=other@example.com", form_data=JANES_FORM
    )
    assert event.lead == JANE


def test_the_new_pixels_event_is_read() -> None:
    event = read(
        visitor_cookie="0123456789abcdef",
        event_key="fedcba9876543210",
        event_type="form_submit",
        form_data={"email": "jane@example.com"},
        referrer_url="https://www.google.com/",
        timestamp="2026-11-20T12:00:00.000Z",
    )
    assert event.visitor_cookie == "0123456789abcdef"
    assert event.event_key == "fedcba9876543210"
    assert event.lead == Lead("jane@example.com", None, None)
    assert event.referrer_url == "https://www.google.com/"


# What only a new pixel says


@pytest.mark.parametrize("sequence", [1, 2, MAX_SEQUENCE])
def test_a_sequence_number_is_read(sequence: int) -> None:
    assert read(sequence=sequence).sequence == sequence


@pytest.mark.parametrize(
    "sequence", [None, 0, -1, MAX_SEQUENCE + 1, 10**30, 1.0, 1.5, True, "1", [1], {"a": 1}]
)
def test_a_wrong_sequence_number_is_left_out(sequence: object) -> None:
    assert read(sequence=sequence).sequence is None


@pytest.mark.parametrize("outcome", ["submitted", "accepted", "rejected"])
def test_the_outcome_of_a_form_is_read(outcome: str) -> None:
    event = read(event_type="form_submit", form_data=JANES_FORM, outcome=outcome)
    assert event.outcome == outcome


@pytest.mark.parametrize("outcome", [None, "", "Accepted", "sent", 1, True, ["accepted"], {}])
def test_an_unknown_outcome_is_left_out(outcome: object) -> None:
    assert read(event_type="form_submit", outcome=outcome).outcome is None


@pytest.mark.parametrize(
    "fields",
    [
        {"event_type": "pageview"},
        {"event_type": "event", "event_name": "signup"},
        {"page_url": "https://client.example/thank-you?email=jane%40example.com"},
    ],
)
def test_only_a_form_has_an_outcome(fields: dict[str, object]) -> None:
    assert read(**fields, outcome="accepted").outcome is None


@pytest.mark.parametrize(
    ("event_type", "form", "only_there"),
    [("pageview", None, True), ("form_submit", None, False), ("pageview", JANES_FORM, False)],
)
def test_a_page_view_that_is_a_lead_by_its_address_alone_is_marked(
    event_type: str, form: object, *, only_there: bool
) -> None:
    address = "https://client.example/thank-you?email=jane%40example.com"
    event = read(page_url=address, event_type=event_type, form_data=form)
    assert event.lead
    assert event.lead_in_address is only_there


@pytest.mark.parametrize(
    ("fill", "wanted"),
    [(True, True), ("", True), ("yes", True), (None, False), (False, False)],
)
def test_any_text_of_the_attribute_asks_for_the_touch(fill: object, *, wanted: bool) -> None:
    assert read(fill=fill).fill is wanted


def read_custom(**fields: object) -> Event:
    return read(event_type="event", **{"event_name": "signup", **fields})


def test_a_custom_event_is_read() -> None:
    event = read_custom(event_name=" plan\nchosen\x00 ", event_data={"plan": "größe", "n": [1, 2]})
    assert event.event_type == "custom"
    assert event.custom == CustomEvent("plan chosen", '{"plan":"größe","n":[1,2]}')


def test_a_custom_event_is_no_lead_whatever_comes_with_it() -> None:
    address = "https://client.example/?email=jane%40example.com"
    event = read_custom(page_url=address, form_data=JANES_FORM)
    assert (event.event_type, event.lead, event.lead_in_address) == ("custom", None, False)


@pytest.mark.parametrize("event_type", [None, "pageview", "form_submit"])
def test_other_events_have_no_name_and_no_data(event_type: str | None) -> None:
    event = read(event_type=event_type, event_name="signup", event_data={"plan": "pro"})
    assert event.custom is None


@pytest.mark.parametrize(
    "name", [None, "", " \n", "\x00", "x" * (MAX_NAME_CHARACTERS + 1), 7, ["a"], {}]
)
def test_a_new_pixels_custom_event_without_a_usable_name_is_refused(name: object) -> None:
    refused = refusal(json.dumps(LEAST | NEW | {"event_type": "event", "event_name": name}))
    assert refused.message == "Validation failed"
    assert refused.details == [
        f"event_name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters"
    ]


@pytest.mark.parametrize(
    "name", ["x", "x" * MAX_NAME_CHARACTERS, f" {'日' * MAX_NAME_CHARACTERS} "]
)
def test_a_name_has_1_to_64_characters(name: str) -> None:
    assert read_custom(event_name=name).custom == CustomEvent(name.strip())


def data_of(size: int) -> dict[str, object]:
    return {"a": "x" * (size - len('{"a":""}'))}


@pytest.mark.parametrize(
    ("data", "left_out"),
    [
        (None, None),
        ({}, None),
        (data_of(MAX_DATA_CHARACTERS), None),
        (data_of(MAX_DATA_CHARACTERS + 1), f"over {MAX_DATA_CHARACTERS} characters"),
        ({"amount": float("nan")}, "a number that JSON does not know"),
        ({"amount": float("inf")}, "a number that JSON does not know"),
        *((data, "no JSON object") for data in ("jane@example.com", '{"a": 1}', [1], 7, True)),
    ],
)
def test_data_that_cannot_be_stored_is_left_out_with_the_reason(
    data: object, left_out: str | None
) -> None:
    custom = read_custom(event_data=data).custom
    assert custom
    assert custom.left_out == left_out
    assert (custom.data is None) == (left_out is not None or data is None)


def test_data_is_text_that_utf_8_can_hold() -> None:
    custom = read_custom(event_data={"half \ud83d": "\udc00 pair"}).custom
    assert custom == CustomEvent("signup", '{"half \ufffd":"\ufffd pair"}')


# What is wrong but not needed


@pytest.mark.parametrize(
    "cookie",
    [
        None,
        "",
        "0123456789ABCDEF",
        "pxl_",
        "pxl_0123456789abcdef0",
        "abc_0123456789abcdef",
        "0123456789abcdef\n",
        1234567890123456,
        ["0123456789abcdef"],
    ],
)
def test_a_visitor_without_a_cookie_of_ours_gets_a_new_one(cookie: object) -> None:
    assert read(visitor_cookie=cookie).visitor_cookie == NEW_VISITOR


@pytest.mark.parametrize("key", [None, "short", "x" * 65, "a key with spaces", 12345678, {}])
def test_a_wrong_event_key_is_left_out(key: object) -> None:
    assert read(event_key=key).event_key is None


def test_an_app_of_android_is_a_referrer() -> None:
    app = "android-app://com.google.android.googlequicksearchbox/"
    assert read(referrer_url=app).referrer_url == app


@pytest.mark.parametrize("referrer", [None, "", "about:blank", "ios-app://x", 7, [], {}])
def test_a_wrong_referrer_is_left_out(referrer: object) -> None:
    assert read(referrer_url=referrer).referrer_url is None


@pytest.mark.parametrize("title", [None, "", "  \n", "\x00", 7, ["Home"], {"text": "Home"}])
def test_a_wrong_title_is_left_out(title: object) -> None:
    assert read(page_title=title).page_title is None


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("Home\x00 page", "Home page"),
        ("Home\n\tpage ", "Home  page"),
        ("half \ud83d emoji", "half \ufffd emoji"),
        ("日本語 👍", "日本語 👍"),
        ("x" * 2_000, "x" * MAX_TITLE_CHARACTERS),
    ],
)
def test_a_title_is_cleaned(title: str, cleaned: str) -> None:
    assert read(page_title=title).page_title == cleaned


def test_addresses_are_cleaned() -> None:
    event = read(
        page_url=" https://client.example/\x00a\ud83d ", referrer_url="https://a.example/\x00b"
    )
    assert event.page_url == "https://client.example/a\ufffd"
    assert event.referrer_url == "https://a.example/b"


def test_a_long_address_is_cut_after_its_parameters_were_read() -> None:
    address = f"https://client.example/?fill={'x' * 5_000}&utm_source=google"
    event = read(page_url=address, referrer_url=address)
    assert event.page_url == event.referrer_url == address[:MAX_URL_CHARACTERS]
    assert event.touch == Touch(origin="page_url", utm_source="google")


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        ({"width": 1280, "height": 720}, Size(1280, 720)),
        ({"width": 1280.7, "height": 720.2}, Size(1280, 720)),
        ({"width": MAX_SCREEN_PIXELS, "height": 1}, Size(MAX_SCREEN_PIXELS, 1)),
        ({"width": MAX_SCREEN_PIXELS + 1, "height": 1}, None),
        ({"width": 0, "height": 720}, None),
        ({"width": 0.5, "height": 720}, None),
        ({"width": -1, "height": 720}, None),
        ({"width": 1280}, None),
        ({"width": "1280", "height": "720"}, None),
        ({"width": None, "height": None}, None),
        ({"width": float("nan"), "height": float("inf")}, None),
        ({}, None),
        ([1280, 720], None),
        ("1280x720", None),
        (None, None),
    ],
)
def test_a_size_is_whole_or_left_out(sent: object, size: Size | None) -> None:
    event = read(viewport=sent, screen=sent)
    assert event.viewport == event.screen == size


# The image's query


def test_an_image_reports_with_plain_texts() -> None:
    fields = {
        "pixel_id": "demo-pixel",
        "page_url": "https://client.example/?utm_source=google",
        "referrer_url": "",
        "visitor_cookie": None,
        "event_type": "pageview",
    }
    event = check_event(fields, NEW_VISITOR)
    assert event.touch == Touch(origin="page_url", utm_source="google")
    assert (event.visitor_cookie, event.referrer_url) == (NEW_VISITOR, None)


# Whatever comes

TEXTS = st.text(st.characters(codec=None, categories=None), max_size=30)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
KNOWN = st.sampled_from(
    [
        *(*OLD_PAGE_VIEW, "event_key", "sequence", "outcome", "fill"),
        *("event_name", "event_data"),
    ]
)
PLAUSIBLE = st.one_of(
    JSON_VALUES,
    st.sampled_from(list(LEAST.values())),
    st.sampled_from(["pageview", "form_submission", "event", "accepted", JANES_FORM]),
    TEXTS.map(lambda text: f"https://client.example/?email={text}&utm_source={text}#{text}"),
    st.dictionaries(st.sampled_from(["width", "height"]), JSON_VALUES),
)
BODIES = st.dictionaries(KNOWN | TEXTS, PLAUSIBLE, max_size=12)


def event_or_refusal(body: str) -> Event | None:
    """The event; any other exception than InvalidEventError fails the test."""
    try:
        return read_event(body, NEW_VISITOR)
    except InvalidEventError:
        return None


@given(BODIES)
@settings(deadline=None)
def test_any_json_object_is_an_event_or_refused(body: dict[str, object]) -> None:
    event_or_refusal(json.dumps(body))


@given(TEXTS)
@settings(deadline=None)
def test_any_text_is_refused_like_any_other(body: str) -> None:
    assert event_or_refusal(body) is None


@given(BODIES)
@settings(deadline=None)
def test_with_its_required_fields_every_event_is_stored_as_text(body: dict[str, object]) -> None:
    event = event_or_refusal(json.dumps(body | LEAST | {"event_type": "pageview"}))
    assert event is not None
    stored = json.dumps(asdict(event), ensure_ascii=False, allow_nan=False).encode()
    assert b"\\u0000" not in stored
    assert len(event.page_url) <= MAX_URL_CHARACTERS
    assert len(event.page_title or "") <= MAX_TITLE_CHARACTERS


# Frames without an address of their own, and pages that are no leads


@pytest.mark.parametrize("page_url", ["about:srcdoc", "about:blank", "About:Srcdoc#top"])
@pytest.mark.parametrize(
    ("embedding_page", "referrer_url", "stored"),
    [
        (
            "https://client.example/contact?gclid=G1",
            None,
            "https://client.example/contact?gclid=G1",
        ),
        # The header is cut to its origin where the frame's own referrer is not.
        (
            "https://client.example/",
            "https://client.example/contact?gclid=G1",
            "https://client.example/contact?gclid=G1",
        ),
        ("https://client.example", "https://google.example/", "https://client.example"),
        (None, "https://client.example/contact", "https://client.example/contact"),
        ("null", "https://client.example/contact", "https://client.example/contact"),
    ],
)
def test_a_frame_that_a_script_fills_has_the_address_of_its_page(
    page_url: str, embedding_page: str | None, referrer_url: str | None, stored: str
) -> None:
    body = json.dumps(LEAST | {"page_url": page_url, "referrer_url": referrer_url})
    event = read_event(body, NEW_VISITOR, embedding_page)
    assert (event.page_url, event.referrer_url) == (stored, None)
    if "gclid" in stored:
        assert event.touch == Touch(origin="page_url", gclid="G1")


def test_a_frame_with_a_blob_names_its_site() -> None:
    blob = "blob:https://client.example/0e3f"
    body = json.dumps(LEAST | {"page_url": blob})
    assert read_event(body, NEW_VISITOR).page_url == "https://client.example"
    page = read_event(body, NEW_VISITOR, "https://client.example/a").page_url
    assert page == "https://client.example/a"


@pytest.mark.parametrize(
    "page_url", ["about:srcdoc", "blob:null/0e3f", "data:text/html,x", "file:///a"]
)
def test_a_frame_of_no_page_is_refused(page_url: str) -> None:
    with pytest.raises(InvalidEventError):
        read_event(json.dumps(LEAST | {"page_url": page_url}), NEW_VISITOR, "null")


def test_a_page_with_an_address_keeps_it() -> None:
    body = json.dumps(LEAST | {"referrer_url": "https://a.example/"})
    event = read_event(body, NEW_VISITOR, "https://other.example/")
    assert (event.page_url, event.referrer_url) == (LEAST["page_url"], "https://a.example/")


def test_a_form_of_an_old_pixel_on_the_page_of_an_account_is_no_lead() -> None:
    page = "https://client.example/account/reset-password"
    form = read(page_url=page, event_type="form_submit", form_data=JANES_FORM)
    assert (form.event_type, form.lead) == ("form_submit", None)
    new = read(page_url=page, event_type="form_submit", form_data=JANES_FORM, event_key="k" * 16)
    assert new.lead == JANE


@pytest.mark.parametrize("event_type", ["pageview", "form_submit"])
def test_the_link_of_a_mailing_is_no_lead(event_type: str) -> None:
    event = read(page_url="https://client.example/?email=jane@example.com", event_type=event_type)
    assert (event.event_type, event.lead) == (event_type, None)
    assert event.page_url == "https://client.example/"


def test_a_page_thanks_by_its_title_too() -> None:
    page = "https://client.example/contact?email=jane@example.com"
    assert read(page_url=page, page_title="Thank you!").lead == Lead(JANE.email, None, None)


def test_a_form_that_serves_people_who_are_known_is_no_lead() -> None:
    form = {"event_type": "form_submit", "form_data": JANES_FORM, "event_key": "0123456789abcdef"}
    event = read(**form, form_text="Send\n\nForgot your password?")
    assert (event.lead, event.outcome) == (None, "rejected")
