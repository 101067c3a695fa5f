import re

import httpx
import pytest

from simulator.account import Account, field_code

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def test_a_person_has_the_documented_shape(api: httpx.Client, account: Account) -> None:
    account.add_person(
        "Ada Maria Muster",
        ["ada@example.com", "muster@example.com"],
        custom_fields={field_code("city"): "Tartu"},
        update_time="2026-01-02T03:04:05Z",
    )
    answer = api.get("/persons/4").json()
    custom_fields = answer["data"].pop("custom_fields")
    assert answer == {
        "success": True,
        "data": {
            "id": 4,
            "name": "Ada Maria Muster",
            "first_name": "Ada",
            "last_name": "Maria Muster",
            "owner_id": 1,
            "org_id": None,
            "add_time": "2026-01-02T03:04:05Z",
            "update_time": "2026-01-02T03:04:05Z",
            "emails": [
                {"value": "ada@example.com", "primary": True, "label": "work"},
                {"value": "muster@example.com", "primary": False, "label": "work"},
            ],
            "phones": [],
            "is_deleted": False,
            "visible_to": 3,
            "label_ids": [],
            "picture_id": None,
        },
    }
    assert custom_fields[field_code("city")] == "Tartu"


def test_every_custom_field_is_there_and_null_where_empty(
    api: httpx.Client, account: Account
) -> None:
    custom_fields = api.get("/persons/1").json()["data"]["custom_fields"]
    assert custom_fields == dict.fromkeys(account.custom_fields())


def test_times_are_utc_to_the_second(api: httpx.Client) -> None:
    person = api.get("/persons/1").json()["data"]
    assert TIME.fullmatch(person["add_time"])
    assert TIME.fullmatch(person["update_time"])


def test_custom_fields_can_be_chosen(api: httpx.Client) -> None:
    city, country = field_code("city"), field_code("country")
    answer = api.get("/persons/1", params={"custom_fields": f"{city},{country}"})
    assert answer.json()["data"]["custom_fields"] == {country: None, city: None}


def test_at_most_15_custom_fields_can_be_chosen(api: httpx.Client, account: Account) -> None:
    keys = ",".join(list(account.custom_fields())[:16])
    assert api.get("/persons/1", params={"custom_fields": keys}).status_code == 400


def test_a_deleted_person_is_answered_as_deleted(api: httpx.Client, account: Account) -> None:
    account.delete_person(1)
    answer = api.get("/persons/1")
    assert (answer.status_code, answer.json()["data"]["is_deleted"]) == (200, True)


def test_an_erased_or_unknown_person_is_not_found(api: httpx.Client, account: Account) -> None:
    account.erase_person(1)
    for person_id in (1, 99):
        answer = api.get(f"/persons/{person_id}")
        assert answer.status_code == 404
        assert answer.json()["success"] is False
        assert answer.json()["error"] == "Person not found"


@pytest.mark.parametrize("person_id", ["jane", "1.0", "-1", "1a", "%31", "9" * 19])
def test_an_id_must_be_a_number(api: httpx.Client, person_id: str) -> None:
    assert api.get(f"/persons/{person_id}").status_code == 400
    answer = api.patch(f"/persons/{person_id}", json={"custom_fields": {}})
    assert answer.status_code == 400


def test_unknown_parameters_are_refused(api: httpx.Client) -> None:
    assert api.get("/persons/1?include_labels=true").status_code == 400
