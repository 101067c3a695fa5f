"""The table of public suffixes is what the installed list makes: a change of it is noticed."""

from __future__ import annotations

import pytest

from public_suffixes import TABLE, made_table, read_rules, shipped


@pytest.fixture(scope="module")
def rules() -> list[str]:
    return read_rules()


def test_the_table_is_made_from_the_installed_list() -> None:
    reason = (
        "the list changed: run `PYTHONPATH=src:tools .venv/bin/python tools/public_suffixes.py`"
    )
    assert TABLE.read_text(encoding="utf-8") == made_table(), reason


def test_the_list_is_read_whole(rules: list[str]) -> None:
    known = {"com", "co.uk", "com.br", "github.io", "*.ck", "s3.amazonaws.com", "oslo.no"}
    assert known <= set(rules)
    assert len(rules) > 9_000


def test_all_suffixes_of_more_than_one_label_ship(rules: list[str]) -> None:
    suffixes = set(shipped(rules))
    assert {"co.uk", "github.io", "*.ck", "!www.ck", "s3.amazonaws.com", "oslo.no"} <= suffixes
    assert "com" not in suffixes
