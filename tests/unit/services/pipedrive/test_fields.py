import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pipedrive.fields import (
    FIELD_NAMES,
    SEPARATOR,
    TOUCH_FIELDS,
    AccountField,
    FieldMapError,
    LeadValue,
    field_map,
    fields_as_json,
    fields_from_json,
    format_value,
    read_account_fields,
    read_field_map,
)
from tests.unit.memory import key

EXAMPLE = Path(__file__).parents[4] / "config/pipedrive-fields.example.json"
MOMENT = datetime(2025, 1, 27, 14, 30, 5)  # noqa: DTZ001  # a wall clock's
TEXT_TYPES = ("varchar", "varchar_auto", "phone", "text")


def field_of(field_type: str, **options: int) -> AccountField:
    return AccountField(key(1), "A field", field_type, options)


def shaped(field_type: str, value: LeadValue, **options: int) -> object:
    return format_value(value, field_of(field_type, **options))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


# The map


def test_a_map_may_name_any_of_our_values() -> None:
    entries = {name: key(number) for number, name in enumerate(FIELD_NAMES)}
    assert read_field_map(json.dumps(entries)) == entries
    assert set(TOUCH_FIELDS) < set(FIELD_NAMES)
    assert len(set(FIELD_NAMES)) == len(FIELD_NAMES)


def test_the_example_is_a_map_of_every_value() -> None:
    assert set(read_field_map(EXAMPLE.read_text(encoding="utf-8"))) == set(FIELD_NAMES)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "5", '"utm_source"', "[" * 100_000])
def test_text_that_is_not_a_json_object_is_no_map(text: str) -> None:
    with pytest.raises(FieldMapError, match=r"^must be a JSON object$"):
        read_field_map(text)


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ({}, "must not be empty"),
        ({"utm_sauce": key(1)}, "utm_sauce is none of our values"),
        ({"x" * 99: key(1)}, f"{'x' * 40} is none of our values"),
        ({"gclid": "short"}, "gclid: a key has 40 digits from 0-9 and a-f"),
        ({"gclid": key(10).upper()}, "gclid: a key has 40 digits from 0-9 and a-f"),
        ({"gclid": key(1) + "\n"}, "gclid: a key has 40 digits from 0-9 and a-f"),
        ({"gclid": None}, "gclid: a key has 40 digits from 0-9 and a-f"),
        ({"gclid": [key(1)]}, "gclid: a key has 40 digits from 0-9 and a-f"),
        ({"gclid": key(1), "fbclid": key(1)}, "fbclid: gclid has the same key"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named(entries: object, problem: str) -> None:
    with pytest.raises(FieldMapError) as refused:
        field_map(entries)
    assert refused.value.problems == [problem]


def test_all_problems_are_named_at_once() -> None:
    entries = {"utm_sauce": key(1), "gclid": 5, "city": key(2), "region": key(2), "country": ""}
    with pytest.raises(FieldMapError) as refused:
        field_map(entries)
    assert [problem.partition(" ")[0] for problem in refused.value.problems] == [
        *("utm_sauce", "gclid:", "region:", "country:")
    ]
    assert str(refused.value) == "; ".join(refused.value.problems)


# The fields of an account


def test_custom_fields_are_read_and_anything_else_left_out() -> None:
    data = [
        {"field_code": key(1), "field_name": "Source", "field_type": "varchar"},
        {
            "field_code": key(2),
            "field_name": "Device",
            "field_type": "enum",
            "options": [
                {"id": 1, "label": "Desktop"},
                {"id": 2, "label": 7},
                {"id": "3", "label": "Tablet"},
                {"label": "Phone"},
                {"id": 4},
                None,
            ],
        },
        {"field_code": key(3), "field_name": None, "options": "none"},
        {"field_code": "name", "field_name": "Name", "field_type": "varchar"},
        {"field_code": 5},
        {},
        None,
        "x",
    ]
    assert list(read_account_fields(data)) == [
        AccountField(key(1), "Source", "varchar", {}),
        AccountField(key(2), "Device", "enum", {"desktop": 1, "7": 2}),
        AccountField(key(3), "", "", {}),
    ]


@given(
    st.lists(
        st.builds(
            AccountField,
            st.integers(0, 2**160 - 1).map(key),
            st.text(),
            st.text(),
            st.dictionaries(st.text(), st.integers()),
        )
    )
)
def test_fields_that_were_remembered_are_the_same(fields: list[AccountField]) -> None:
    assert fields_from_json(fields_as_json(fields)) == fields


# Each type and each kind of value

TEXT = LeadValue("Desktop")
DIGITS = LeadValue("23.5")
NUMBER = LeadValue("15 minutes", 900)
TIME = LeadValue("January 27, 2025 at 2:30 PM", moment=MOMENT)
EMPTY = LeadValue("")
KINDS = (TEXT, DIGITS, NUMBER, TIME)


@pytest.mark.parametrize(
    ("field_type", "expected"),
    [
        *((text_type, tuple(value.text for value in KINDS)) for text_type in TEXT_TYPES),
        ("double", (None, 23.5, 900, None)),
        ("date", (None, None, None, "2025-01-27")),
        ("time", (None, None, None, {"value": "14:30:05"})),
        ("enum", (1, None, None, None)),
        ("set", ([1], None, None, None)),
        ("address", tuple({"value": value.text} for value in KINDS)),
        ("monetary", (None,) * 4),
        ("daterange", (None,) * 4),
        ("timerange", (None,) * 4),
        ("user", (None,) * 4),
        ("int", (None,) * 4),
        ("", (None,) * 4),
        ("a type of tomorrow", (None,) * 4),
    ],
)
def test_a_value_takes_the_form_of_the_field_or_is_left_out(
    field_type: str, expected: tuple[object, ...]
) -> None:
    assert tuple(shaped(field_type, value, desktop=1) for value in KINDS) == expected


@pytest.mark.parametrize("field_type", [*TEXT_TYPES, "double", "date", "time", "enum", "set"])
def test_an_empty_text_is_never_sent(field_type: str) -> None:
    assert shaped(field_type, EMPTY, desktop=1) is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (LeadValue("7"), 7),
        (LeadValue("-0.5"), -0.5),
        (LeadValue("1e3"), None),
        (LeadValue("2025_05"), None),
        (LeadValue("٣"), None),
        (LeadValue(" 7 "), None),
        (LeadValue("nan"), None),
        (LeadValue("inf"), None),
        (LeadValue("1e999"), None),
        (LeadValue("0x10"), None),
        (LeadValue("1,5"), None),
        (LeadValue("spring"), None),
        (LeadValue("45 seconds", 45.0), 45),
        (LeadValue("x", float("inf")), None),
        (LeadValue("x", float("nan")), None),
        (LeadValue("x", 0), 0),
    ],
)
def test_a_number_is_a_number_of_json(value: LeadValue, number: float | None) -> None:
    formatted = shaped("double", value)
    assert formatted == number
    assert json.loads(json.dumps(formatted, allow_nan=False)) == number
    assert isinstance(formatted, int) or formatted is None or formatted != int(formatted)


@pytest.mark.parametrize("label", ["Mobile", "MOBILE", "mobile"])
def test_an_option_is_found_by_its_label_in_any_case(label: str) -> None:
    assert shaped("enum", LeadValue(label), mobile=7) == 7
    assert shaped("set", LeadValue(label), mobile=7) == [7]


def test_an_option_may_have_the_number_zero() -> None:
    assert shaped("enum", LeadValue("none"), none=0) == 0
    assert shaped("set", LeadValue("none"), none=0) == [0]


# Cutting


@pytest.mark.parametrize(
    ("field_type", "length"),
    [("varchar", 255), ("varchar_auto", 255), ("phone", 255), ("text", 65_000)],
)
def test_a_text_is_as_long_as_the_type_allows(field_type: str, length: int) -> None:
    assert shaped(field_type, LeadValue("x" * length)) == "x" * length
    assert shaped(field_type, LeadValue("x" * (length + 1))) == "x" * length


def test_no_character_is_cut_in_two() -> None:
    assert shaped("varchar", LeadValue("🌷" * 200)) == "🌷" * 127
    assert shaped("varchar", LeadValue("x" + "🌷" * 200)) == "x" + "🌷" * 127


@given(st.text(alphabet="aé漢🌷\u200d", min_size=120, max_size=270))
def test_a_cut_text_is_as_much_of_it_as_fits(text: str) -> None:
    cut = shaped("varchar", LeadValue(text))
    assert isinstance(cut, str)
    cut.encode()
    assert text.startswith(cut)
    if units(text) <= 255:
        assert cut == text
    else:
        assert 254 <= units(cut) <= 255


PAGES = st.builds(
    "{}{}".format, st.sampled_from(("", "/", "🌷")), st.integers(1, 90).map("x".__mul__)
)


@given(st.lists(PAGES, min_size=1, max_size=9).map(tuple))
def test_of_pages_as_many_whole_ones_are_kept_as_fit(pages: tuple[str, ...]) -> None:
    cut = shaped("varchar", LeadValue(SEPARATOR.join(pages), parts=pages))
    prefixes = [SEPARATOR.join(pages[:count]) for count in range(1, len(pages) + 1)]
    assert cut == [prefix for prefix in prefixes if units(prefix) <= 255][-1]


@pytest.mark.parametrize(("length", "parts"), [(153, 2), (154, 1)])
def test_a_page_that_just_fits_is_kept(length: int, parts: int) -> None:
    pages = ("x" * 100, "y" * length, "z")
    cut = shaped("varchar", LeadValue(SEPARATOR.join(pages), parts=pages))
    assert cut == SEPARATOR.join(pages[:parts])


def test_a_page_that_is_too_long_for_itself_is_cut() -> None:
    pages = ("https://shop.example/" + "x" * 300, "https://shop.example/")
    cut = shaped("varchar", LeadValue(SEPARATOR.join(pages), parts=pages))
    assert cut == pages[0][:255]


def test_an_empty_text_is_no_address() -> None:
    assert shaped("address", LeadValue("")) is None
