"""The commands of a page: what a site says itself, at once or before the script is there."""

from __future__ import annotations

import json
import time

from config import VERSION
from tests.browser.client_site import (
    FORM,
    PIXEL_TAG,
    SETTLE_SECONDS,
    Visit,
    document,
    until,
)
from tests.harness.worker import Row

ADA = {"email": "ada@example.org", "first_name": "Ada", "last_name": "Lovelace"}
PHONE = "+49 151 5550123"
STUB = """<script>
  window.ppp = window.ppp || function () { (ppp.q = ppp.q || []).push(arguments); };
  ppp("identify", { email: "ada@example.org", first_name: "Ada", last_name: "Lovelace" });
  ppp("event", "plan chosen", { plan: "pro", seats: 3 });
  ppp("pageview");
</script>"""
STAYING_FORM = FORM.replace("<form", '<form onsubmit="event.preventDefault()"')
WRONG = """() => {
  for (const command of [undefined, null, 7, "", "nonsense", "toString", "__proto__", {}]) {
    ppp(command);
    ppp(command, null, undefined, 7);
  }
  ppp();
  for (const data of [undefined, null, 7, "ada", [], { email: 7 }, { email: {} }]) {
    ppp("identify", data);
  }
  const loop = {};
  loop.loop = loop;
  for (const data of [loop, 7n, () => 7]) ppp("event", "odd", data);
  for (const name of [undefined, null, {}, ""]) ppp("event", name);
  ppp("pageview", null);
}"""


def person_of(row: Row) -> object:
    return json.loads(str(row["form_data"]))


def test_what_was_said_before_the_script_came_is_done_once_it_is_there(visit: Visit) -> None:
    visit.site.pages["/"] = document(STUB + PIXEL_TAG, "Welcome")
    visit.open("/")
    rows = {row["event_type"]: row for row in visit.stored(3)}
    assert sorted(rows) == ["custom", "form_submit", "pageview"]
    assert person_of(rows["form_submit"]) == ADA
    assert rows["custom"]["event_name"] == "plan chosen"
    assert json.loads(rows["custom"]["event_data"]) == {"plan": "pro", "seats": 3}
    assert len({row["visitor_id"] for row in rows.values()}) == 1
    assert sorted(row["visitor_sequence"] for row in rows.values()) == [1, 2, 3]


def test_an_event_of_the_site_is_a_row_with_its_name_and_data(visit: Visit) -> None:
    visit.open("/")
    visit.command("event", "video played", {"title": "Ponds, “and” 🦆", "seconds": [1, 2.5]})
    visit.command("event", "nothing more to say")
    rows = sorted(visit.stored(3), key=lambda row: int(row["visitor_sequence"]))[1:]
    assert [(row["event_type"], row["event_name"], row["event_data"]) for row in rows] == [
        ("custom", "video played", '{"title":"Ponds, “and” 🦆","seconds":[1,2.5]}'),
        ("custom", "nothing more to say", None),
    ]


def test_an_identified_person_is_one_lead_without_a_phone(visit: Visit) -> None:
    visit.open("/")
    person = {**ADA, "phone": PHONE, "company": "Analytical Engines"}
    visit.command("identify", person)
    visit.command("identify", person)
    [_, lead] = visit.stored(2)
    assert lead["event_type"] == "form_submit"
    assert person_of(lead) == ADA
    for body in visit.sent():
        assert "phone" not in json.dumps(body)
        assert "5550123" not in json.dumps(body)
        assert "Engines" not in json.dumps(body)


def test_what_is_known_later_completes_the_same_lead(visit: Visit) -> None:
    visit.open("/")
    visit.command("identify", {"email": ADA["email"]})
    visit.command("identify", {"email": ADA["email"], "first_name": "Ada"})
    visit.command("identify", {"email": ADA["email"], "last_name": "Lovelace"})
    [_, lead] = visit.stored(2)
    assert person_of(lead) == ADA


def test_a_form_and_the_sites_own_word_of_it_are_one_lead(visit: Visit) -> None:
    visit.site.pages["/"] = document(PIXEL_TAG, STAYING_FORM)
    visit.open("/")
    visit.page.get_by_role("button", name="Send").click()
    assert until(lambda: len(visit.rows()) == 2)
    visit.command("identify", {"email": ADA["email"], "phone": PHONE})
    [_, lead] = visit.stored(2)
    assert person_of(lead) == ADA
    assert "5550123" not in json.dumps(visit.sent())


def test_another_address_is_another_lead(visit: Visit) -> None:
    visit.open("/")
    visit.command("identify", ADA)
    visit.command("identify", {"email": "grace@example.org"})
    leads = visit.stored(3)[1:]
    assert sorted(str(lead["form_data"]) for lead in leads) == [
        '{"email":"ada@example.org","first_name":"Ada","last_name":"Lovelace"}',
        '{"email":"grace@example.org"}',
    ]


def test_the_same_page_counts_again_when_it_is_told_to(visit: Visit) -> None:
    visit.open("/")
    visit.command("pageview")
    visit.page.evaluate("PPPTracker.track()")
    rows = visit.stored(3)
    assert {(row["event_type"], row["page_url"]) for row in rows} == {
        ("pageview", f"{visit.site.url}/")
    }


def test_the_script_says_its_version(visit: Visit) -> None:
    visit.open("/")
    assert visit.page.evaluate("[ppp.version, PPPTracker.version]") == [VERSION, VERSION]


def test_a_wrong_command_is_no_exception_and_spoils_nothing(visit: Visit) -> None:
    errors = visit.errors()
    visit.open("/")
    visit.page.evaluate(WRONG)
    time.sleep(SETTLE_SECONDS)
    visit.command("event", "afterwards")
    assert until(lambda: [row for row in visit.rows() if row["event_name"] == "afterwards"])
    assert [row["form_data"] for row in visit.rows("form_submit") if row["form_data"]] == []
    assert errors == []
