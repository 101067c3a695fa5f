"""The tracking endpoints, as pixels old and new use them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.harness.worker import (
    BROWSER,
    PIXEL,
    PROJECT,
    Row,
    Worker,
    some_address,
    some_event,
    some_visitor,
)

TRACK_PATHS = ["/e", "/api/track", "/api/track/track"]


def old_pixel_event(**fields: object) -> dict[str, object]:
    """The body of a v2 pixel, field by field."""
    empty_fields = dict.fromkeys(
        [
            *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
            *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
        ]
    )
    return {
        "pixel_id": PIXEL,
        "visitor_cookie": f"pxl_{some_visitor()}",
        "page_url": "https://shop.example/landing",
        "referrer_url": None,
        "page_title": None,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "event_type": "pageview",
        "form_data": None,
        "viewport": {"width": 1280, "height": 720},
        "screen": {"width": 1920, "height": 1080},
        **empty_fields,
        "attribution_source": "current_url",
        **fields,
    }


def stored(worker: Worker, event: dict[str, object], path: str = "/e") -> Row:
    """Sends an event and returns its row."""
    answer = worker.send(event, path)
    assert answer.status_code == 200, answer.text
    return worker.event(answer.json()["event_id"])


def events_of(worker: Worker, cookie: object) -> list[Row]:
    return worker.query(
        "SELECT e.* FROM tracking_events e JOIN visitors v ON v.id = e.visitor_id "
        "WHERE v.visitor_cookie = ?",
        cookie,
    )


@pytest.mark.parametrize("path", TRACK_PATHS)
def test_every_address_stores_an_event_and_answers_the_same_shape(
    worker: Worker, path: str
) -> None:
    event = some_event()
    answer = worker.send(event, path)

    assert answer.status_code == 200
    content = answer.json()
    assert set(content) == {
        *("success", "visitor_cookie", "visitor_id", "session_id", "event_id"),
        *("processing_time", "attribution"),
    }
    assert content["success"] is True
    assert content["visitor_cookie"] == event["visitor_cookie"]
    assert set(content["attribution"]) == {"source", "medium", "campaign"}
    assert worker.event(content["event_id"])["session_id"] == content["session_id"]


@pytest.mark.parametrize(
    ("query", "attribution"),
    [
        ("gbraid=0A", {"source": "google", "medium": "cpc", "campaign": "none"}),
        ("wbraid=0A", {"source": "google", "medium": "cpc", "campaign": "none"}),
        ("rdt_cid=R", {"source": "reddit", "medium": "social", "campaign": "none"}),
    ],
)
def test_a_click_id_without_a_column_is_credited_for_the_whole_visit(
    worker: Worker, query: str, attribution: dict[str, str]
) -> None:
    cookie = some_visitor()
    for page in (f"?{query}", "about"):
        event = some_event(page_url=f"https://shop.example/{page}", visitor_cookie=cookie)
        answer = worker.send(event).json()
        assert answer["attribution"] == attribution
        name, value = query.split("=")
        assert json.loads(worker.event(answer["event_id"])["click_ids"]) == {name: value}


def test_cookies_of_meta_are_stored_without_a_touch(worker: Worker) -> None:
    row = stored(worker, some_event(fbc="fb.1.17.AbC", fbp="fb.1.17.9", network="g"))
    assert json.loads(row["click_ids"]) == {"fbc": "fb.1.17.AbC", "fbp": "fb.1.17.9"}
    assert row["touch_origin"] is None
    assert stored(worker, some_event())["click_ids"] is None


def test_all_that_a_pixel_and_cloudflare_know_is_stored(worker: Worker) -> None:
    event = some_event(
        page_url="https://shop.example/sale?utm_source=google&utm_medium=cpc&utm_campaign=spring"
        "&utm_content=red&utm_term=shoes&gclid=G1&campaign_region=eu&ad_group=A&ad_id=7"
        "&search_query=red+shoes&gbraid=0A&gad_source=1&utm_id=7&_gl=1*x",
        fbp="fb.1.17.9",
        referrer_url="https://www.google.com/",
        page_title="Spring sale",
        viewport={"width": 1280, "height": 720},
        screen={"width": 1920, "height": 1080},
        event_key="0123456789abcdef",
    )
    location = {"country": "DE", "region": "Bavaria", "city": "Munich"}
    answer = worker.deliver(event, "192.0.2.7", location)
    row = worker.event(answer.json()["event_id"])

    expected = {
        "project_id": PROJECT,
        "pixel_id": PIXEL,
        "event_type": "pageview",
        "event_key": "0123456789abcdef",
        "page_url": event["page_url"],
        "referrer_url": "https://www.google.com/",
        "page_title": "Spring sale",
        "user_agent": BROWSER,
        "ip_address": "192.0.2.7",
        "country": "DE",
        "region": "Bavaria",
        "city": "Munich",
        "utm_source": "google",
        "utm_medium": "cpc",
        "utm_campaign": "spring",
        "utm_content": "red",
        "utm_term": "shoes",
        "gclid": "G1",
        "campaign_region": "eu",
        "ad_group": "A",
        "ad_id": "7",
        "search_query": "red shoes",
        "click_ids": '{"gbraid":"0A","gad_source":"1","utm_id":"7","fbp":"fb.1.17.9"}',
        "touch_origin": "page_url",
        "form_data": None,
        "pipedrive_sync_status": None,
        "archived": 0,
    }
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["browser_data"]) == {
        "browser": "Chrome",
        "browser_version": "142.0",
        "os": "Windows",
        "os_version": "10",
    }
    assert json.loads(row["device_data"]) == {
        "type": "desktop",
        "screen": {"width": 1920, "height": 1080},
    }
    assert json.loads(row["viewport_data"]) == {"width": 1280, "height": 720}
    [check] = worker.query(
        "SELECT abs(strftime('%s', timestamp) - strftime('%s', 'now')) AS age, "
        "timestamp = created_at AS same FROM tracking_events WHERE id = ?",
        row["id"],
    )
    assert check["age"] < 60
    assert check["same"] == 1


LEAD = {"email": "jane@example.com", "first_name": "Jane", "last_name": "Doe"}
AS_OBJECT = {"Email": "Jane@example.com ", "first-name": "Jane", "last_name": "Doe", "tel": "1"}


@pytest.mark.parametrize(
    "form_data",
    [AS_OBJECT, json.dumps(AS_OBJECT), json.dumps(json.dumps(AS_OBJECT))],
    ids=["object", "JSON text", "JSON text encoded twice"],
)
@pytest.mark.parametrize("event_type", ["form_submit", "form_submission", "pageview"])
@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8"])
def test_a_form_of_an_old_pixel_is_stored_reduced_to_the_person(
    worker: Worker, form_data: object, event_type: str, content_type: str
) -> None:
    event = old_pixel_event(form_data=form_data, event_type=event_type)
    answer = worker.http.post(
        f"{worker.url}/api/track/track",
        content=json.dumps(event),
        headers={"content-type": content_type, "cf-connecting-ip": some_address()},
    )
    row = worker.event(answer.json()["event_id"])

    assert row["event_type"] == "form_submit"
    assert json.loads(row["form_data"]) == LEAD


def test_a_page_view_of_an_old_pixel_is_stored(worker: Worker) -> None:
    row = stored(worker, old_pixel_event(), "/api/track/track")
    assert row["event_type"] == "pageview"
    assert row["event_key"] is None


def test_a_value_in_the_url_survives_the_pixels_null(worker: Worker) -> None:
    url = "https://shop.example/?utm_source=newsletter&utm_campaign=may"
    row = stored(worker, old_pixel_event(page_url=url))
    assert (row["utm_source"], row["utm_campaign"]) == ("newsletter", "may")


def test_fields_in_the_body_count_where_the_url_has_none(worker: Worker) -> None:
    row = stored(worker, old_pixel_event(utm_source="google", utm_campaign="brand", gclid="G9"))
    assert (row["utm_source"], row["gclid"], row["touch_origin"]) == ("google", "G9", "body")


def test_two_visits_are_never_mixed_into_one_touch(worker: Worker) -> None:
    row = stored(
        worker,
        old_pixel_event(
            page_url="https://shop.example/?utm_source=facebook&utm_medium=paid_social",
            utm_source="facebook",
            utm_campaign="brand",
            gclid="G1",
        ),
    )
    assert (row["utm_source"], row["utm_campaign"], row["gclid"]) == ("facebook", None, None)


def test_the_referrers_parameters_count_last(worker: Worker) -> None:
    row = stored(worker, some_event(referrer_url="https://shop.example/?gclid=G2"))
    assert (row["gclid"], row["touch_origin"]) == ("G2", "referrer")


def test_a_partners_page_with_parameters_is_no_campaign_of_ours(worker: Worker) -> None:
    partner = "https://partner.example/?utm_source=google&gclid=G2"
    row = stored(worker, some_event(referrer_url=partner))
    assert (row["utm_source"], row["gclid"], row["touch_origin"]) == (None, None, None)
    assert row["referrer_url"] == partner


def test_a_project_id_from_the_client_does_not_move_an_event_into_another_project(
    worker: Worker,
) -> None:
    row = stored(worker, some_event(project_id="ppp-default-project"))
    assert row["project_id"] == PROJECT


@pytest.mark.parametrize("query", ["x=100%", "a=%zz&b=%", "c=%ff%fe", "%", "utm_term=%E0%A4%A"])
def test_a_malformed_escape_loses_nothing(worker: Worker, query: str) -> None:
    url = f"https://shop.example/?utm_source=google&{query}"
    row = stored(worker, some_event(page_url=url))
    assert (row["utm_source"], row["page_url"]) == ("google", url)


def test_a_lead_in_the_address_of_a_thank_you_page_is_a_form_submission(worker: Worker) -> None:
    url = "https://shop.example/thank-you?email=jane%40example.com&first_name=Jane&last_name=Doe"
    row = stored(worker, old_pixel_event(page_url=url))
    assert row["event_type"] == "form_submit"
    assert json.loads(row["form_data"]) == LEAD


def test_a_visitor_without_a_cookie_of_ours_is_given_one(worker: Worker) -> None:
    for cookie in (None, "", "not-ours", "0123456789ABCDEF", 7):
        answer = worker.send(some_event(visitor_cookie=cookie)).json()
        assert re.fullmatch("pxl_[0-9a-f]{16}", answer["visitor_cookie"])
        assert events_of(worker, answer["visitor_cookie"])


BAD_FIELDS: list[tuple[dict[str, object], str]] = [
    ({"pixel_id": None}, "pixel_id"),
    ({"pixel_id": "short"}, "pixel_id"),
    ({"pixel_id": "no spaces please"}, "pixel_id"),
    ({"pixel_id": ["ppp-demo-pixel"]}, "pixel_id"),
    ({"page_url": None}, "page_url"),
    ({"page_url": "ftp://shop.example/"}, "page_url"),
    ({"page_url": "javascript:alert(1)"}, "page_url"),
    ({"page_url": 7}, "page_url"),
    ({"event_type": "<purchase>", "event_key": "a-key-of-its-own"}, "event_type"),
]


@pytest.mark.parametrize(("fields", "name"), BAD_FIELDS)
def test_what_an_event_cannot_do_without_is_refused_by_name(
    worker: Worker, fields: dict[str, object], name: str
) -> None:
    answer = worker.send(some_event(**fields))

    assert answer.status_code == 400
    content = answer.json()
    assert content["success"] is False
    assert content["error"] == "Validation failed"
    assert [detail.split(":")[0] for detail in content["details"]] == [name]


BAD_BODIES = [
    b"",
    b"not json",
    b"[]",
    b'"text"',
    b"7",
    b"null",
    b"[" * 16_000,
    b'{"a":' * 3_000,
    b"\xff\xfe\x00",
    b'{"pixel_id": "ppp-demo-pixel",',
    b"NaN",
]


@pytest.mark.parametrize("body", BAD_BODIES)
def test_a_body_that_is_not_a_json_object_is_refused(worker: Worker, body: bytes) -> None:
    answer = worker.post(body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Invalid request format - expected JSON"


ODD_FIELDS: list[dict[str, object]] = [
    {"page_title": "a\x00b\x07c"},
    {"page_title": "\ud800 half a pair"},
    {"page_title": "t" * 5_000},
    {"page_title": {"an": "object"}},
    {"page_url": "https://shop.example/\ud800\x00?utm_source=\udfff"},
    {"page_url": "https://shop.example/?utm_source=" + "s" * 5_000},
    {"referrer_url": "android-app://com.google.android.gm"},
    {"referrer_url": ["https://www.google.com/"]},
    {"viewport": "1280x720", "screen": [1920, 1080]},
    {"viewport": {"width": -1, "height": 10**400}, "screen": {"width": True}},
    {"viewport": {"width": float("nan"), "height": float("inf")}},
    {"utm_source": {"a": 1}, "gclid": ["x"], "utm_term": 7},
    {"form_data": "{broken", "event_type": "form_submit"},
    {"form_data": {"email": {"deep": [[[["jane@example.com"]]]]}}},
    {"event_key": "' OR 1=1 --", "visitor_cookie": "'; DROP TABLE visitors; --"},
    {"timestamp": 10**30, "unknown": "field"},
]


@pytest.mark.parametrize("fields", ODD_FIELDS, ids=",".join)
def test_other_fields_that_are_wrong_are_cleaned_and_lose_no_event(
    worker: Worker, fields: dict[str, object]
) -> None:
    row = stored(worker, some_event(**fields))
    assert len(row["page_title"] or "") <= 1_000
    assert len(row["utm_source"] or "") <= 500
    assert "\x00" not in row["page_url"]


def test_an_unknown_pixel_is_refused(worker: Worker) -> None:
    answer = worker.send(some_event(pixel_id="nobody-knows-it"))
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid pixel_id")


def test_an_inactive_pixel_and_a_pixel_of_an_inactive_project_are_refused(worker: Worker) -> None:
    worker.query(
        "INSERT INTO projects (id, name, active) VALUES ('p-off', 'off', 0), ('p-on', 'on', 1)"
    )
    worker.query(
        "INSERT INTO pixels (id, project_id, name, active) VALUES "
        "('pixel-off', 'p-on', 'off', 0), ('pixel-of-off', 'p-off', 'of off', 1)"
    )
    for pixel_id in ("pixel-off", "pixel-of-off"):
        answer = worker.send(some_event(pixel_id=pixel_id))
        assert (answer.status_code, answer.json()["error"]) == (400, "Pixel is inactive")


def body_of(size: int) -> str:
    event = json.dumps(some_event(filler=""))
    return event.replace('"filler": ""', f'"filler": "{"x" * (size - len(event))}"')


def test_a_body_of_sixteen_kibibytes_is_taken_and_one_byte_more_is_refused(worker: Worker) -> None:
    assert worker.post(body_of(16_384)).status_code == 200
    refused = worker.post(body_of(16_385))
    assert refused.status_code == 413
    assert refused.json()["success"] is False


def test_a_body_without_a_stated_length_is_capped_while_it_is_read(worker: Worker) -> None:
    def pieces(size: int) -> Iterator[bytes]:
        body = body_of(size).encode()
        for start in range(0, size, 4_096):
            yield body[start : start + 4_096]

    assert worker.post(pieces(16_384)).status_code == 200
    assert worker.post(pieces(40_960)).status_code == 413


def test_a_refused_body_is_taken_so_that_the_next_request_on_the_connection_is_answered(
    worker: Worker,
) -> None:
    def one_piece(size: int) -> Iterator[bytes]:
        yield body_of(size).encode()

    for _ in range(40):
        assert worker.post(body_of(16_385)).status_code == 413
        assert worker.send(some_event()).status_code == 200
        assert worker.post(one_piece(40_960)).status_code == 413
        assert worker.send(some_event()).status_code == 200
    assert worker.post(body_of(1_000_000)).status_code == 413
    assert worker.post(one_piece(1_000_000)).status_code == 413


def gif(worker: Worker, query: str, **headers: str) -> tuple[int, str, str | None]:
    answer = worker.http.get(
        f"{worker.url}/api/track/pixel.gif{query}",
        headers={"cf-connecting-ip": some_address(), **headers},
    )
    assert answer.content.startswith(b"GIF89a")
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    cookie = answer.headers.get("set-cookie", "")
    return answer.status_code, answer.text, cookie.split(";")[0].removeprefix("ppp_visitor=")


def test_the_image_stores_a_page_view_and_keeps_its_visitor(worker: Worker) -> None:
    page = "https%3A%2F%2Fshop.example%2F%3Futm_source%3Dnewsletter"
    _, _, cookie = gif(worker, f"?pixel_id={PIXEL}&page_url={page}&referrer_url=https://a.example/")
    _, _, second = gif(
        worker,
        f"?pixel_id={PIXEL}&page_url={page}",
        cookie=f'a="b; c==; ppp_visitor=odd; ppp_visitor={cookie}; long={"x" * 4_000}',
    )

    assert second == cookie
    rows = events_of(worker, cookie)
    assert [row["event_type"] for row in rows] == ["pageview", "pageview"]
    assert rows[0]["utm_source"] == "newsletter"
    assert rows[0]["referrer_url"] == "https://a.example/"


def test_the_image_takes_addresses_that_were_encoded_twice(worker: Worker) -> None:
    page = "https%253A%252F%252Fshop.example%252F%253Futm_source%253Dnewsletter"
    _, _, cookie = gif(worker, f"?pixel_id={PIXEL}&page_url={page}")
    [row] = events_of(worker, cookie)
    assert row["page_url"] == "https://shop.example/?utm_source=newsletter"
    assert row["utm_source"] == "newsletter"


@pytest.mark.parametrize(
    ("page", "stored"),
    [
        ("/prices%3Futm_source%3Dnews", "https://client.example/prices?utm_source=news"),
        ("shop.example/prices", "https://shop.example/prices"),
        ("//shop.example/prices", "https://shop.example/prices"),
        ("https:/shop.example/prices", "https://shop.example/prices"),
    ],
)
def test_the_image_takes_addresses_that_are_not_whole(
    worker: Worker, page: str, stored: str
) -> None:
    referer = {"referer": "https://client.example/"}
    _, _, cookie = gif(worker, f"?pixel_id={PIXEL}&page_url={page}", **referer)
    [row] = events_of(worker, cookie)
    assert row["page_url"] == stored


@pytest.mark.parametrize("event_type", ["event", 7, "<b>", "x" * 100, {"kind": "click"}])
def test_an_old_event_of_any_type_is_stored_and_loses_no_lead(
    worker: Worker, event_type: object
) -> None:
    event = some_event(event_type=event_type)
    stored(worker, event)
    stored(worker, event | {"form_data": {"email": f"{some_visitor()}@example.com"}})
    rows = events_of(worker, event["visitor_cookie"])
    assert [row["event_type"] for row in rows] == ["custom", "form_submit"]
    assert rows[0]["event_name"]


@pytest.mark.parametrize(
    "query",
    ["", "?pixel_id=nobody-knows-it&page_url=https://a.example", "?pixel_id=%", "?page_url=%00"],
)
def test_the_image_is_answered_whatever_is_wrong(worker: Worker, query: str) -> None:
    status, _, cookie = gif(worker, query)
    assert status == 200
    assert not cookie


@pytest.mark.parametrize("path", ["/api/track", "/api/track/track"])
@pytest.mark.parametrize("user_agent", ["WordPress/6.4; https://shop.example", "Zapier", "axios/1"])
def test_a_server_that_posts_to_the_old_addresses_is_no_bot(
    worker: Worker, user_agent: str, path: str
) -> None:
    event = some_event(event_type="form_submit", form_data={"email": "buyer@shop.example"})
    answer = worker.http.post(
        f"{worker.url}{path}", content=json.dumps(event), headers={"user-agent": user_agent}
    )
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert len(events_of(worker, event["visitor_cookie"])) == 1


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/142.0 Safari/537.36",
        "curl/8.5.0",
        "UptimeRobot/2.0",
    ],
)
def test_a_bot_is_answered_204_and_never_reaches_the_database(
    worker: Worker, user_agent: str
) -> None:
    event = some_event()
    answer = worker.http.post(
        f"{worker.url}/e", content=json.dumps(event), headers={"user-agent": user_agent}
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert not events_of(worker, event["visitor_cookie"])

    _, _, cookie = gif(
        worker, f"?pixel_id={PIXEL}&page_url=https://a.example", **{"user-agent": user_agent}
    )
    assert not cookie


@pytest.mark.parametrize("path", ["/e", "/api/track"])
@pytest.mark.parametrize("user_agent", ["curl/8.5.0", "Mozilla/5.0 (compatible; Examplebot/1.0)"])
def test_a_lead_is_stored_whatever_its_user_agent_says(
    worker: Worker, user_agent: str, path: str
) -> None:
    event = some_event(event_type="form_submit", form_data={"email": "jane@shop.example"})
    answer = worker.http.post(
        f"{worker.url}{path}", content=json.dumps(event), headers={"user-agent": user_agent}
    )
    assert answer.status_code == 200
    assert len(events_of(worker, event["visitor_cookie"])) == 1


def test_a_program_in_a_browser_is_no_bot(worker: Worker) -> None:
    asks = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "accept-language": "de"}
    statuses = [
        worker.http.post(
            f"{worker.url}/e",
            content=json.dumps(some_event()),
            headers={"user-agent": "Example/1.0", **headers},
        ).status_code
        for headers in ({}, asks)
    ]
    assert statuses == [204, 200]
