import json

import pytest

from services.core.event_lines import COLUMNS, archived_csv, archived_json

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
        ('"＝1"', '"\'＝1"'),  # noqa: RUF001  # it is meant
    ],
)
def test_a_cell_is_what_sql_makes_of_it(value: str, written: str) -> None:
    assert cell("ad_id", f'{{"ad_id":{value}}}') == written
