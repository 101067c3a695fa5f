"""Each click ID has a network and a medium, in Python and in SQL."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from services.core.click_ids import (
    AD_OF_CLICK_ID,
    CLICK_DETAILS,
    CLICK_FIELDS,
    CLICK_ID_COLUMNS,
    MEDIUM_OF_CLICK_ID,
    NETWORK_OF_CLICK_ID,
    OTHER_CLICK_IDS,
    word_of_click,
)

ROOT = Path(__file__).resolve().parents[4]


def test_every_click_id_has_a_network_and_a_medium_and_one_place() -> None:
    assert NETWORK_OF_CLICK_ID.keys() == MEDIUM_OF_CLICK_ID.keys() > AD_OF_CLICK_ID.keys()
    assert {*CLICK_ID_COLUMNS, *OTHER_CLICK_IDS} == set(NETWORK_OF_CLICK_ID)
    names = (*CLICK_ID_COLUMNS, *CLICK_FIELDS)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "network", "medium"),
    [
        ("gclid", "google", "cpc"),
        ("gbraid", "google", "cpc"),
        ("wbraid", "google", "cpc"),
        ("dclid", "google", "display"),
        ("rdt_cid", "reddit", "social"),
        ("epik", "pinterest", "social"),
        ("qclid", "quora", "social"),
        ("yclid", "yandex", "cpc"),
        ("irclid", "impact", "affiliate"),
        ("oppref", "chatgpt", "cpc"),
    ],
)
def test_a_click_without_parameters(name: str, network: str, medium: str) -> None:
    assert (NETWORK_OF_CLICK_ID[name], MEDIUM_OF_CLICK_ID[name]) == (network, medium)


@pytest.mark.parametrize("words", [NETWORK_OF_CLICK_ID, MEDIUM_OF_CLICK_ID, AD_OF_CLICK_ID])
def test_sql_has_the_same_words(words: dict[str, str]) -> None:
    columns = ", ".join(CLICK_ID_COLUMNS)
    with sqlite3.connect(":memory:") as connection:
        connection.execute(f"CREATE TABLE touches ({columns}, click_ids)")

        def word(row: dict[str, str | None]) -> object:
            names = (*CLICK_ID_COLUMNS, "click_ids")
            connection.execute("DELETE FROM touches")
            connection.execute(
                f"INSERT INTO touches VALUES ({', '.join('?' * len(names))})",
                [row.get(name) for name in names],
            )
            return connection.execute(f"SELECT {word_of_click(words)} FROM touches").fetchone()[0]

        for name in (*OTHER_CLICK_IDS, *CLICK_DETAILS):
            assert word({"click_ids": json.dumps({name: "x", "utm_id": "1"})}) == words.get(name)
        for name in CLICK_ID_COLUMNS:
            assert word({name: "x"}) == words.get(name)
            assert word({name: "NULL"}) is word({name: ""}) is word({}) is None
        assert word({"fbclid": "F", "click_ids": '{"wbraid": "W"}'}) == words["wbraid"]


def test_the_documentation_says_the_network_and_the_medium_of_each() -> None:
    text = (ROOT / "docs" / "attribution.md").read_text(encoding="utf-8")
    _, _, section = text.partition("## Click IDs\n")
    rows = re.findall(r"^\| (`.*?) \| .*? \| (\w+), (\w+) \|$", section, re.MULTILINE)
    documented = {
        name: (network, medium)
        for names, network, medium in rows
        for name in re.findall("`(.*?)`", names)
        if name in NETWORK_OF_CLICK_ID
    }
    assert documented == {
        name: (network, MEDIUM_OF_CLICK_ID[name]) for name, network in NETWORK_OF_CLICK_ID.items()
    }
    assert [name for name in CLICK_FIELDS if f"`{name}`" not in section] == []
