import re
import time
from typing import Any

import httpx
import pytest

from simulator.account import Account, Field, field_code
from simulator.faults import KINDS, Fault
from simulator.server import Simulator


def state(page: httpx.Client) -> Any:  # noqa: ANN401  # JSON
    answer = page.get("/simulator/state")
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_the_page_says_that_it_is_not_the_real_thing(page: httpx.Client) -> None:
    answer = page.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Pipedrive simulator: not the real thing" in answer.text


def test_the_page_needs_nothing_from_elsewhere(page: httpx.Client) -> None:
    answer = page.get("/")
    assert not re.search(r"https?://|@import|<script src|<img", answer.text)
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_every_kind_of_fault_has_words_on_the_page(page: httpx.Client) -> None:
    text = page.get("/").text
    assert all(re.search(rf"^  {kind}: ", text, re.MULTILINE) for kind in KINDS)


def test_persons_are_shown_newest_first(page: httpx.Client, account: Account) -> None:
    account.delete_person(2)
    account.erase_person(1)
    shown = [
        (person["name"], person["is_deleted"], person["is_erased"])
        for person in state(page)["persons"]
    ]
    assert shown == [
        ("Marie Exemple", False, False),
        ("Otto Beispiel", True, False),
        ("Jane Doe", False, True),
    ]


def test_fields_are_shown_by_their_human_names_with_what_changed(
    page: httpx.Client, api: httpx.Client, account: Account
) -> None:
    source, device = field_code("utm_source"), field_code("device_type")
    api.patch("/persons/3", json={"custom_fields": {source: "google", device: 2}})
    api.patch("/persons/3", json={"custom_fields": {source: "bing", device: 2}})
    person = state(page)["persons"][0]
    assert person["fields"] == [
        {"code": source, "name": "UTM source", "value": "bing", "changed": True},
        {"code": device, "name": "Device type", "value": "mobile", "changed": False},
    ]
    assert (person["writes"], person["written"]) == (2, account.person(3).update_time)


@pytest.mark.parametrize(
    ("field_type", "value", "shown"),
    [
        ("double", 4711, "4711"),
        ("address", {"value": "Tallinn"}, "Tallinn"),
        ("monetary", {"value": 5, "currency": "USD"}, "5 USD"),
        ("set", [1, 2], "one, two"),
        ("enum", 1, "one"),
        ("enum", 9, "9"),
    ],
)
def test_values_are_shown_as_a_person_reads_them(
    page: httpx.Client, account: Account, field_type: str, value: object, shown: str
) -> None:
    options = ((1, "one"), (2, "two")) if field_type in ("set", "enum") else ()
    account.fields.append(Field("a" * 40, "Under test", field_type, options))
    account.add_person("Has Value", custom_fields={"a" * 40: value})
    assert state(page)["persons"][0]["fields"][0]["value"] == shown


def test_the_last_requests_are_shown_newest_first(page: httpx.Client, api: httpx.Client) -> None:
    api.get("/persons/search?term=jane@example.com")
    for person_id in range(1, 25):
        api.get(f"/persons/{person_id}")
    requests = state(page)["requests"]
    assert len(requests) == 20
    assert requests[0]["path"] == "/api/v2/persons/24"
    assert (requests[0]["method"], requests[0]["status"]) == ("GET", 404)
    assert abs(requests[0]["at"] - time.time()) < 10
    assert state(page)["requests"] == requests


def test_nobody_learns_the_token_from_the_page(pipedrive: Simulator, page: httpx.Client) -> None:
    assert pipedrive.token not in page.get("/").text
    assert pipedrive.token not in page.get("/simulator/state").text


def test_a_person_can_be_added(page: httpx.Client, account: Account, api: httpx.Client) -> None:
    answer = page.post("/simulator/persons", json={"name": " Neu ", "email": "neu@example.com"})
    assert (answer.status_code, answer.json()) == (201, {"id": 4})
    assert (account.person(4).name, account.person(4).emails) == ("Neu", ["neu@example.com"])
    match = api.get("/persons/search?term=neu@example.com").json()["data"]["items"]
    assert len(match) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"email": "a@example.com"}, "name must be"),
        ({"name": " ", "email": "a@example.com"}, "name must be"),
        ({"name": 5, "email": "a@example.com"}, "name must be"),
        ({"name": "x" * 256, "email": "a@example.com"}, "name must be"),
        ({"name": "A"}, "email must be"),
        ({"name": "A", "email": "nowhere"}, "email must be"),
        ({"name": "A", "email": "a@example.com", "id": 1}, "id is unknown"),
        ([], "must be a JSON object"),
    ],
)
def test_a_person_that_makes_no_sense_is_refused(
    page: httpx.Client, account: Account, body: object, message: str
) -> None:
    answer = page.post("/simulator/persons", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert len(account.persons()) == 3


def test_a_fault_can_be_provoked_and_cleared(
    pipedrive: Simulator, page: httpx.Client, api: httpx.Client
) -> None:
    fault = {
        "kind": "too_many_requests",
        "operation": "person",
        "times": None,
        "seconds": 0,
        "retry_after": 7,
        "person_id": 1,
    }
    answer = page.post("/simulator/faults", json=fault)
    assert (answer.status_code, answer.json()) == (201, fault)
    assert state(page)["faults"] == [fault]
    assert api.get("/persons/1").headers["retry-after"] == "7"
    json_type = {"content-type": "application/json"}
    assert page.delete("/simulator/faults", headers=json_type).status_code == 200
    assert state(page)["faults"] == pipedrive.faults.active() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "kind is missing"),
        ({"kind": "earthquake"}, "kind must be one of"),
        ({"kind": 5}, "kind is not of its type"),
        ({"kind": "slow", "seconds": "1"}, "seconds is not of its type"),
        ({"kind": "slow", "times": True}, "times is not of its type"),
        ({"kind": "slow", "times": 0}, "times must be at least 1"),
        ({"kind": "slow", "operation": "delete"}, "operation must be"),
        ({"kind": "slow", "reached": None}, "reached is unknown"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    pipedrive: Simulator, page: httpx.Client, body: object, message: str
) -> None:
    answer = page.post("/simulator/faults", json=body)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert pipedrive.faults.active() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/simulator/persons"),
        ("POST", "/simulator/faults"),
        ("DELETE", "/simulator/faults"),
    ],
)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_sites_page_cannot_control_it(
    pipedrive: Simulator, page: httpx.Client, method: str, path: str, content_type: str
) -> None:
    pipedrive.faults.add(Fault("server_error"))
    content = b'{"kind": "blocked", "name": "A", "email": "a@example.com"}'
    answer = page.request(method, path, content=content, headers={"content-type": content_type})
    assert answer.status_code == 400
    assert "content-type" in answer.json()["error"]
    assert len(pipedrive.faults.active()) == 1
    preflight = page.options(path, headers={"origin": "https://elsewhere.example"})
    assert preflight.status_code == 404
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 5000])
def test_what_is_not_json_is_refused(page: httpx.Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = page.post("/simulator/persons", content=content, headers=headers)
    assert (answer.status_code, answer.json()) == (400, {"error": "the body is not JSON"})


@pytest.mark.parametrize("path", ["/simulator/", "/simulator/persons", "/favicon.ico"])
def test_there_is_nothing_else(page: httpx.Client, path: str) -> None:
    assert page.get(path).status_code == 404
