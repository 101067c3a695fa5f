import re
from typing import Any

import httpx
import pytest

from services.pipedrive.fields import FIELD_NAMES
from simulator.account import Account, Field, demo_account, field_code
from simulator.fields import demo_field_map


def listed(api: httpx.Client, limit: int = 500) -> list[dict[str, Any]]:
    """All fields, page by page."""
    fields: list[dict[str, Any]] = []
    query: dict[str, str | int] = {"limit": limit}
    while True:
        answer = api.get("/personFields", params=query).json()
        fields += answer["data"]
        cursor = answer["additional_data"]["next_cursor"]
        if cursor is None:
            return fields
        query["cursor"] = cursor


def test_a_field_has_the_documented_shape(api: httpx.Client) -> None:
    fields = {field["field_code"]: field for field in listed(api)}
    assert fields[field_code("device_type")] == {
        "field_name": "Device type",
        "field_code": field_code("device_type"),
        "description": None,
        "field_type": "enum",
        "options": [
            {"id": 1, "label": "desktop"},
            {"id": 2, "label": "mobile"},
            {"id": 3, "label": "tablet"},
        ],
        "subfields": None,
        "is_custom_field": True,
        "is_optional_response_field": False,
    }
    assert fields[field_code("utm_source")]["options"] is None
    assert fields[field_code("location")]["subfields"]


def test_built_in_fields_are_listed_as_such(api: httpx.Client) -> None:
    built_in = [field["field_code"] for field in listed(api) if not field["is_custom_field"]]
    assert {"name", "emails", "phones", "update_time"} <= set(built_in)


@pytest.mark.parametrize("limit", [1, 20, len(demo_account().fields), 500])
def test_pages_of_any_size_hold_every_field_once(
    api: httpx.Client, account: Account, limit: int
) -> None:
    account_fields = [field.field_code for field in account.fields]
    if limit == 1:
        del account.fields[5:]
        account_fields = account_fields[:5]
    assert [field["field_code"] for field in listed(api, limit)] == account_fields


def test_the_default_is_100_and_an_account_can_have_more(
    api: httpx.Client, account: Account
) -> None:
    before = len(account.fields)
    account.fields.extend(Field(f"{number:040x}", "Twin", "varchar") for number in range(500))
    assert len(api.get("/personFields").json()["data"]) == 100
    first = api.get("/personFields", params={"limit": 500}).json()
    assert len(first["data"]) == 500
    assert first["additional_data"]["next_cursor"]
    assert len(listed(api)) == before + 500


@pytest.mark.parametrize(
    "query", ["limit=501", "limit=0", "cursor=x", "start=0", "include_fields="]
)
def test_a_query_that_is_not_valid_is_refused(api: httpx.Client, query: str) -> None:
    assert api.get(f"/personFields?{query}").status_code == 400


def test_a_removed_field_is_listed_no_more(api: httpx.Client, account: Account) -> None:
    account.fields.remove(account.custom_fields()[field_code("city")])
    assert field_code("city") not in [field["field_code"] for field in listed(api)]
    assert field_code("city") not in api.get("/persons/1").json()["data"]["custom_fields"]


def test_the_demo_account_has_a_field_for_everything_the_product_knows() -> None:
    fields = demo_account().custom_fields()
    assert set(demo_field_map()) == set(FIELD_NAMES)
    assert set(demo_field_map().values()) == set(fields)
    assert all(re.fullmatch("[0-9a-f]{40}", code) for code in fields)
    types = {field.field_name: field.field_type for field in fields.values()}
    assert types["UTM source"] == "varchar"
    assert types["First touch source"] == "varchar"
    assert types["Page URL"] == "text"
    assert types["Event ID"] == "double"
    assert types["Location"] == "address"
    assert types["Google click ID"] == "varchar"
    assert types["IP address"] == "varchar"
