"""What SQL credits an event with is what `attribution.credit` says."""

from __future__ import annotations

import json
import sqlite3
from itertools import product

import pytest

from services.core.click_ids import CLICK_DETAILS, CLICK_ID_COLUMNS, OTHER_CLICK_IDS
from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE, meaning
from services.tracking.attribution import credit
from services.tracking.touch_values import meaningful

COLUMNS = (
    *("utm_source", "utm_medium", "utm_campaign", *CLICK_ID_COLUMNS, "ad_group", "touch_origin"),
    "click_ids",
)
CREDITED = f"SELECT {SOURCE}, {MEDIUM}, {CAMPAIGN} FROM touches"


@pytest.mark.parametrize("text", [None, "", "x", "null", "Undefined"])
@pytest.mark.parametrize("click_id", [*CLICK_ID_COLUMNS, *OTHER_CLICK_IDS, *CLICK_DETAILS, "fbp"])
def test_an_empty_text_is_nothing_as_in_python(click_id: str, text: str | None) -> None:
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE touches ({', '.join(COLUMNS)})")
    for source, medium, campaign, ad_group in product((None, "", "y", "None"), repeat=4):
        touch = {
            **dict.fromkeys(COLUMNS),
            "utm_source": source,
            "utm_medium": medium,
            "utm_campaign": campaign,
            "ad_group": ad_group,
            "touch_origin": "body",
        }
        if click_id in CLICK_ID_COLUMNS:
            touch[click_id] = text
        elif text:
            touch["click_ids"] = json.dumps({click_id: text})
        database.execute("DELETE FROM touches")
        placeholders = ", ".join("?" * len(COLUMNS))
        database.execute(f"INSERT INTO touches VALUES ({placeholders})", tuple(touch.values()))
        expected = credit(touch)
        [credited] = database.execute(CREDITED).fetchall()
        assert credited == (expected.source, expected.medium, expected.campaign)
    database.close()


@pytest.mark.parametrize(
    "word",
    [
        *("direct", "(direct)", "unknown", "none", "NULL", "undefined", "NaN", "(not set)"),
        *("{x}", "{x", "${x}", "[[x]]", "[x]", "__x__", "__x", "%%x%%", "%x%", "y"),
        *("*|CAMPAIGN_UID|*", "*|x", "x|*", "*||*", "*|*", "a*|x|*", "[?]", "5*"),
    ],
)
def test_a_word_for_nothing_is_the_same_in_sql_and_python(word: str) -> None:
    with sqlite3.connect(":memory:") as database:
        for field in ("utm_source", "utm_medium", "utm_campaign", "utm_term"):
            statement = f"SELECT {meaning(field)} FROM (SELECT ? AS {field})"
            assert database.execute(statement, (word,)).fetchone()[0] == meaningful(field, word)
