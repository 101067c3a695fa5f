import time
from typing import Any

import httpx
import pytest

from simulator.account import Account, field_code


def found(api: httpx.Client, **query: str | int) -> list[Any]:
    """The items of a search that is answered."""
    answer = api.get("/persons/search", params=query)
    assert answer.status_code == 200, answer.text
    return [entry["item"] for entry in answer.json()["data"]["items"]]


def names(api: httpx.Client, **query: str | int) -> list[str]:
    return [item["name"] for item in found(api, **query)]


def test_an_answer_has_the_documented_shape(api: httpx.Client) -> None:
    answer = api.get("/persons/search", params={"term": "jane@example.com", "fields": "email"})
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json() == {
        "success": True,
        "data": {
            "items": [
                {
                    "result_score": 0.5092,
                    "item": {
                        "id": 1,
                        "type": "person",
                        "name": "Jane Doe",
                        "phones": ["+1 555 0100"],
                        "emails": ["jane@example.com"],
                        "visible_to": 3,
                        "owner": {"id": 1},
                        "organization": None,
                        "custom_fields": [],
                        "notes": [],
                    },
                }
            ]
        },
        "additional_data": {"next_cursor": None},
    }


def test_an_exact_match_is_of_the_whole_text_and_not_case_sensitive(api: httpx.Client) -> None:
    exact = {"fields": "email", "exact_match": "true"}
    assert names(api, term="JANE@Example.com", **exact) == ["Jane Doe"]
    assert names(api, term="jane@example.co", **exact) == []


def test_without_exact_match_a_part_is_enough(api: httpx.Client) -> None:
    assert names(api, term="beispiel", fields="name") == ["Otto Beispiel"]
    assert names(api, term="@EXAMPLE", fields="email", exact_match="false") == [
        "Jane Doe",
        "Otto Beispiel",
        "Marie Exemple",
    ]


def test_every_address_of_a_person_finds_it(api: httpx.Client) -> None:
    query = {"term": "o.beispiel@example.com", "fields": "email", "exact_match": "true"}
    assert names(api, **query) == ["Otto Beispiel"]


def test_only_the_named_fields_are_searched(api: httpx.Client, account: Account) -> None:
    account.add_person("jane@example.com", custom_fields={field_code("city"): "Tartu"})
    assert names(api, term="jane@example.com", fields="email") == ["Jane Doe"]
    assert names(api, term="jane@example.com", fields="name") == ["jane@example.com"]
    assert names(api, term="jane@example.com", fields="email,name") == [
        "Jane Doe",
        "jane@example.com",
    ]
    assert names(api, term="555 0100", fields="phone") == ["Jane Doe"]
    assert names(api, term="Tartu", fields="custom_fields") == ["jane@example.com"]
    assert names(api, term="Tartu") == ["jane@example.com"]
    assert names(api, term="Tartu", fields="notes") == []


def test_a_plus_must_be_encoded_as_everywhere(api: httpx.Client) -> None:
    encoded = api.get("/persons/search?term=marie%2Bshop@example.com&exact_match=true")
    plain = api.get("/persons/search?term=marie+shop@example.com&exact_match=true")
    assert len(encoded.json()["data"]["items"]) == 1
    assert plain.json()["data"]["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "fields=email",
        "term=",
        "term=j",
        "term=+j+",
        "term=&exact_match=true",
        "term=jane&fields=emails",
        "term=jane&fields=",
        "term=jane&fields=email,",
        "term=jane&fields=email,title",
        "term=jane&exact_match=1",
        "term=jane&exact_match=True",
        "term=jane&exact_match=",
        "term=jane&limit=0",
        "term=jane&limit=501",
        "term=jane&limit=ten",
        "term=jane&limit=",
        "term=jane&limit=%D9%A1",
        "term=jane&cursor=",
        "term=jane&cursor=2",
        "term=jane&cursor=%C3%BC",
        "term=jane&start=0",
        "term=jane&organization_id=1",
        "term=jane&include_fields=person.picture",
        "term=jane&term=otto",
        "term=%FF%FE",
        "term",
    ],
)
def test_a_query_that_is_not_valid_is_refused(api: httpx.Client, query: str) -> None:
    answer = api.get(f"/persons/search?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["success"] is False
    assert answer.json()["code"] == "ERR_SCHEMA_VALIDATION_FAILED"


def test_one_character_is_enough_for_an_exact_match(api: httpx.Client, account: Account) -> None:
    account.add_person("J")
    assert names(api, term="j", exact_match="true") == ["J"]


def test_a_long_result_comes_in_pages(api: httpx.Client, account: Account) -> None:
    for number in range(5):
        account.add_person(f"Page {number}")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        query = {"term": "Page", "limit": "2", **cursor}
        answer = api.get("/persons/search", params=query).json()
        seen += [entry["item"]["name"] for entry in answer["data"]["items"]]
        if answer["additional_data"]["next_cursor"] is None:
            break
        cursor = {"cursor": answer["additional_data"]["next_cursor"]}
    assert seen == [f"Page {number}" for number in range(5)]
    assert len(found(api, term="Page", limit=5)) == 5


def test_a_new_person_is_found_only_after_its_delay(api: httpx.Client, account: Account) -> None:
    person_id = account.add_person("Late Riser", seconds_until_searchable=0.2)
    assert names(api, term="Late Riser") == []
    assert api.get(f"/persons/{person_id}").status_code == 200
    time.sleep(0.25)
    assert names(api, term="Late Riser") == ["Late Riser"]


def test_a_deleted_person_may_stay_in_the_index_without_any_mark(
    api: httpx.Client, account: Account
) -> None:
    before = found(api, term="jane@example.com")
    account.delete_person(1)
    assert found(api, term="jane@example.com") == before
    account.delete_person(2, keep_in_index=False)
    assert names(api, term="otto@example.com") == []
    account.add_person("Born Deleted", is_deleted=True)
    assert names(api, term="Born Deleted") == ["Born Deleted"]


def test_an_erased_person_stays_in_the_index(api: httpx.Client, account: Account) -> None:
    account.erase_person(1)
    assert names(api, term="jane@example.com") == ["Jane Doe"]
