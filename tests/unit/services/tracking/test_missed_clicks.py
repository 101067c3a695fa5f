"""What the address of a stored event says that its columns do not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.tracking.attribution import resolve_touch, stored_touch
from services.tracking.link_parameters import FIELDS
from services.tracking.missed_clicks import missed_clicks

PAGE = "https://shop.example/"


def event(page_url: object, **columns: object) -> dict[str, object]:
    """A row of the old Worker, or one of this product."""
    empty = dict.fromkeys((*FIELDS, "click_ids", "touch_origin"))
    return {**empty, "page_url": page_url, **columns}


def found(page_url: object, **columns: object) -> dict[str, object]:
    """What it gets, with the members of `click_ids` as they are."""
    fields: dict[str, object] = dict(missed_clicks(event(page_url, **columns)))
    if "click_ids" in fields:
        fields["click_ids"] = json.loads(str(fields["click_ids"]))
    return fields


@pytest.mark.parametrize(
    "query",
    [
        "?a=1&amp;amp;gbraid=0A",
        "?a=1&#038;gbraid=0A",
        "?a=1;gbraid=0A",
        "?utm_campaign=?gbraid=0A",
        "?a=1%26gbraid%3D0A",
        "?gbraid%3D0A",
        "?GBraid[]=0A",
        "?gbraid=%2530A",
        "#gbraid=0A",
        "#/route?gbraid=0A",
        "page&gbraid=0A",
        "page%3Fgbraid=0A",
    ],
)
def test_a_direct_event_gets_the_click_of_a_damaged_link(query: str) -> None:
    is_touch = {"click_ids": {"gbraid": "0A"}, "touch_origin": "page_url"}
    assert found(f"{PAGE}{query}", utm_source="direct", utm_medium="unknown") == is_touch


def test_a_direct_event_gets_the_whole_touch_of_a_click() -> None:
    page = f"{PAGE}?a=1&amp;utm_source=News&amp;gclid=G1&amp;irclickid=I1&amp;hsa_la=en"
    assert found(page, utm_source="direct", gclid="null") == {
        "utm_source": "News",
        "gclid": "G1",
        "click_ids": {"irclid": "I1", "hsa_la": "en"},
        "touch_origin": "page_url",
    }


def test_an_event_with_a_touch_gets_only_the_clicks_that_it_lacks() -> None:
    page = f"{PAGE}?utm_source=other&utm_term=t&gclid=G2&ScCid=S1&utm_id=7&rdt_cid=R2"
    stored = json.dumps({"rdt_cid": "R1", "of a younger version": [1]})
    for origin in (None, "page_url"):
        columns = {"touch_origin": origin, "utm_source": "own", "gclid": "G1", "click_ids": stored}
        assert found(page, **columns) == {
            "sc_click_id": "S1",
            "click_ids": {"rdt_cid": "R1", "of a younger version": [1], "utm_id": "7"},
        }


@pytest.mark.parametrize(
    "page_url",
    [
        f"{PAGE}?a=1&amp;utm_source=news",
        f"{PAGE}?utm_id=7&hsa_cam=1",
        f"{PAGE}?gclid=&gbraid=%7Bgbraid%7D",
        f"{PAGE}?next=https://other.example/?a=1",
        f"{PAGE}?a=%ff%",
        None,
        b"?gclid=G1",
    ],
)
def test_what_is_no_click_changes_nothing(page_url: object) -> None:
    assert found(page_url, utm_source="direct") == {}


@given(st.text("?&=#;%3Fa1", max_size=20), st.sampled_from(["gclid", "gbraid", "utm_id", "fbclid"]))
def test_an_event_that_was_mended_or_is_new_lacks_nothing(text: str, name: str) -> None:
    page = f"{PAGE}{text}?{name}=X1{text}&utm_source=a"
    old = event(page)
    mended = {**old, **missed_clicks(old)}
    assert missed_clicks(mended) == {}
    if touch := resolve_touch(page, {}, None):
        fields = {**touch.stored_fields(), "touch_origin": touch.origin}
        if touch.click_ids:
            fields["click_ids"] = json.dumps(touch.click_ids)
        new = event(page, **fields)
        assert missed_clicks(new) == {}
        if mended != old:
            assert stored_touch(mended) == stored_touch(new)
