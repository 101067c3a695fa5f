"""The configuration that old addresses show and replace, and what it leaves alone."""

from __future__ import annotations

import json

import pytest

from services.projects.legacy_configuration import legacy_text, replaced_text


@pytest.mark.parametrize("stored", [None, "", "{}", '{"a": 1}', "broken", "[1]"])
def test_a_configuration_without_parts_of_this_product_is_shown_as_it_is(
    stored: str | None,
) -> None:
    assert legacy_text(stored) == stored


def test_old_names_stand_among_the_others_and_jobs_are_hidden() -> None:
    stored = '{"pipedrive_enabled": false, "legacy": {"retention_days": 180}, "jobs": {"x": 1}}'
    assert legacy_text(stored) == '{"retention_days":180,"pipedrive_enabled":false}'


def test_who_sends_the_text_back_changes_nothing() -> None:
    stored = {
        "pipedrive_enabled": False,
        "legacy": {"retention_days": 180, "session_minutes": 5},
        "jobs": {"retention_days": 300},
    }
    shown = json.loads(legacy_text(json.dumps(stored)) or "")
    assert json.loads(replaced_text(json.dumps(stored), shown)) == stored


def test_old_names_never_become_commands() -> None:
    configuration = {"retention_days": 1, "jobs": {"retention_days": 1}, "respect_dnt": True}
    stored = replaced_text('{"respect_dnt":false,"jobs":{"archive_days":9}}', configuration)
    assert json.loads(stored) == {
        "respect_dnt": True,
        "legacy": {"retention_days": 1, "jobs": {"retention_days": 1}},
        "jobs": {"archive_days": 9},
    }
    assert json.loads(legacy_text(stored) or "") == configuration


def test_text_is_stored_as_javascript_writes_it() -> None:
    assert replaced_text(None, {"ü": "\ud83d", "b": [1, 2]}) == '{"ü":"\ufffd","b":[1,2]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        replaced_text(None, {"a": float("nan")})
