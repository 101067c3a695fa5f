"""What SQL credits an event with is what `attribution.credit` says."""

from __future__ import annotations

import sqlite3
from itertools import product

import pytest

from services.reports.credit_sql import CAMPAIGN, MEDIUM, SOURCE
from services.tracking.attribution import credit

CLICK_IDS = ("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id")
COLUMNS = ("utm_source", "utm_medium", "utm_campaign", *CLICK_IDS, "ad_group", "touch_origin")
CREDITED = f"SELECT {SOURCE}, {MEDIUM}, {CAMPAIGN} FROM touches"


@pytest.mark.parametrize("text", [None, "", "x"])
@pytest.mark.parametrize("click_id", CLICK_IDS)
def test_an_empty_text_is_nothing_as_in_python(click_id: str, text: str | None) -> None:
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE touches ({', '.join(COLUMNS)})")
    for source, medium, campaign, ad_group in product((None, "", "y"), repeat=4):
        touch = {
            **dict.fromkeys(COLUMNS),
            "utm_source": source,
            "utm_medium": medium,
            "utm_campaign": campaign,
            "ad_group": ad_group,
            "touch_origin": "body",
            click_id: text,
        }
        database.execute("DELETE FROM touches")
        placeholders = ", ".join("?" * len(COLUMNS))
        database.execute(f"INSERT INTO touches VALUES ({placeholders})", tuple(touch.values()))
        expected = credit(touch)
        [credited] = database.execute(CREDITED).fetchall()
        assert credited == (expected.source, expected.medium, expected.campaign)
    database.close()
