"""What of an answer's content is a problem for scripts, and what only moved."""

from __future__ import annotations

import json

import pytest

from ops.checks.answer_contents import differences


def problems(before: object, after: object) -> list[str]:
    return [one.text for one in differences(before, after) if one.is_problem]


def notes(before: object, after: object) -> list[str]:
    return [one.text for one in differences(before, after) if not one.is_problem]


PROJECT = {"id": "p1", "name": "Shop", "webhook_url": "https://hook.example", "active": 1}


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ({"a": {"b": 1}}, {"a": {}}, "a.b is gone"),
        ({"a": [{"b": 1}]}, {"a": [{"c": 1}]}, "a[].b is gone"),
        ({"a": 1}, {"a": "1"}, "a was a number, is a text"),
        ({"a": True}, {"a": 1}, "a was true or false, is a number"),
        ({"a": [1]}, {"a": {}}, "a was a list, is an object"),
        ({"a": []}, {"a": {}}, "a was a list, is an object"),
        ({"a": {"b": 1}}, {"a": []}, "a was an object, is a list"),
        ("a", 5, "the answer was a text, is a number"),
        ([{"id": "p1"}, {"id": "p2"}], [{"id": "p2"}], "[p1] is gone"),
        ({"a": [{"b": 1}]}, {"a": []}, "a had entries, is an empty list"),
        ({"data": [PROJECT]}, {"data": []}, "data had entries, is an empty list"),
        ({"a": 1}, {"a": None}, "a was a number, is null"),
        ({"a": {}}, {"a": None}, "a was an object, is null"),
        ([{"b": "x"}, {"b": "y"}], [{"b": None}], "[].b was a text, is null"),
        (
            {"data": [PROJECT]},
            {"data": [{**PROJECT, "webhook_url": None}]},
            "data[p1].webhook_url was a text, is null",
        ),
        (
            {"a": [{"pixel_id": "x", "events": 1}, {"pixel_id": "y", "events": 1}]},
            {"a": [{"pixel_id": "y", "events": 5}]},
            "a[x] is gone",
        ),
        ([{"name": "x"}, {"name": "y"}], [{"name": "y"}], "[x] is gone"),
        ({"data": [PROJECT]}, {"data": [{**PROJECT, "name": "B"}]}, "data[p1].name was Shop, is B"),
        ({"data": PROJECT}, {"data": {**PROJECT, "name": "B"}}, "data.name was Shop, is B"),
    ],
)
def test_what_scripts_trip_over_is_a_problem(before: object, after: object, problem: str) -> None:
    assert problems(before, after) == [problem]
    assert notes(before, after) == []


def test_of_each_entry_all_keys_must_be_there() -> None:
    entries = [{**PROJECT, "id": "p2", "configuration": '{"a":1,"b":{"c":1}}'}, PROJECT]
    changed = [{**entries[0], "configuration": '{"b":{}}'}, PROJECT]
    assert problems(entries, changed) == [
        "[p2].configuration.a is gone",
        "[p2].configuration.b.c is gone",
    ]
    for text in ("", "[1]", "broken"):
        changed = [{**entries[0], "configuration": text}, PROJECT]
        assert len(problems(entries, changed)) == 2, text
    assert (
        problems(entries, [{**entries[0], "configuration": '{"b":{"c":2},"a":3}'}, PROJECT]) == []
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": None}, {"a": 1}),
        ({"a": [1, None]}, {"a": [None]}),
        ([{"b": 1}, {"b": None}], [{"b": None}]),
        ([{"id": 5, "pixel_id": "x"}], [{"id": 6, "pixel_id": "y"}]),
        ({"circuit_breaker_next_attempt": "2026-05-01"}, {"circuit_breaker_next_attempt": None}),
        ({"name": "PPP Pixel"}, {"name": "PPP Pixel API"}),
        ([{"id": "p", "updated_at": "2026-05-01"}], [{"id": "p", "updated_at": "2026-05-02"}]),
    ],
)
def test_what_may_be_otherwise_each_time_is_not_told(before: object, after: object) -> None:
    assert list(differences(before, after)) == []


def test_keys_of_a_map_move_and_its_values_have_a_shape() -> None:
    before = {"utm_sources": {"google": 5, "bing": 1}, "page_url_analysis": {"a.example": 3}}
    after: dict[str, object] = {"utm_sources": {"google": 1}, "page_url_analysis": {}}
    assert list(differences(before, after)) == []
    after["utm_sources"] = {"other": "5"}
    assert problems(before, after) == ["utm_sources{} was a number, is a text"]
    assert problems(before, {"utm_sources": {}}) == ["page_url_analysis is gone"]


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ({"a": 7}, {"a": 6}, "a 7 → 6"),
        ({"a": 5.5}, {"a": 3.5}, "a 5.5 → 3.5"),
        ({"a": True}, {"a": False}, "a was true, is false"),
        ({"a": ["x"]}, {"a": []}, "a had values, is an empty list"),
        ([PROJECT], [{**PROJECT, "active": 0}], "[p1].active 1 → 0"),
        (
            [PROJECT],
            [{**PROJECT, "webhook_url": "https://secret.example"}],
            "[p1].webhook_url is another text",
        ),
    ],
)
def test_what_only_moved_is_a_note(before: object, after: object, note: str) -> None:
    assert notes(before, after) == [note]
    assert problems(before, after) == []


def test_texts_of_others_are_shown_on_one_line() -> None:
    before = json.loads('[{"id": "p\\u001b[2J\\n1"}]')
    assert all(text.isprintable() for text in problems(before, [{"id": "p2"}]))
