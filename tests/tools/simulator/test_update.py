from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from simulator.account import Account, Field, field_code

SOURCE = field_code("utm_source")
DEVICE = field_code("device_type")
PAGE = field_code("page_url")
INVALID = "ERR_SCHEMA_VALIDATION_FAILED"
TEST_KEY = "a" * 40


def patch(api: httpx.Client, custom_fields: object, person_id: int = 1) -> httpx.Response:
    return api.patch(f"/persons/{person_id}", json={"custom_fields": custom_fields})


def refused(answer: httpx.Response) -> str:
    """What a refusal says."""
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["success"], body["code"]) == (False, INVALID)
    return str(body["error"])


def test_an_update_answers_the_whole_person(api: httpx.Client, account: Account) -> None:
    answer = patch(api, {SOURCE: "google", DEVICE: 2})
    assert answer.status_code == 200
    assert answer.json() == api.get("/persons/1").json()
    assert account.person(1).custom_fields == {SOURCE: "google", DEVICE: 2}


def test_an_update_leaves_other_fields_alone_and_null_clears_one(
    api: httpx.Client, account: Account
) -> None:
    patch(api, {SOURCE: "google", DEVICE: 2})
    patch(api, {SOURCE: None, PAGE: "https://example.com/"})
    assert account.person(1).custom_fields == {DEVICE: 2, PAGE: "https://example.com/"}


def test_an_update_changes_the_update_time(api: httpx.Client, account: Account) -> None:
    person_id = account.add_person("Old Timer", update_time="2026-01-02T03:04:05Z")
    patch(api, {SOURCE: "google"}, person_id)
    person = account.person(person_id)
    assert person.update_time > person.add_time == "2026-01-02T03:04:05Z"


def test_every_write_is_noted_with_what_it_changed(api: httpx.Client, account: Account) -> None:
    patch(api, {SOURCE: "google", DEVICE: 2})
    patch(api, {SOURCE: "google", DEVICE: 3})
    person = account.person(1)
    assert [fields for _, fields in person.writes] == [
        {SOURCE: "google", DEVICE: 2},
        {SOURCE: "google", DEVICE: 3},
    ]
    assert person.writes[-1].time == person.update_time
    assert person.changed == {DEVICE}


def test_a_custom_field_at_the_root_is_refused(api: httpx.Client) -> None:
    assert SOURCE in refused(api.patch("/persons/1", json={SOURCE: "google"}))


@pytest.mark.parametrize("body", [{"title": "Dr"}, {"custom_fields": {}, "id": 1}])
def test_unknown_keys_at_the_root_are_refused(api: httpx.Client, body: object) -> None:
    refused(api.patch("/persons/1", json=body))


@pytest.mark.parametrize("key", ["name", "emails", "phones", "owner_id", "label_ids"])
def test_documented_keys_are_refused_because_the_product_only_enriches(
    api: httpx.Client, key: str
) -> None:
    body = {"custom_fields": {SOURCE: "google"}, key: "anything"}
    assert "only enriches" in refused(api.patch("/persons/1", json=body))


def test_an_account_that_is_not_for_enriching_takes_name_and_lists(
    api: httpx.Client, account: Account
) -> None:
    account.enrich_only = False
    body = {"name": "Jane Roe", "emails": [{"value": "roe@example.com"}], "phones": []}
    assert api.patch("/persons/1", json=body).status_code == 200
    person = account.person(1)
    assert (person.name, person.emails, person.phones) == ("Jane Roe", ["roe@example.com"], [])


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"emails": "a@example.com"}, {"phones": ["1"]}, {"owner_id": 2}]
)
def test_what_it_cannot_take_is_refused_there_too(
    api: httpx.Client, account: Account, body: object
) -> None:
    account.enrich_only = False
    refused(api.patch("/persons/1", json=body))


@pytest.mark.parametrize("key", ["utm_source", "name", "0" * 40, SOURCE.upper(), f"{SOURCE}_x"])
def test_one_unknown_key_refuses_the_whole_update(
    api: httpx.Client, account: Account, key: str
) -> None:
    answer = patch(api, {SOURCE: "google", key: "x"})
    assert refused(answer) == f"Validation failed: custom_fields: Unknown key '{key}'"
    assert account.person(1).custom_fields == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'"x"', b"null", b"{}", b'{"custom_fields": NaN}', b"[" * 5000, b"\xff"],
)
def test_the_body_must_be_a_json_object(api: httpx.Client, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    refused(api.patch("/persons/1", content=content, headers=headers))


@pytest.mark.parametrize("custom_fields", [None, [], "x", 1])
def test_custom_fields_must_be_an_object(api: httpx.Client, custom_fields: object) -> None:
    refused(patch(api, custom_fields))


def test_custom_fields_in_custom_fields_break_the_api(api: httpx.Client) -> None:
    answer = patch(api, {"custom_fields": {SOURCE: "google"}})
    assert (answer.status_code, answer.json()["success"]) == (500, False)


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_the_content_type_must_be_json(api: httpx.Client, content_type: str) -> None:
    headers = {"content-type": content_type}
    content = b'{"custom_fields": {}}'
    error = refused(api.patch("/persons/1", content=content, headers=headers))
    assert "content-type" in error


def test_a_content_type_may_name_a_charset(api: httpx.Client) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    answer = api.patch("/persons/1", content=b'{"custom_fields": {}}', headers=headers)
    assert answer.status_code == 200


def test_a_deleted_erased_or_unknown_person_is_not_found(
    api: httpx.Client, account: Account
) -> None:
    account.delete_person(1)
    account.erase_person(2)
    for person_id in (1, 2, 99):
        answer = patch(api, {SOURCE: "google"}, person_id)
        assert (answer.status_code, answer.json()["success"]) == (404, False)
    assert account.person(1).writes == account.person(2).writes == []


def test_an_update_takes_no_parameters(api: httpx.Client) -> None:
    answer = api.patch("/persons/1?force=true", json={"custom_fields": {SOURCE: "google"}})
    refused(answer)


OPTIONS = ((7, "one"), (8, "two"))
GOOD: list[tuple[str, Any]] = [
    ("varchar", "x" * 255),
    ("varchar", "ä😀"),
    ("varchar_auto", "x"),
    ("phone", "+372 555"),
    ("text", "x" * 65_000),
    ("double", 5),
    ("double", -0.5),
    ("date", "2026-02-28"),
    ("time", {"value": "09:00:00"}),
    ("enum", 7),
    ("set", [8, 7]),
    ("monetary", {"value": 5, "currency": "USD"}),
    ("address", {"value": "Tallinn, Estonia"}),
]
BAD: list[tuple[str, Any]] = [
    ("varchar", "x" * 256),
    ("varchar", 5),
    ("varchar", ["x"]),
    ("varchar", {"value": "x"}),
    ("varchar_auto", "x" * 256),
    ("phone", 372555),
    ("text", "x" * 65_001),
    ("text", False),
    ("double", "5"),
    ("double", True),
    ("double", {"value": 5}),
    ("date", "2026-02-29"),
    ("date", "28.02.2026"),
    ("date", "2026-02-28T00:00:00Z"),
    ("date", 20260228),
    ("time", "09:00:00"),
    ("time", {"value": "9:00"}),
    ("time", {"value": "25:00:00"}),
    ("time", {"value": "09:00:00", "zone": "UTC"}),
    ("enum", 9),
    ("enum", "7"),
    ("enum", "one"),
    ("enum", True),
    ("enum", 7.0),
    ("enum", [7]),
    ("set", []),
    ("set", 7),
    ("set", [7, 9]),
    ("set", ["7"]),
    ("monetary", 5),
    ("monetary", {"value": 5}),
    ("monetary", {"value": "5", "currency": "USD"}),
    ("monetary", {"value": 5, "currency": "dollars"}),
    ("address", "Tallinn"),
    ("address", {"value": ""}),
    ("address", {"value": None}),
    ("address", {"country": "Estonia"}),
    ("user", 1),
]
TYPES = sorted({field_type for field_type, _ in GOOD})


def add_field(account: Account, field_type: str) -> None:
    options = OPTIONS if field_type in ("enum", "set") else ()
    account.fields.append(Field(TEST_KEY, "Under test", field_type, options))


@pytest.mark.parametrize(("field_type", "value"), GOOD)
def test_a_value_of_the_fields_type_is_written(
    api: httpx.Client, account: Account, field_type: str, value: object
) -> None:
    add_field(account, field_type)
    answer = patch(api, {TEST_KEY: value})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["custom_fields"][TEST_KEY] == value


@pytest.mark.parametrize(("field_type", "value"), BAD)
def test_any_other_value_refuses_the_whole_update(
    api: httpx.Client, account: Account, field_type: str, value: object
) -> None:
    add_field(account, field_type)
    assert TEST_KEY in refused(patch(api, {SOURCE: "google", TEST_KEY: value}))
    assert account.person(1).writes == []


@pytest.mark.parametrize("field_type", TYPES)
def test_null_clears_any_field_and_an_empty_string_none(
    api: httpx.Client, account: Account, field_type: str
) -> None:
    add_field(account, field_type)
    assert patch(api, {TEST_KEY: None}).status_code == 200
    assert "empty string" in refused(patch(api, {TEST_KEY: ""}))


def test_a_number_beyond_all_bounds_is_no_double(api: httpx.Client) -> None:
    content = f'{{"custom_fields": {{"{field_code("event_id")}": 1e999}}}}'
    headers = {"content-type": "application/json"}
    refused(api.patch("/persons/1", content=content, headers=headers))


def test_updates_at_once_are_all_applied(api: httpx.Client, account: Account) -> None:
    codes = list(account.custom_fields())[:10]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda code: patch(api, {code: "x"}), codes))
    assert account.person(1).custom_fields == dict.fromkeys(codes, "x")
    assert len(account.person(1).writes) == 10


def test_a_person_once_asked_for_does_not_change(api: httpx.Client, account: Account) -> None:
    before = account.person(1)
    patch(api, {SOURCE: "google"})
    assert before.custom_fields == {}
    assert before.writes == []
    assert account.persons()[0] == account.person(1) != before
