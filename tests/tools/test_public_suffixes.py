"""The table of public suffixes is what the installed list makes: a change of it is noticed."""

from __future__ import annotations

import pytest

from public_suffixes import TABLE, made_table, read_rules, shipped
from services.tracking.registrable_domains import SUFFIXES, registrable_domain


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


def test_every_suffix_is_read_back_from_the_table_as_the_list_has_it(rules: list[str]) -> None:
    assert frozenset(rule for rule in rules if "." in rule) == SUFFIXES


def test_below_every_suffix_of_the_list_the_next_label_makes_the_domain(rules: list[str]) -> None:
    for rule in rules:
        suffix = rule.removeprefix("!").replace("*", "any")
        domain = suffix if rule.startswith("!") else f"client.{suffix}"
        assert registrable_domain(f"www.{domain}") == domain
        assert registrable_domain(domain) == domain
