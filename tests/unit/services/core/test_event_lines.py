import json

import pytest

from services.core.event_lines import COLUMNS, archived_csv, archived_json, text_cell

WHOLE = dict.fromkeys(COLUMNS, None) | {"id": 7}


def line(**values: object) -> str:
    return json.dumps(WHOLE | values, ensure_ascii=False, separators=(",", ":"))


def cell(column: str, stored: str) -> str:
    return archived_csv(stored).split(",")[COLUMNS.index(column)]


def test_a_line_of_json_is_as_it_was_archived() -> None:
    assert archived_json(line(page_title="Ünï 🎈")) == line(page_title="Ünï 🎈")


def test_columns_that_are_younger_than_the_archive_are_null() -> None:
    event = {"id": 7, "page_title": "Ü", "gone": 1}
    assert archived_json(json.dumps(event)) == line(page_title="Ü")
    assert archived_csv(json.dumps(event)).count(",") == len(COLUMNS) - 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("null", ""),
        ("7", "7"),
        ("-1", "-1"),
        ("1.0e+20", "1.0e+20"),
        ("9007199254740993", "9007199254740993"),
        ('""', '""'),
        ('"a"', '"a"'),
        ('"say \\"hi\\""', '"say ""hi"""'),
        ('"=1"', '"\'=1"'),
        ('"\\t1"', '"\'\t1"'),
    ],
)
def test_a_cell_is_what_sql_makes_of_it(value: str, written: str) -> None:
    assert cell("ad_id", f'{{"ad_id":{value}}}') == written


@pytest.mark.parametrize(
    "sign",
    [
        *("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"),
        *("\u2212", "\ufe62", "\ufe63", "\ufe66", "\ufe6b", "\t", "\n", "\r"),
    ],
)
def test_a_cell_that_begins_as_a_formula_gets_an_apostrophe(sign: str) -> None:
    assert text_cell(f"{sign}1+1") == f'"\'{sign}1+1"'
    assert text_cell(f"1{sign}1") == f'"1{sign}1"'
