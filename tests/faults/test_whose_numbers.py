"""Whose touch it is, who may send, who gets the credit and what reaches the CRM: the whole app."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.reports.attribution_models import SHARES
from services.reports.breakdowns import ATTRIBUTIONS
from simulator.fields import demo_field_map
from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE, START, new_outside
from tests.faults.story import SETTINGS
from tests.harness.keys import ADMIN_KEY

JANE = {"email": "jane@client.example", "first_name": "Jane", "last_name": "Doe"}


class Deployment:
    """A deployment with projects and pixels; its events are numbered."""

    def __init__(self) -> None:
        new_outside()
        self.isolate = Isolate(**SETTINGS)
        self.sent = 0
        self.entries = 0

    def project(self, name: str, **configuration: object) -> str:
        """The id of a new project."""
        # This machine's SQLite may take a digit at the beginning of a JSON label for an index.
        project = "0"
        while project[0].isdigit():
            self.entries += 1
            fields = {"name": f"{name} {self.entries}", "configuration": configuration}
            project = self._id_of_new("/api/manage/projects", fields)
        return project

    def pixel(self, project: str, **fields: object) -> str:
        """The id of a new pixel of a project."""
        self.entries += 1
        return self._id_of_new(
            f"/api/manage/projects/{project}/pixels", fields | {"name": f"pixel {self.entries}"}
        )

    def send(self, pixel: str, page_url: str, **fields: object) -> tuple[int, Any]:
        """The answer to an event; some of the fields are of its sender."""
        visitor = int(str(fields.pop("visitor", 1)))
        address = str(fields.pop("address", "192.0.2.1"))
        headers = fields.pop("headers", None)
        self.sent += 1
        event = {
            "pixel_id": pixel,
            "page_url": page_url,
            "visitor_cookie": f"pxl_{visitor:016x}",
            "event_key": f"event-{self.sent:08}",
            "event_type": "pageview",
            **fields,
        }
        return self.isolate.request(
            "/e", "POST", event, headers if isinstance(headers, dict) else {}, address
        )

    def submit(self, pixel: str, page_url: str, **fields: object) -> tuple[int, Any]:
        """The answer to a form."""
        form = {"form_data": JANE, "outcome": "accepted"} | fields
        return self.send(pixel, page_url, event_type="form_submit", **form)

    def breakdown(self, pixel: str, by: str, **query: str) -> dict[str, Any]:
        """The rows of a breakdown by their value."""
        parameters = "&".join(f"{name}={value}" for name, value in {"by": by, **query}.items())
        address = f"/api/reports/breakdown/{pixel}?{parameters}"
        status, answer = self.isolate.request(address, headers={"x-api-key": ADMIN_KEY})
        assert status == 200, answer
        return {row["value"]: row for row in answer["data"]["rows"]}

    def _id_of_new(self, path: str, fields: object) -> str:
        status, answer = self.isolate.request(path, "POST", fields, {"x-api-key": ADMIN_KEY})
        assert status < 300, answer
        new_id: str = answer["data"]["id"]
        return new_id


@pytest.fixture
def deployment() -> Deployment:
    return Deployment()


DECEIVING = [
    r"https://evil.example\@shop.example/scam",
    r"https:\\evil.example\@shop.example/scam",
    "https://shop.example@evil.example/scam",
    "https://shop.example:443@evil.example/scam",
    "https://evil.example\t/@shop.example/scam",
    "https://evil%2eexample/@shop.example",
    "http:/evil.example/shop.example",
]


@pytest.mark.parametrize("page", DECEIVING)
def test_a_page_is_on_the_host_to_which_a_browser_goes(deployment: Deployment, page: str) -> None:
    project = deployment.project("Client")
    strict = deployment.pixel(project, configuration={"allowed_domains": ["shop.example"]})
    assert deployment.send(strict, page)[0] == 400
    assert deployment.send(strict, "https://shop.example/", headers={"referer": page})[0] == 400
    described = deployment.pixel(project, website_url="https://shop.example/")
    assert deployment.send(described, page)[0] == 200
    assert deployment.submit(described, page)[0] == 200
    OUTSIDE.pass_time(minutes=20)
    deployment.isolate.run_cron()
    [lead] = OUTSIDE.rows("SELECT * FROM tracking_events WHERE event_type = 'form_submit'")
    assert "no known host" in str(lead["suspicious"])
    assert str(lead["page_url"]).startswith(("https://evil.example/", "http://evil.example/"))


@pytest.mark.parametrize("origin", ["https://127.evil.example", "https://127.0.0.1.evil.example"])
def test_a_name_that_begins_as_an_own_address_is_another_site(
    deployment: Deployment, origin: str
) -> None:
    rules = {"allowed_domains": ["shop.example"]}
    pixel = deployment.pixel(deployment.project("Client"), configuration=rules)
    assert deployment.send(pixel, "https://shop.example/", headers={"origin": origin})[0] == 400


@pytest.mark.parametrize(
    "page", ["https://shop.example./", "https://SHOP.example.:8443/a", "http:shop.example"]
)
def test_a_host_in_another_spelling_is_the_same(deployment: Deployment, page: str) -> None:
    rules = {"allowed_domains": ["shop.example"]}
    pixel = deployment.pixel(deployment.project("Client"), configuration=rules)
    assert deployment.send(pixel, page)[0] == 200


def suspicious() -> list[str]:
    """The reasons of all leads, after the sync."""
    OUTSIDE.pass_time(minutes=20)
    Isolate(**SETTINGS).run_cron()
    sql = "SELECT suspicious FROM tracking_events WHERE event_type = 'form_submit' ORDER BY id"
    return [str(row["suspicious"]) for row in OUTSIDE.rows(sql)]


def test_two_forms_sent_at_once_do_not_vouch_for_each_other(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for number in (1, 2):
        lead = {"email": f"jane{number}@client.example"}
        deployment.submit(pixel, "https://shop.example/", form_data=lead)
    assert all("no other event" in reasons for reasons in suspicious())


@pytest.mark.parametrize("earlier", [{}, {"event_type": "form_submit", "form_data": JANE}])
def test_an_earlier_event_vouches_for_a_lead(
    deployment: Deployment, earlier: dict[str, object]
) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, "https://shop.example/", **earlier)
    OUTSIDE.pass_time(minutes=2)
    deployment.submit(pixel, "https://shop.example/contact")
    assert suspicious()[-1] == "[]"


def test_the_addresses_of_one_network_of_ipv6_are_one_client(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for number in range(8):
        sender = {"visitor": number, "address": f"2001:db8::{number:x}"}
        deployment.send(pixel, "https://shop.example/", **sender)
        lead = {"email": f"jane{number}@client.example"}
        deployment.submit(pixel, "https://shop.example/", form_data=lead, **sender)
    assert all("different addresses from one client" in reasons for reasons in suspicious())


@pytest.mark.parametrize("is_same_visitor", [True, False])
@pytest.mark.parametrize("is_described", [True, False])
def test_the_page_before_tells_nothing_of_another_client(
    deployment: Deployment, *, is_described: bool, is_same_visitor: bool
) -> None:
    site = {"website_url": "https://a.shared.example"} if is_described else {}
    first = deployment.pixel(deployment.project("A"), **site)
    second = deployment.pixel(deployment.project("B"))
    page = "https://a.shared.example/?utm_source=google&utm_campaign=SECRETA&gclid=GA"
    deployment.send(first, page)
    visitor = {"visitor": 1 if is_same_visitor else 2, "referrer_url": page}
    status, answer = deployment.send(second, "https://b.shared.example/", fill=True, **visitor)
    assert (status, answer["attribution"]["source"]) == (200, "direct")
    deployment.submit(second, "https://b.shared.example/contact", **visitor)
    rows = OUTSIDE.rows("SELECT * FROM tracking_events WHERE pixel_id = ?", second)
    assert "SECRETA" not in str((rows, answer))
    assert "GA" not in str((rows, answer))
    assert {row["referrer_url"] for row in rows} == {"https://a.shared.example/"}
    assert list(deployment.breakdown(second, "campaign")) == ["none"]


# Every way in which a link's parameters are found, and some in which they are not.
ENDINGS = [
    "?utm_source=SECRETA&gclid=GA",
    "p#utm_source=SECRETA&utm_campaign=SECRETA&gclid=GA",
    "p#!utm_source=SECRETA",
    "#/route?utm_source=SECRETA",
    "#/route&utm_source=SECRETA",
    "#utm_source%3DSECRETA",
    "?utm_source=SECRETA#gclid=GA",
    "p#gclid=GA",
    "p&utm_source=SECRETA",
    "p%3Futm_source=SECRETA",
    "p%253Futm_source%253DSECRETA",
    "p;utm_source=SECRETA",
    "p%23utm_source=SECRETA",
    "?utm_source%3DSECRETA%26utm_medium%3Demail",
    "?a=b?utm_source=SECRETA",
    "?a=b%26utm_source=SECRETA",
    "?UTM%5FSource[]=SECRETA",
    "??utm_source=SECRETA",
    "?amp;utm_source=SECRETA",
    "?next=https%3A%2F%2Fa.shared.example%2F%3Futm_source%3DSECRETA",
    "?email=jane%40client.example;utm_source=SECRETA",
    "?offer=SECRETA",
    "?keyword=SECRETA",
    f"?filler={'x' * 5_000}&utm_source=SECRETA",
]


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_part_of_another_clients_address_is_stored(deployment: Deployment, ending: str) -> None:
    deployment.pixel(deployment.project("A"), website_url="https://a.shared.example")
    second = deployment.pixel(deployment.project("B"), website_url="https://b.shared.example")
    page = f"https://a.shared.example/{ending}"
    _, answer = deployment.send(second, "https://b.shared.example/", fill=True, referrer_url=page)
    assert answer["attribution"] == {"source": "direct", "medium": "unknown", "campaign": "none"}
    deployment.submit(second, "https://b.shared.example/contact", referrer_url=page)
    rows = OUTSIDE.rows("SELECT * FROM tracking_events WHERE pixel_id = ?", second)
    kept = OUTSIDE.rows("SELECT * FROM visitors"), OUTSIDE.rows("SELECT * FROM sessions")
    texts = str((answer, rows, kept))
    assert "SECRETA" not in texts
    assert "GA'" not in texts
    assert {row["referrer_url"] for row in rows} <= {
        "https://a.shared.example/",
        "https://a.shared.example/p",
    }
    export = f"/api/reports/export/{second}?format=json"
    status, exported = deployment.isolate.request(export, headers={"x-api-key": ADMIN_KEY})
    assert status == 200
    assert "a.shared.example/" in str(exported)
    assert "SECRETA" not in str(exported)


def test_a_lead_is_not_known_by_the_name_in_another_projects_form(deployment: Deployment) -> None:
    by_name = OUTSIDE.account.add_person("Jane Doe", [])
    pixels = [deployment.pixel(deployment.project(name)) for name in "AB"]
    leads = [JANE, {"email": JANE["email"]}]
    for at, (pixel, lead) in enumerate(zip(pixels, leads, strict=True)):
        page = f"https://shop{at}.example/?utm_campaign=of-{at}"
        deployment.send(pixel, page, visitor=at)
        deployment.submit(pixel, page, visitor=at, form_data=lead)
    OUTSIDE.pass_time(minutes=20)
    deployment.isolate.run_cron()
    sql = "SELECT pipedrive_sync_status FROM tracking_events WHERE event_type = 'form_submit'"
    assert [row["pipedrive_sync_status"] for row in OUTSIDE.rows(sql)] == ["synced", "not_found"]
    written = OUTSIDE.account.person(by_name).custom_fields
    assert written[demo_field_map()["utm_campaign"]] == "of-0"


def send_late(deployment: Deployment, pixel: str, page: str, **fields: object) -> None:
    """An event that D1 does not take now, and the cron stores later."""
    OUTSIDE.calls.broken = ("D1",)
    assert deployment.send(pixel, page, **fields)[0] == 503
    OUTSIDE.calls.broken = ()


GOOGLE = "https://shop.example/?utm_source=google"
FACEBOOK = "https://shop.example/?utm_source=facebook"


def form_sources() -> list[str]:
    """What the form is credited to, and what the CRM says of the first and the last touch."""
    OUTSIDE.pass_time(minutes=20)
    Isolate(**SETTINGS).run_cron()
    [form] = OUTSIDE.rows("SELECT * FROM tracking_events WHERE event_type = 'form_submit'")
    [person] = OUTSIDE.account.persons()
    names = ("utm_source", "first_touch_source", "last_touch_source")
    written = [person.custom_fields.get(demo_field_map()[name]) for name in names]
    assert written[0] == form["utm_source"]
    return [str(value) for value in written]


def test_an_ad_that_waited_is_before_the_ads_that_came_after_it(deployment: Deployment) -> None:
    OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    pixel = deployment.pixel(deployment.project("Client"))
    send_late(deployment, pixel, GOOGLE)
    OUTSIDE.pass_time(minutes=3)
    deployment.send(pixel, FACEBOOK)
    deployment.isolate.run_cron()
    OUTSIDE.pass_time(minutes=1)
    deployment.submit(pixel, "https://shop.example/contact")
    assert form_sources() == ["facebook", "google", "facebook"]
    assert list(deployment.breakdown(pixel, "source", attribution="last_non_direct")) == [
        "facebook"
    ]
    linear = deployment.breakdown(pixel, "source", attribution="linear")
    assert {name: row["submissions"] for name, row in linear.items()} == {
        "google": 0.5,
        "facebook": 0.5,
    }
    assert len(OUTSIDE.rows("SELECT 1 FROM sessions")) == 1


@pytest.mark.parametrize("is_first_late", [True, False])
def test_a_form_that_waited_is_credited_to_what_came_before_it(
    deployment: Deployment, *, is_first_late: bool
) -> None:
    OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    pixel = deployment.pixel(deployment.project("Client"))
    if is_first_late:
        send_late(deployment, pixel, GOOGLE)
    else:
        deployment.send(pixel, GOOGLE)
    OUTSIDE.pass_time(minutes=1)
    form = {"event_type": "form_submit", "form_data": JANE, "outcome": "accepted"}
    send_late(deployment, pixel, "https://shop.example/contact", **form)
    OUTSIDE.pass_time(minutes=2)
    deployment.send(pixel, FACEBOOK)
    deployment.isolate.run_cron()
    OUTSIDE.pass_time(minutes=1)
    deployment.send(pixel, "https://shop.example/")
    assert form_sources() == ["google", "google", "google"]
    [last] = OUTSIDE.rows("SELECT utm_source FROM tracking_events ORDER BY timestamp DESC LIMIT 1")
    assert last["utm_source"] == "facebook"


def test_a_form_that_waited_is_not_credited_to_a_click_after_it(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    form = {"event_type": "form_submit", "form_data": JANE, "outcome": "accepted"}
    send_late(deployment, pixel, "https://shop.example/contact", **form)
    OUTSIDE.pass_time(minutes=2)
    deployment.send(pixel, FACEBOOK)
    deployment.isolate.run_cron()
    [row] = OUTSIDE.rows("SELECT * FROM tracking_events WHERE event_type = 'form_submit'")
    assert (row["utm_source"], row["touch_origin"]) == (None, None)


def test_an_event_that_waited_belongs_to_the_session_of_its_time(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    send_late(deployment, pixel, GOOGLE)
    OUTSIDE.pass_time(hours=2)
    deployment.send(pixel, "https://shop.example/")
    deployment.isolate.run_cron()
    rows = OUTSIDE.rows("SELECT session_id, touch_origin FROM tracking_events ORDER BY timestamp")
    assert rows[0]["session_id"] != rows[1]["session_id"]
    deployment.send(pixel, "https://shop.example/")
    [newest] = OUTSIDE.rows("SELECT * FROM tracking_events ORDER BY id DESC LIMIT 1")
    assert newest["session_id"] == rows[1]["session_id"]
    assert newest["touch_origin"] == "visitor"


def test_a_form_that_waited_belongs_to_the_visit_before_it(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, FACEBOOK)
    OUTSIDE.pass_time(hours=2)
    deployment.send(pixel, GOOGLE)
    OUTSIDE.pass_time(minutes=5)
    form = {"event_type": "form_submit", "form_data": JANE, "outcome": "accepted"}
    send_late(deployment, pixel, "https://shop.example/contact", **form)
    OUTSIDE.pass_time(minutes=26)
    deployment.send(pixel, FACEBOOK)
    deployment.isolate.run_cron()
    rows = OUTSIDE.rows("SELECT * FROM tracking_events ORDER BY timestamp")
    assert [row["utm_source"] for row in rows] == ["facebook", "google", "google", "facebook"]
    assert rows[2]["session_id"] == rows[1]["session_id"] != rows[3]["session_id"]


def test_of_a_first_touch_that_came_too_early_nothing_is_left(deployment: Deployment) -> None:
    pixels = [deployment.pixel(deployment.project(name)) for name in "AB"]
    deployment.send(pixels[1], "https://shop.example/?utm_source=b&gclid=GB")
    send_late(deployment, pixels[0], GOOGLE)
    OUTSIDE.pass_time(minutes=3)
    deployment.send(pixels[0], f"{FACEBOOK}&utm_campaign=spring&fbclid=F1")
    deployment.isolate.run_cron()
    [visitor] = OUTSIDE.rows("SELECT first_touches FROM visitors")
    touches = list(json.loads(str(visitor["first_touches"])).values())
    assert touches[0].pop("at") == touches[1].pop("at") == f"{START:%Y-%m-%d %H:%M:%S}"
    assert touches == [
        {"utm_source": "b", "gclid": "GB", "origin": "page_url"},
        {"utm_source": "google", "origin": "page_url"},
    ]


SOURCES = st.sampled_from(["google", "facebook", "newsletter", ""])
JOURNEYS = st.lists(st.tuples(SOURCES, st.booleans(), st.sampled_from([1, 3, 300])), max_size=8)


def play(journey: Sequence[tuple[str, bool, int]], *, in_time: bool) -> Deployment:
    """A journey of pages with these sources, of which some wait if not all come in time."""
    deployment = Deployment()
    pixel = deployment.pixel(deployment.project("Client"))
    for source, waits, minutes in journey:
        OUTSIDE.pass_time(minutes=minutes)
        page = f"https://shop.example/?utm_source={source}"
        if waits and not in_time:
            send_late(deployment, pixel, page)
        else:
            deployment.send(pixel, page)
    deployment.isolate.run_cron()
    OUTSIDE.pass_time(minutes=1)
    deployment.submit(pixel, "https://shop.example/contact")
    return deployment


def first_and_latest() -> tuple[object, ...]:
    """The visitor's first touches, and what the form is credited to."""
    [visitor] = OUTSIDE.rows("SELECT first_touches FROM visitors")
    [form] = OUTSIDE.rows("SELECT * FROM tracking_events WHERE event_type = 'form_submit'")
    touches = list(json.loads(str(visitor["first_touches"] or "{}")).values())
    for touch in touches:
        del touch["at"]
    return touches, form["utm_source"], form["touch_origin"]


def shares(deployment: Deployment) -> dict[tuple[str, str], float]:
    """The share of each source in the lead, by each model."""
    [pixel] = OUTSIDE.rows("SELECT DISTINCT pixel_id FROM tracking_events")
    return {
        (model, source): row["submissions"]
        for model in SHARES
        for source, row in deployment.breakdown(
            str(pixel["pixel_id"]), "source", attribution=model
        ).items()
    }


@given(JOURNEYS)
@settings(max_examples=40, deadline=None)
def test_a_lead_has_the_same_credit_whichever_of_its_touches_waited(
    journey: list[tuple[str, bool, int]],
) -> None:
    shares_in_time = shares(play(journey, in_time=True))
    in_time = first_and_latest()
    # A database that is away is asked for some seconds.
    assert shares(play(journey, in_time=False)) == pytest.approx(shares_in_time, abs=1e-3)
    assert first_and_latest() == in_time


def test_a_visit_that_goes_on_at_another_pixel_of_the_project_keeps_its_ad(
    deployment: Deployment,
) -> None:
    project = deployment.project("Client")
    first, second = deployment.pixel(project), deployment.pixel(project)
    deployment.send(first, "https://shop.example/?utm_source=old")
    deployment.send(second, "https://form.example/")
    OUTSIDE.pass_time(days=20)
    deployment.send(first, "https://shop.example/?utm_source=new")
    OUTSIDE.pass_time(minutes=1)
    _, answer = deployment.submit(second, "https://form.example/")
    assert answer["attribution"]["source"] == "new"
    assert list(deployment.breakdown(second, "source", attribution="last", days="10")) == ["new"]
    assert len(OUTSIDE.rows("SELECT 1 FROM sessions")) == 2
    other = deployment.pixel(deployment.project("Other"))
    deployment.send(other, "https://other.example/")
    assert len(OUTSIDE.rows("SELECT 1 FROM sessions")) == 3


def channels_of(deployment: Deployment, pixel: str, **query: str) -> dict[str, int]:
    """The events of each channel."""
    rows = deployment.breakdown(pixel, "channel", **query)
    return {name: row["events"] for name, row in rows.items()}


def test_the_sites_that_a_pixel_names_are_no_referrals(deployment: Deployment) -> None:
    named = {
        "website_url": "https://www.shop.example/",
        "configuration": {"allowed_domains": ["*.shop.example", "client.example"]},
    }
    pixel = deployment.pixel(deployment.project("Client"), **named)
    for visitor, site in enumerate(("blog.shop.example", "shop.example", "client.example"), 1):
        page = {"visitor": visitor, "referrer_url": f"https://{site}/"}
        deployment.send(pixel, "https://www.shop.example/", **page)
    partner = {"visitor": 9, "referrer_url": "https://partner.example/"}
    deployment.send(pixel, "https://www.shop.example/", **partner)
    for attribution in ("credit", "last", "first"):
        channels = channels_of(deployment, pixel, attribution=attribution)
        assert channels == {"Direct": 3, "Referral": 1}


@pytest.mark.parametrize("pause", [20, 40])
def test_a_visit_has_the_first_page_of_its_session(deployment: Deployment, pause: int) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    OUTSIDE.pass_time(hours=11, minutes=50)
    first = "https://shop.example/landing"
    deployment.send(pixel, first, referrer_url="https://www.google.com/")
    OUTSIDE.pass_time(minutes=pause)
    day = f"{OUTSIDE.now:%Y-%m-%d}"
    second = {"referrer_url": "https://shop.example/"}
    deployment.send(pixel, "https://shop.example/b", **second)
    deployment.submit(pixel, "https://shop.example/b", **second)
    spans = {"from": day, "to": day}
    is_open = pause < 30
    for attribution in ("credit", "last", "first"):
        channels = channels_of(deployment, pixel, attribution=attribution, **spans)
        assert channels == {"Organic Search" if is_open else "Direct": 2}
    pages = deployment.breakdown(pixel, "landing_page", **spans)
    assert list(pages) == [first if is_open else "https://shop.example/b"]


def test_a_first_page_that_waited_is_where_the_visit_began(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    search = {"referrer_url": "https://www.google.com/"}
    send_late(deployment, pixel, "https://shop.example/landing", **search)
    OUTSIDE.pass_time(minutes=3)
    deployment.send(pixel, "https://shop.example/b", referrer_url="https://shop.example/landing")
    deployment.isolate.run_cron()
    deployment.submit(pixel, "https://shop.example/b")
    for attribution in ("credit", "first", *SHARES):
        channels = deployment.breakdown(pixel, "channel", attribution=attribution)
        assert list(channels) == ["Organic Search"]
    assert list(deployment.breakdown(pixel, "landing_page")) == ["https://shop.example/landing"]


def test_an_image_whose_page_was_not_encoded_has_the_whole_campaign(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    page = "https://shop.example/?utm_source=x&utm_medium=y&utm_campaign=a%26b&gclid=G"
    image = f"/e/page.gif?pixel_id={pixel}&page_url={page}&cb=17"
    assert deployment.isolate.request(image)[0] == 200
    [event] = OUTSIDE.rows("SELECT * FROM tracking_events")
    names = ("page_url", "utm_source", "utm_medium", "utm_campaign", "gclid")
    assert [event[name] for name in names] == [page, "x", "y", "a&b", "G"]


def test_the_first_touch_is_credited_with_nothing_that_came_before_it(
    deployment: Deployment,
) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, "https://shop.example/", referrer_url="https://www.google.com/")
    deployment.submit(pixel, "https://shop.example/contact")
    before = {
        by: deployment.breakdown(pixel, by, attribution="first")
        for by in ("campaign", "source", "channel")
    }
    assert before["campaign"]["none"]["submissions"] == 1
    assert before["channel"]["Organic Search"]["submissions"] == 1

    # The ad comes in the same visit, and again three weeks later.
    OUTSIDE.pass_time(minutes=1)
    ad = "https://shop.example/?utm_source=news&utm_campaign=late&utm_medium=email"
    deployment.send(pixel, ad)
    deployment.submit(pixel, "https://shop.example/more", form_data=JANE | {"email": "j@b.example"})
    campaigns = deployment.breakdown(pixel, "campaign", attribution="first")
    assert {name: row["submissions"] for name, row in campaigns.items()} == {"none": 1, "late": 1}
    channels = deployment.breakdown(pixel, "channel", attribution="first")
    assert channels["Organic Search"]["submissions"] == channels["Email"]["submissions"] == 1
    OUTSIDE.pass_time(minutes=20 * 24 * 60)
    deployment.send(pixel, f"{ad}-again")
    deployment.submit(pixel, "https://shop.example/c", form_data=JANE | {"email": "k@b.example"})
    campaigns = deployment.breakdown(pixel, "campaign", attribution="first")
    assert {name: row["submissions"] for name, row in campaigns.items()} == {"none": 1, "late": 2}


def test_the_crm_does_not_get_a_first_touch_that_came_after_the_form(
    deployment: Deployment,
) -> None:
    OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.submit(pixel, "https://shop.example/contact")
    OUTSIDE.pass_time(minutes=1)
    deployment.send(pixel, GOOGLE)
    assert form_sources()[1:] == ["direct", "direct"]


def test_a_campaign_without_a_source_came_from_none_that_is_known(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    poster = "https://shop.example/?utm_campaign=qr_plakat"
    _, answer = deployment.send(pixel, poster, referrer_url="https://www.google.com/")
    credited = {"source": "none", "medium": "unknown", "campaign": "qr_plakat"}
    assert answer["attribution"] == credited
    _, answer = deployment.submit(pixel, "https://shop.example/contact")
    assert answer["attribution"] == credited
    for attribution in ATTRIBUTIONS:
        for by, value in (("source", "none"), ("channel", "Unassigned"), ("campaign", "qr_plakat")):
            rows = deployment.breakdown(pixel, by, attribution=attribution)
            assert {name: row["submissions"] for name, row in rows.items()} == {value: 1}


def test_an_ad_group_is_no_campaign(deployment: Deployment) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for query, campaign in (
        ("gclid=G1&adgroup=12345", "none"),
        ("gclid=G2&hsa_grp=777", "none"),
        ("gclid=G3&hsa_grp=777&hsa_cam=888", "888"),
        ("gclid=G4&hsa_cam=888&utm_campaign=spring", "spring"),
    ):
        _, answer = deployment.send(pixel, f"https://shop.example/?{query}")
        assert answer["attribution"]["campaign"] == campaign
    _, answer = deployment.send(pixel, "https://shop.example/", visitor=2, ad_group="12345")
    assert answer["attribution"]["campaign"] == "none"
    assert deployment.breakdown(pixel, "campaign").keys() == {"none", "888", "spring"}


AD = "utm_source=facebook&utm_medium=paid&utm_campaign=lal"
LONE_CLICKS = ["", "?fbclid=F1", "?fbclid=F1&ad_group=5", "?rdt_cid=R1", "?fbclid=F1&rdt_cid=R1"]


@given(st.lists(st.tuples(st.sampled_from(LONE_CLICKS), st.booleans()), max_size=5))
@settings(max_examples=40, deadline=None)
def test_a_click_id_that_goes_from_page_to_page_is_one_touch(
    pages: list[tuple[str, bool]],
) -> None:
    deployment = Deployment()
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, f"https://shop.example/lp?{AD}&fbclid=F1&rdt_cid=R1")
    credited = {"source": "facebook", "medium": "paid", "campaign": "lal"}
    for query, is_form in pages:
        OUTSIDE.pass_time(minutes=3)
        send = deployment.submit if is_form else deployment.send
        assert send(pixel, f"https://shop.example/prices{query}")[1]["attribution"] == credited
    deployment.submit(pixel, "https://shop.example/contact")
    origins = OUTSIDE.rows("SELECT DISTINCT touch_origin FROM tracking_events ORDER BY id")
    assert [row["touch_origin"] for row in origins] == ["page_url", "session"]
    for attribution in ATTRIBUTIONS:
        rows = deployment.breakdown(pixel, "campaign", attribution=attribution)
        assert rows.keys() == {"lal"}


LINK = {
    "utm_source": "Google",
    "utm_medium": "cpc",
    "utm_campaign": "Été 24",
    "utm_content": "b",
    "gclid": "G1",
    "gbraid": "B1",
}
# Which parameters, where they are, whether source and medium are spelt otherwise, and whether the
# page waits while the database is away.
CARRIED = st.tuples(
    st.sets(st.sampled_from(sorted(LINK))),
    st.sampled_from(["page_url", "referrer_url", "body"]),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(CARRIED, max_size=5), CARRIED)
@settings(max_examples=60, deadline=None)
def test_behind_a_whole_link_all_or_some_of_its_parameters_are_no_touch(
    pages: list[tuple[set[str], str, bool, bool]], form: tuple[set[str], str, bool, bool]
) -> None:
    deployment = Deployment()
    OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, f"https://shop.example/lp?{urlencode(LINK)}")
    for at, (names, origin, is_spelt_otherwise, waits) in enumerate([*pages, form]):
        OUTSIDE.pass_time(minutes=1)
        parameters = {name: LINK[name] for name in sorted(names)}
        if is_spelt_otherwise:
            spellings = {"utm_source": " google", "utm_medium": "CPC ", "utm_campaign": "ÉTé 24"}
            parameters |= {name: spellings[name] for name in names & spellings.keys()}
        address = f"https://shop.example/p?{urlencode(parameters)}"
        page = address if origin == "page_url" else "https://shop.example/p"
        fields: dict[str, object] = {"referrer_url": address} if origin == "referrer_url" else {}
        fields |= parameters if origin == "body" else {}
        if at == len(pages):
            deployment.submit(pixel, page, **fields)
        elif waits:
            send_late(deployment, pixel, page, **fields)
        else:
            deployment.send(pixel, page, **fields)
    OUTSIDE.pass_time(minutes=20)
    deployment.isolate.run_cron()
    columns = "utm_source, utm_medium, utm_campaign, utm_content, gclid, click_ids ->> 'gbraid'"
    touches = OUTSIDE.rows(f"SELECT DISTINCT {columns} FROM tracking_events")
    assert [list(row.values()) for row in touches] == [list(LINK.values())]
    [person] = OUTSIDE.account.persons()
    keys = demo_field_map()
    for name in ("utm_source", "utm_medium", "utm_campaign", "utm_content", "gclid"):
        assert person.custom_fields[keys[name]] == LINK[name]
    assert person.custom_fields[keys["last_touch_campaign"]] == LINK["utm_campaign"]
    for attribution in ATTRIBUTIONS:
        for by, credited in (("campaign", LINK["utm_campaign"]), ("click_id", "google")):
            rows = deployment.breakdown(pixel, by, attribution=attribution)
            assert {name: row["submissions"] for name, row in rows.items()} == {credited: 1}


META = "utm_source=facebook&utm_medium=paid&utm_campaign=spring&fbclid=F1"


@pytest.mark.parametrize(
    ("pages", "credited"),
    [
        (["utm_source=facebook&utm_medium=paid&utm_campaign=spring", "fbclid=F1"], META),
        (["utm_campaign=spring"], META),
        (["utm_source=facebook&fbclid=F1&fbc=fb.1.2.F1&placement=feed"], META),
        ([f"{META}&utm_content=b"], f"{META}&utm_content=b"),
        (["utm_source=news", "fbclid=F1"], "fbclid=F1"),
        (["utm_source=news", META, "fbclid=F1"], META),
        (["utm_campaign=spring&utm_term=x"], "utm_campaign=spring&utm_term=x"),
        (["utm_source=Instagram&utm_campaign=spring"], "utm_source=Instagram&utm_campaign=spring"),
    ],
)
def test_a_session_keeps_the_fuller_link(
    deployment: Deployment, pages: list[str], credited: str
) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for query in (META, *pages):
        deployment.send(pixel, f"https://shop.example/p?{query}")
        OUTSIDE.pass_time(minutes=1)
    deployment.submit(pixel, "https://shop.example/contact")
    [form] = OUTSIDE.rows("SELECT * FROM tracking_events WHERE event_type = 'form_submit'")
    names = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "fbclid")
    assert {name: form[name] for name in names if form[name]} == dict(parse_qsl(credited))


@pytest.mark.parametrize("other", ["fbclid=F2", "gclid=F1", "fbclid=F1&utm_source=x", "rdt_cid=F1"])
def test_another_click_is_another_touch(deployment: Deployment, other: str) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    deployment.send(pixel, f"https://shop.example/lp?{AD}&fbclid=F1")
    _, answer = deployment.send(pixel, f"https://shop.example/prices?{other}")
    assert answer["attribution"]["campaign"] == "none"
    OUTSIDE.pass_time(minutes=40)
    _, answer = deployment.send(pixel, "https://shop.example/prices?fbclid=F1")
    assert answer["attribution"]["campaign"] == "none"


def test_a_click_id_alone_is_a_touch_of_its_own_where_no_other_has_it(
    deployment: Deployment,
) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for _ in range(2):
        deployment.send(pixel, "https://shop.example/?rdt_cid=R1")
    rows = OUTSIDE.rows("SELECT touch_origin FROM tracking_events")
    assert [row["touch_origin"] for row in rows] == ["page_url", "page_url"]


@pytest.mark.parametrize("has_own_fields", [True, False])
def test_in_one_account_the_fields_of_a_touch_are_of_the_newest_lead_that_had_one(
    deployment: Deployment, *, has_own_fields: bool
) -> None:
    keys = demo_field_map()
    fields = {"utm_source": keys["utm_content"], "project_id": keys["utm_term"]}
    settings = {"pipedrive_fields": fields} if has_own_fields else {}
    person = OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    projects = [deployment.project("A"), deployment.project("B", **settings)]
    for at, query in enumerate(("?utm_source=google", "")):
        pixel, page = deployment.pixel(projects[at]), f"https://shop{at}.example/"
        deployment.send(pixel, page + query, visitor=at)
        deployment.submit(pixel, page, visitor=at)
        OUTSIDE.pass_time(minutes=20)
        deployment.isolate.run_cron()
    written = OUTSIDE.account.person(person).custom_fields
    assert written[keys["utm_source"]] == "google"
    if has_own_fields:
        assert written[keys["project_id"]] == projects[0]
        assert (written.get(keys["utm_content"]), written[keys["utm_term"]]) == (None, projects[1])
    else:
        assert (written[keys["project_id"]], written[keys["last_touch_source"]]) == (
            projects[1],
            "direct",
        )


@pytest.mark.parametrize(
    ("click", "ad", "shared"),
    [
        ("gclid=G1", "utm_source=google&utm_medium=cpc&utm_campaign=lal", ["none"]),
        ("fbclid=F1", AD, ["lal", "none"]),
    ],
)
def test_a_click_id_before_its_campaigns_page_is_a_touch_without_campaign(
    deployment: Deployment, click: str, ad: str, shared: list[str]
) -> None:
    pixel = deployment.pixel(deployment.project("Client"))
    for page in (f"?{click}", f"lp?{ad}&{click}"):
        deployment.send(pixel, f"https://shop.example/{page}")
        OUTSIDE.pass_time(minutes=1)
    deployment.submit(pixel, "https://shop.example/contact")
    models = {"credit": ["lal"], "last": ["lal"], "first": ["none"], "linear": shared}
    for attribution, campaigns in models.items():
        rows = deployment.breakdown(pixel, "campaign", attribution=attribution)
        assert sorted(name for name, row in rows.items() if row["submissions"]) == campaigns
