"""A page is an address without what campaigns add to it, on the SQL itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.tracking_parameters import TRACKING_FAMILIES, TRACKING_PARAMETERS
from services.reports.page_sql import page
from services.tracking.attribution import without_touch
from services.tracking.link_parameters import TOUCH_FIELDS

STATEMENT = f"SELECT {page('url')} FROM (SELECT ?1 AS url)"
HOME = "https://a.example/"


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    opened = sqlite3.connect(":memory:")
    # D1's, which leaves some to the statement around.
    opened.setlimit(sqlite3.SQLITE_LIMIT_EXPR_DEPTH, 90)
    yield opened
    opened.close()


def page_of(connection: sqlite3.Connection, url: str | None) -> object:
    [(text,)] = connection.execute(STATEMENT, (url,)).fetchall()
    return text


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, None),
        ("", ""),
        (HOME, HOME),
        (f"{HOME}?", HOME),
        (f"{HOME}?p=12&", f"{HOME}?p=12"),
        (f"{HOME}?p=12?gclid=G1", f"{HOME}?p=12"),
        (f"{HOME}?gclid=G1?p=12", HOME),
        (f"{HOME}?p=why?&gclid=G1", f"{HOME}?p=why?"),
        (f"{HOME}a?utm_campaign=Q%26A", f"{HOME}a"),
        (f"{HOME}a?utm_campaign=Q%26A&p=1%262", f"{HOME}a?p=1%262"),
        (f"{HOME}a?utm_campaign=Q%2526A%3F%3B&p=1", f"{HOME}a?p=1"),
        (f"{HOME}a?utm_campaign=Q%26A%26gclid%3DG%26B&p=1", f"{HOME}a?p=1"),
        (f"{HOME}a?p=Q%26A&gclid=G", f"{HOME}a?p=Q%26A"),
        (f"{HOME}a?keyword=Q%26A&gclid=G", f"{HOME}a"),
        (f"{HOME}?utm_campaign=why?&p=1", f"{HOME}?p=1"),
        (f"{HOME}?utm_campaign=why?", HOME),
        (f"{HOME}angebot&gclid=GC0", f"{HOME}angebot"),
        (f"{HOME}angebot&amp;gclid=GC0&p=1", f"{HOME}angebot?p=1"),
        (f"{HOME}angebot&b=1&gclid=GC0", f"{HOME}angebot&b=1"),
        (f"{HOME}r&d", f"{HOME}r&d"),
        (f"{HOME}r&d?gclid=1", f"{HOME}r&d"),
        (f"{HOME}lp%3Futm_source%3Da%26utm_medium%3Db", f"{HOME}lp"),
        (f"{HOME}lp%3Futm_source=a&p=1", f"{HOME}lp?p=1"),
        (f"{HOME}lp%3fp=1&gclid=a", f"{HOME}lp%3Fp=1"),
        (f"{HOME}click%20here", f"{HOME}click%20here"),
        (f"{HOME}?awc=1&ranSiteID=2&pk_campaign=3&dm_i=4&_bhlid=5&p=1", f"{HOME}?p=1"),
        (f"{HOME}?a=1&amp;amp;utm_source=n", f"{HOME}?a=1"),
        (f"{HOME}?a=1&#038;utm_source=n", f"{HOME}?a=1"),
        (f"{HOME}?utm_source%3Dn%26utm_medium%3Dm", HOME),
        (f"{HOME}?gclid%3dG1", HOME),
        (f"{HOME}?utm%5Fsource=a", HOME),
        (f"{HOME}?s=1;utm_source=a", f"{HOME}?s=1"),
        (f"{HOME}?s=1;t=2&gclid=1", f"{HOME}?s=1;t=2"),
        (f"{HOME}?x=1%26amp%3Butm_source=b", f"{HOME}?x=1"),
        (f"{HOME}?x=1%2526gclid%253DG", f"{HOME}?x=1"),
        (f"{HOME}?utm_source[]=b& gclid=1&x=2", f"{HOME}?x=2"),
        (f"{HOME}?gclid=G&matchtype=e&network=g&keyword=shoes&adgroup=1", HOME),
        (f"{HOME}?_ga=1&keyword=shoes", f"{HOME}?keyword=shoes"),
        (f"{HOME}?__hstc=1&__hssc=2&ysclid=3&dicbo=4&tblci=5", HOME),
        (f"{HOME}?gclid=G1", HOME),
        (f"{HOME}?p=12&gclid=G1&utm_source=x", f"{HOME}?p=12"),
        (f"{HOME}?utm_source=x&p=12&_gl=1*2", f"{HOME}?p=12"),
        (f"{HOME}?b=2&a=1", f"{HOME}?b=2&a=1"),
        (f"{HOME}?UTM_Source=x&GCLID=y&p=1", f"{HOME}?p=1"),
        (f"{HOME}?p=1&amp;utm_medium=email", f"{HOME}?p=1"),
        (f"{HOME}?p&gbraid=1&wbraid=2&gad_source=1&gad_campaignid=3", f"{HOME}?p"),
        (f'{HOME}?q="a\\&b=1', f'{HOME}?q="a\\&b=1'),
        (
            f"{HOME}?my_utm_source=x&region=BY&keyword=a",
            f"{HOME}?my_utm_source=x&region=BY&keyword=a",
        ),
        (f"{HOME}?utm=1&a_u=2&=3&_=4", f"{HOME}?utm=1&a_u=2&=3&_=4"),
        (f"{HOME}?gclid&utm_x&p", f"{HOME}?p"),
        (f"{HOME}?u&m&_&utm&gad&tm_", f"{HOME}?u&m&_&utm&gad&tm_"),
        (f"{HOME}#prices", HOME),
        (f"{HOME}#utm_source=x", HOME),
        (f"{HOME}?utm_source=x#prices", HOME),
        (f"{HOME}#/route?utm_source=x&id=5", f"{HOME}#/route?id=5"),
        (f"{HOME}?fbclid=F#!/route", f"{HOME}#!/route"),
        (f"{HOME}?a=1#/route?b=2", f"{HOME}?a=1#/route?b=2"),
    ],
)
def test_a_page(connection: sqlite3.Connection, url: str | None, expected: str | None) -> None:
    assert page_of(connection, url) == expected


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["C"]) | st.sampled_from("?&#=/\"\\'%"),
        max_size=30,
    )
)
def test_every_text_has_a_page_that_is_its_own_page(text: str) -> None:
    with sqlite3.connect(":memory:") as connection:
        once = page_of(connection, text)
        assert page_of(connection, str(once)) == once


@pytest.mark.parametrize(
    "query",
    [
        *("?p=1&gclid=G", "?p=1?gclid=G", "?gclid%3DG", "?keyword=a", "?keyword=a&gclid=G"),
        *("?p=1&amp;utm_source=a", "?p=1;utm_source=a", "?a=1%26gclid=2", "?q=why?&fbclid=1"),
        *(
            "?utm_campaign=Q%26A",
            "a&gclid=G",
            "a&gclid=G&p=1",
            "a&b=1&gclid=G",
            "lp%3Futm_source=a",
        ),
        *("?utm_campaign=why?&p=1", "?utm_campaign=why?", "r&d?gclid=1", "?keyword=Q%26A&gclid=G"),
        *("?utm_campaign=brand?p=12", "?utm_campaign=brand;p=12", "?a=1?p=12", "?a=1;utm_id=2;p=3"),
        *("?utm_campaign=a?p=1&q=2", "?utm_campaign=a?p=1?gclid=G&q=2?r=3", "?_gl=1?keyword=b"),
        *("?", "?a&b", "?_gl=1&a=2", "?utm_source=a&region=b", "?utm_x=1"),
    ],
)
def test_the_pages_of_reports_are_those_of_the_crm(
    connection: sqlite3.Connection, query: str
) -> None:
    assert page_of(connection, HOME + query) == without_touch(HOME + query)


@pytest.mark.parametrize("name", sorted(TOUCH_FIELDS))
def test_what_makes_a_touch_makes_no_page(connection: sqlite3.Connection, name: str) -> None:
    assert page_of(connection, f"{HOME}?{name}=1&p=2") == f"{HOME}?p=2"


@pytest.mark.parametrize("name", [*TRACKING_PARAMETERS, *TRACKING_FAMILIES])
@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_every_tracking_parameter_is_noticed(
    connection: sqlite3.Connection, name: str, change: Callable[[str], str]
) -> None:
    assert page_of(connection, f"{HOME}?p=1&{change(name)}=2") == f"{HOME}?p=1"
    assert page_of(connection, f"{HOME}#/a?{change(name)}&p=1") == f"{HOME}#/a?p=1"


def test_names_are_in_lower_case_and_listed_once() -> None:
    assert tuple(name.lower() for name in TRACKING_PARAMETERS) == TRACKING_PARAMETERS
    assert len(set(TRACKING_PARAMETERS)) == len(TRACKING_PARAMETERS)
