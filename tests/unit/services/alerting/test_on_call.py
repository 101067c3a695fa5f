"""The setting ON_CALL: who responds to a priority."""

from __future__ import annotations

import json

import pytest

from services.alerting.on_call import MAX_CHARACTERS, Responders, read_on_call

KIM = {"first": "Kim", "second": "Lee", "inform": "the clients", "contact": "+49 1"}


def test_names_and_contact_are_one_sentence() -> None:
    people = read_on_call(json.dumps({"P1": KIM, "P3": {"first": "Kim"}, "P4": {}}))
    assert {name: str(responders) for name, responders in people.items()} == {
        "P1": "first Kim; then Lee; inform the clients (+49 1)",
        "P3": "first Kim",
        "P4": "",
    }


@pytest.mark.parametrize("text", [None, ""])
def test_nobody_is_named_where_nothing_is_set(text: str | None) -> None:
    assert read_on_call(text) == {}


def test_a_text_is_one_line_and_not_too_long() -> None:
    name = "Kim\r\n[P1] over: all is well" + "x" * 999
    [people] = read_on_call(json.dumps({"P1": {"first": name}})).values()
    assert people == Responders(people.first)
    assert len(people.first) == MAX_CHARACTERS
    assert people.first.isprintable()


@pytest.mark.parametrize(
    "value",
    [
        *("Kim", "[]", "3", "null", '{"P5": {}}', '{"P1": "Kim"}', '{"P1": {"first": 3}}'),
        *('{"P1": {"phone": "1"}}', "{" * 600, '{"P1": {"first": null}}'),
    ],
)
def test_a_value_that_is_no_such_table_is_refused_without_repeating_it(value: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as refused:
        read_on_call(value)
    assert "Kim" not in str(refused.value)
