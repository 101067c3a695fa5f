"""The configuration that old addresses show and replace, and what it leaves alone."""

from __future__ import annotations

import json
from typing import cast

import pytest

from services.projects.configuration import PIXEL_SHAPE, PROJECT_SHAPE, Shape
from services.projects.legacy_configuration import legacy_text, replaced_text, sent_text


@pytest.mark.parametrize("stored", [None, "", "{}", '{"a": 1}', "broken", "[1]"])
def test_a_configuration_without_parts_of_this_product_is_shown_as_it_is(
    stored: str | None,
) -> None:
    assert legacy_text(stored) == stored


def test_bytes_are_shown_as_no_configuration() -> None:
    assert legacy_text(cast("str", b"\xff")) is None


def test_old_names_stand_among_the_others_and_jobs_are_hidden() -> None:
    stored = '{"pipedrive_enabled": false, "legacy": {"retention_days": 180}, "jobs": {"x": 1}}'
    assert legacy_text(stored) == '{"retention_days":180,"pipedrive_enabled":false}'


OLD_NAMES = {
    "allowed_domains": ["old.example"],
    "archive_days": 1,
    "ip_anonymization": True,
    "jobs": {"retention_days": 1},
    "legacy": {"a": 1},
    "pipedrive_account": "old",
    "pipedrive_fields": {"utm_source": "x"},
    "respect_dnt": True,
    "retention_days": 1,
    "session_minutes": 1,
    "colour": "red",
}


@pytest.mark.parametrize(
    "stored",
    [
        {"legacy": {"retention_days": 180, "session_minutes": 5}, "jobs": {"retention_days": 300}},
        {"legacy": {"respect_dnt": True}, "respect_dnt": False, "session_minutes": 9},
        {"allowed_domains": ["shop.example"], "pipedrive_account": "two", "jobs": {"a": 1}},
        {"legacy": {}},
    ],
)
def test_who_sends_the_text_back_changes_nothing(stored: dict[str, object]) -> None:
    stored["pipedrive_enabled"] = False
    answered = json.loads(legacy_text(json.dumps(stored)) or "")
    written = json.loads(replaced_text(json.dumps(stored), answered, PROJECT_SHAPE))
    assert written == {name: value for name, value in stored.items() if value != {}}


@pytest.mark.parametrize("shape", [PROJECT_SHAPE, PIXEL_SHAPE])
@pytest.mark.parametrize(
    "stored",
    [
        *(None, "", "{}", "null", "[1]", "[]", "5", '"x"', '"[1]"', "broken", "{broken", "[NaN]"),
        *('{"a": 1}', '{"legacy":[1]}', '{"legacy":"x"}', '{"legacy":"[1]","jobs":{"a":1}}'),
        *('{"legacy":{"respect_dnt":true},"respect_dnt":false}', '{"legacy":null}'),
    ],
)
def test_a_text_that_is_sent_back_as_it_was_answered_changes_nothing(
    stored: str | None, shape: Shape
) -> None:
    assert sent_text(stored, legacy_text(stored), shape) == stored


@pytest.mark.parametrize(
    "stored", ["[1]", "5", "true", '"x"', "[]", '{"legacy":[1]}', '{"legacy":"x","jobs":{"a":1}}']
)
def test_neither_does_its_json_where_it_is_no_object(stored: str) -> None:
    assert sent_text(stored, json.loads(legacy_text(stored) or ""), PROJECT_SHAPE) == stored


@pytest.mark.parametrize("sent", ["[1]", "5", "x", '"x"', [1], [], True, '{"a":1}', {"a": 1}])
def test_what_is_sent_again_as_it_is_answered_then_stays(sent: object) -> None:
    stored = sent_text("{}", sent, PROJECT_SHAPE)
    answered = legacy_text(stored)
    assert sent_text(stored, answered, PROJECT_SHAPE) == stored
    assert sent_text(stored, sent, PROJECT_SHAPE) == stored


@pytest.mark.parametrize("sent", [None, "", 0, False])
def test_without_a_configuration_the_stored_one_stays(sent: object) -> None:
    assert sent_text('{"a":1}', sent, PROJECT_SHAPE) == '{"a":1}'


@pytest.mark.parametrize("shape", [PROJECT_SHAPE, PIXEL_SHAPE])
def test_old_names_never_become_commands(shape: Shape) -> None:
    stored = replaced_text("{}", OLD_NAMES, shape)
    assert json.loads(stored) == {"legacy": OLD_NAMES}
    assert json.loads(legacy_text(stored) or "") == OLD_NAMES


def test_what_this_product_set_is_neither_changed_nor_taken_away() -> None:
    before = {
        "respect_dnt": False,
        "allowed_domains": ["shop.example"],
        "jobs": {"archive_days": 9},
    }
    stored = replaced_text(json.dumps(before), OLD_NAMES, PROJECT_SHAPE)
    assert json.loads(stored) == {**before, "legacy": OLD_NAMES}
    assert json.loads(replaced_text(stored, {}, PROJECT_SHAPE)) == before


def test_of_old_names_only_the_one_of_a_project_is_obeyed() -> None:
    switched_off: dict[str, object] = {"pipedrive_enabled": False}
    stored = replaced_text("{}", switched_off, PROJECT_SHAPE)
    assert json.loads(stored) == switched_off
    assert json.loads(replaced_text(stored, {"a": 1}, PROJECT_SHAPE)) == {"legacy": {"a": 1}}
    assert json.loads(replaced_text("{}", switched_off, PIXEL_SHAPE)) == {"legacy": switched_off}


@pytest.mark.parametrize("value", [[1], [], "text", 7, True])
def test_what_is_no_object_is_kept_as_it_is(value: object) -> None:
    before = '{"respect_dnt":true,"jobs":{"archive_days":9}}'
    stored = replaced_text(before, value, PROJECT_SHAPE)
    assert json.loads(stored) == {**json.loads(before), "legacy": value}
    assert json.loads(legacy_text(stored) or "") == value


def test_text_is_stored_as_javascript_writes_it() -> None:
    stored = replaced_text(None, {"ü": "\ud83d", "b": [1, 2]}, PROJECT_SHAPE)
    assert stored == '{"legacy":{"ü":"\ufffd","b":[1,2]}}'
    assert legacy_text(stored) == '{"ü":"\ufffd","b":[1,2]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        replaced_text(None, {"a": float("nan")}, PROJECT_SHAPE)
