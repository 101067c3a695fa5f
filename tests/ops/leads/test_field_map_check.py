import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from ops.leads.field_map_check import (
    ACCEPTED_VALUES,
    LONG_VALUES,
    MOMENTS,
    NUMBERS,
    check_fields,
    parse_field_map,
)
from services.pipedrive.fields import FIELD_NAMES, AccountField, LeadValue, format_value

KEY = "a" * 40


def field(type_: str, options: Mapping[str, int] | None = None) -> AccountField:
    return AccountField(KEY, "Some field", type_, options or {})


def verdict(name: str, type_: str) -> str:
    [checked] = check_fields({name: KEY}, [field(type_)])
    return checked.verdict


def value_of(name: str) -> LeadValue:
    """A value in the forms that the Worker has it in."""
    moment = datetime(2026, 11, 21, tzinfo=UTC) if name in MOMENTS else None
    return LeadValue("text", number=90 if name in NUMBERS else None, moment=moment)


@pytest.mark.parametrize("type_", ACCEPTED_VALUES)
def test_what_is_called_fitting_is_what_the_worker_can_send(type_: str) -> None:
    account_field = field(type_, {"text": 1})
    for name in FIELD_NAMES:
        [checked] = check_fields({name: KEY}, [account_field])
        if not checked.fails:
            assert format_value(value_of(name), account_field) is not None, name


@pytest.mark.parametrize("type_", ["int", "monetary", "user", "org", "people", "timerange", ""])
def test_other_types_take_nothing(type_: str) -> None:
    assert {verdict(name, type_) for name in FIELD_NAMES} == {"wrong type"}


@pytest.mark.parametrize(
    ("name", "type_", "expected"),
    [
        ("utm_source", "enum", "ok"),
        ("first_touch_medium", "set", "ok"),
        ("utm_campaign", "enum", "wrong type"),
        ("gclid", "double", "wrong type"),
        ("ad_id", "double", "ok"),
        ("last_visited_on", "date", "ok"),
        ("session_duration", "time", "wrong type"),
        ("location", "address", "ok"),
        ("city", "address", "wrong type"),
        ("user_agent", "varchar", "too short"),
        ("user_agent", "text", "ok"),
        ("gclid", "varchar", "ok"),
    ],
)
def test_the_verdict_follows_from_name_and_type(name: str, type_: str, expected: str) -> None:
    assert verdict(name, type_) == expected


@pytest.mark.parametrize("type_", ["varchar", "varchar_auto", "phone"])
def test_long_values_are_cut_in_short_fields_which_is_no_failure(type_: str) -> None:
    for name in LONG_VALUES:
        [checked] = check_fields({name: KEY}, [field(type_)])
        assert (checked.verdict, checked.fails) == ("too short", False)
        assert "255" in checked.note


def test_a_key_that_the_account_does_not_have_is_missing() -> None:
    [checked] = check_fields({"gclid": "b" * 40}, [field("varchar")])
    assert (checked.verdict, checked.fails, checked.field) == ("missing", True, None)


def test_the_options_of_an_enum_are_said() -> None:
    options = {"desktop": 1, "mobile": 2}
    [checked] = check_fields({"device_type": KEY}, [field("enum", options)])
    assert checked.note == 'only these options arrive: "desktop", "mobile"'


def test_a_wrong_type_comes_with_those_that_would_do() -> None:
    [checked] = check_fields({"last_visited_on": KEY}, [field("double")])
    assert checked.note == (
        "needs a field of type varchar, varchar_auto, phone, text, date or time, not double"
    )


def test_everything_wrong_with_a_map_is_said_and_the_rest_of_it_is_used() -> None:
    text = json.dumps(
        {"gclid": KEY, "fbclid": "no key", "bogus": KEY, "city": KEY, "region": "b" * 40}
    )
    read = parse_field_map(text)
    assert read.entries == {"gclid": KEY, "city": KEY, "region": "b" * 40}
    assert read.problems == [
        "fbclid: a key has 40 digits from 0-9 and a-f",
        "bogus is none of our values",
        "city: gclid has the same key",
    ]
    assert not {"gclid", "fbclid", "city", "region"} & set(read.unmapped)
    assert len(read.unmapped) == len(FIELD_NAMES) - 4


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 10_000])
def test_what_is_no_object_at_all_is_one_problem(text: str) -> None:
    read = parse_field_map(text)
    assert (read.entries, read.problems) == ({}, ["must be a JSON object"])
