"""Two clients on one host: neither gets anything of the other, by whatever the page before says."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest

from paths import ROOT
from services.reports.breakdowns import BREAKDOWNS
from simulator.fields import demo_field_map
from tests.faults.outside import OUTSIDE
from tests.faults.test_whose_numbers import ENDINGS, JANE, Deployment, send_late
from tests.harness.keys import ADMIN_KEY

HOST = "https://lp.agency.example"
AD = "?utm_source=SECRETA&utm_medium=SECRETA&utm_campaign=SECRETA&gclid=SECRETA"
PAGE_A = f"{HOST}/a{AD}"
PAGE_B = f"{HOST}/b"

Site = dict[str, object]


def allowing(domain: str) -> Site:
    """A pixel of these hosts."""
    return {"configuration": {"allowed_domains": [domain]}}


# How the two are told apart: by what is written of A and of B.
SITES: list[tuple[Site, Site]] = [
    ({"website_url": f"{HOST}/a"}, {"website_url": f"{HOST}/b"}),
    ({"website_url": f"{HOST}/a/"}, {"website_url": f"{HOST}/?client=b"}),
    ({"website_url": HOST}, {"website_url": f"{HOST}/b"}),
    ({"website_url": f"{HOST}/a"}, {}),
    ({}, {"website_url": f"{HOST}/b"}),
    ({}, {}),
    (allowing("lp.agency.example"), allowing("lp.agency.example")),
    (allowing("*.agency.example"), allowing("*.agency.example")),
    (allowing("lp.agency.example"), allowing("*.agency.example")),
]


def two_clients(a: Site, b: Site) -> tuple[Deployment, str, str]:
    """A deployment with the pixels of two projects; the visitor was with the first one."""
    deployment = Deployment()
    first, second = (
        deployment.pixel(deployment.project(name), **site) for name, site in (("A", a), ("B", b))
    )
    deployment.send(first, PAGE_A)
    return deployment, first, second


def visible_to(deployment: Deployment, pixel: str) -> str:
    """Everything that a pixel's own people can see of it, and what is stored, as one text."""
    [row] = OUTSIDE.rows("SELECT project_id FROM pixels WHERE id = ?", pixel)
    project = row["project_id"]
    texts: list[object] = [
        OUTSIDE.rows("SELECT * FROM tracking_events WHERE project_id = ?", project),
        OUTSIDE.rows("SELECT * FROM sessions WHERE owning_project_id = ?", project),
        [
            json.loads(str(visitor["first_touches"] or "{}")).get(project)
            for visitor in OUTSIDE.rows("SELECT first_touches FROM visitors")
        ],
    ]
    paths = [
        *(f"breakdown/{pixel}?by={by}&attribution={model}" for by, model in BREAKDOWNS),
        *(f"stats/{pixel}", f"realtime/{pixel}", f"project/{project}/stats"),
        *(f"export/{pixel}?format=json", f"export/{pixel}?format=csv"),
    ]
    for path in paths:
        status, answer = deployment.isolate.request(
            f"/api/reports/{path}", headers={"x-api-key": ADMIN_KEY}
        )
        assert status == 200, (path, answer)
        texts.append(answer)
    return str(texts)


# Where nobody has a path of the host, only the visitor tells whose the pages are.
DIVIDED = SITES[:5]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize(
    ("a", "b", "is_same_visitor"),
    [
        *((a, b, True) for a, b in SITES),
        *((a, b, False) for a, b in DIVIDED),
    ],
)
def test_a_client_gets_nothing_of_another_one_on_its_host(
    a: Site, b: Site, *, is_same_visitor: bool, waits: bool
) -> None:
    deployment, first, second = two_clients(a, b)
    person = OUTSIDE.account.add_person("Jane Doe", [JANE["email"]])
    fields: dict[str, object] = {"visitor": 1 if is_same_visitor else 2, "referrer_url": PAGE_A}
    form = {"event_type": "form_submit", "form_data": JANE, "outcome": "accepted"}
    if waits:
        send_late(deployment, second, PAGE_B, **fields)
        send_late(deployment, second, f"{PAGE_B}/contact", **fields, **form)
        deployment.isolate.run_cron()
    else:
        status, answer = deployment.send(second, PAGE_B, fill=True, **fields)
        assert (status, answer["attribution"]["source"]) == (200, "direct")
        assert set(answer["touch"].values()) == {None}
        assert deployment.submit(second, f"{PAGE_B}/contact", fill=True, **fields)[0] == 200
    OUTSIDE.pass_time(minutes=20)
    deployment.isolate.run_cron()
    assert "SECRETA" not in visible_to(deployment, second)
    rows = OUTSIDE.rows("SELECT referrer_url FROM tracking_events WHERE pixel_id = ?", second)
    assert {row["referrer_url"] for row in rows} == {f"{HOST}/a"}
    written = OUTSIDE.account.person(person).custom_fields
    assert "SECRETA" not in str(written)
    assert written[demo_field_map()["first_touch_source"]] == "direct"
    # The first client has its own as before.
    answer = deployment.send(first, f"{HOST}/a/more", referrer_url=PAGE_A)[1]
    assert answer["attribution"]["campaign"] == "SECRETA"


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_part_of_another_clients_address_on_the_host_is_stored(ending: str) -> None:
    deployment, _, second = two_clients(*SITES[0])
    page = f"{HOST}/a/{ending}"
    _, answer = deployment.send(second, PAGE_B, fill=True, visitor=2, referrer_url=page)
    assert answer["attribution"] == {"source": "direct", "medium": "unknown", "campaign": "none"}
    deployment.submit(second, f"{PAGE_B}/contact", visitor=2, referrer_url=page)
    text = visible_to(deployment, second)
    assert "SECRETA" not in text
    assert "GA'" not in text


@pytest.mark.parametrize(("a", "b"), SITES)
def test_a_client_keeps_the_campaign_of_its_own_pages_on_a_shared_host(a: Site, b: Site) -> None:
    deployment, _, second = two_clients(a, b)
    own_ad = f"{PAGE_B}?utm_campaign=ours"
    deployment.send(second, own_ad, visitor=3)
    # Hours later, and the page before is still the one with the ad.
    OUTSIDE.pass_time(hours=2)
    _, answer = deployment.send(second, f"{PAGE_B}/more", visitor=3, referrer_url=own_ad)
    assert answer["attribution"]["campaign"] == "ours"
    [row] = OUTSIDE.rows("SELECT * FROM tracking_events ORDER BY id DESC LIMIT 1")
    assert (row["referrer_url"], row["touch_origin"]) == (own_ad, "referrer")


@pytest.mark.parametrize("referrer", [PAGE_A, PAGE_A.replace("/a?", "/A/?"), f"{HOST}:443/a/x{AD}"])
def test_an_image_and_an_old_pixels_form_get_nothing_of_another_client(referrer: str) -> None:
    deployment, _, second = two_clients(*SITES[0])
    image = f"/e/page.gif?pixel_id={second}&page_url={quote(PAGE_B, '')}"
    cookie = {"cookie": f"ppp_visitor=pxl_{1:016x}"}
    address = f"{image}&referrer_url={quote(referrer, '')}"
    assert deployment.isolate.request(address, headers=cookie)[0] == 200
    assert deployment.submit(second, PAGE_B, referrer_url=referrer, event_key=None)[0] == 200
    assert "SECRETA" not in visible_to(deployment, second)
    assert len(OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE pixel_id = ?", second)) == 2


def test_an_event_that_was_parked_gets_nothing_of_another_client() -> None:
    deployment, _, second = two_clients(*SITES[0])
    OUTSIDE.database.execute("UPDATE pixels SET active = 0 WHERE id = ?", (second,))
    send_late(deployment, second, PAGE_B, referrer_url=PAGE_A)
    OUTSIDE.pass_time(minutes=5)
    deployment.isolate.run_cron()
    assert not OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE pixel_id = ?", second)
    OUTSIDE.database.execute("UPDATE pixels SET active = 1 WHERE id = ?", (second,))
    for _ in range(2):
        OUTSIDE.pass_time(minutes=5)
        deployment.isolate.run_cron()
    assert len(OUTSIDE.rows("SELECT 1 FROM tracking_events WHERE pixel_id = ?", second)) == 1
    assert "SECRETA" not in visible_to(deployment, second)


def calls_of(deployment: Deployment, pixel: str, page: str, referrer: str) -> int:
    """The round trips to D1 of an event."""
    before = len(OUTSIDE.calls.names)
    assert deployment.send(pixel, page, referrer_url=referrer)[0] == 200
    return OUTSIDE.calls.names[before:].count("D1")


def test_a_project_alone_on_its_host_pays_nothing() -> None:
    deployment, first, _ = two_clients({"website_url": "https://a.example"}, {})
    deployment.send(first, "https://a.example/")

    def calls(referrer: str) -> int:
        return calls_of(deployment, first, "https://a.example/more", referrer)

    assert calls("https://a.example/") == 1
    telling = "https://a.example/?utm_campaign=spring"
    # The first one reads the sites of all pixels, with which the isolate then does.
    assert [calls(telling), calls(telling), calls("https://www.a.example/x?p=1")] == [2, 1, 1]
    OUTSIDE.pass_time(minutes=2)
    # The pixel is looked up again, too.
    assert [calls(telling), calls(telling)] == [3, 1]


def test_on_a_shared_host_only_what_the_paths_leave_open_costs_a_round_trip() -> None:
    deployment, first, second = two_clients(*SITES[0])
    calls_of(deployment, second, PAGE_B, PAGE_A)
    assert calls_of(deployment, second, PAGE_B, PAGE_A) == 1
    assert calls_of(deployment, second, PAGE_B, f"{PAGE_B}?utm_campaign=ours") == 1
    assert calls_of(deployment, second, PAGE_B, f"{HOST}/c?utm_campaign=whose") == 2
    assert calls_of(deployment, second, PAGE_B, f"{HOST}/c") == 1
    assert calls_of(deployment, first, f"{HOST}/a", PAGE_A) == 1


def test_the_documented_query_finds_what_another_client_left_in_older_rows() -> None:
    page = (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")
    [sql] = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    deployment, _, second = two_clients({"website_url": f"{HOST}/a/"}, {"website_url": HOST})
    deployment.pixel(deployment.project("C"), website_url="https://www.c.example")
    foreign = [PAGE_A, f"{HOST}/A/b?utm_source=x", "https://c.example?utm_source=x"]
    harmless = [f"{HOST}/ab?gclid=1", f"{HOST}?gclid=1", "https://c.example.evil.example/?gclid=1"]
    for number, referrer in enumerate([*foreign, *harmless]):
        deployment.send(second, f"{PAGE_B}?gclid={number}")
        OUTSIDE.database.execute(
            "UPDATE tracking_events SET referrer_url = ?, touch_origin = 'referrer',"
            " timestamp = '2026-10-05 12:00:00'"
            " WHERE id = (SELECT max(id) FROM tracking_events)",
            (referrer,),
        )
    older_rows = OUTSIDE.rows(sql.replace("PIXEL", second))
    assert [row["referrer_url"] for row in older_rows] == foreign
