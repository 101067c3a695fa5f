import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.text import clean, read_json, read_long_json, read_object, whole_number

ANY_TEXT = st.text(st.characters(codec=None, categories=None))


@pytest.mark.parametrize("value", ["Spring sale", "Crème brûlée", "春のセール", "50 % & more <b>"])
def test_an_ordinary_value_stays_as_it_is(value: str) -> None:
    assert clean(value, 500) == value


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("  both ends \n", "both ends"),
        ("a\x00b\x1bc\x7fd\x9fe", "abcde"),
        ("one\r\ntwo\tthree", "one  two three"),
        ("half \ud83d emoji", "half \ufffd emoji"),
        ("whole 👍 emoji\x00", "whole 👍 emoji"),
    ],
)
def test_what_cannot_be_stored_is_taken_out(value: str, cleaned: str) -> None:
    assert clean(value, 500) == cleaned


@pytest.mark.parametrize("value", ["", "   ", "\x00\x01", "\u00a0\n"])
def test_nothing_left_is_none(value: str) -> None:
    assert clean(value, 500) is None


def test_a_long_value_is_cut_by_characters() -> None:
    assert clean("👍" * 600, 500) == "👍" * 500


def test_a_cut_leaves_no_space_at_the_end() -> None:
    assert clean("spring sale", 7) == "spring"


@given(ANY_TEXT, st.integers(1, 20))
def test_cleaning_is_final_and_fits_utf_8(value: str, limit: int) -> None:
    cleaned = clean(value, limit)
    if cleaned is not None:
        assert 0 < len(cleaned) <= limit
        assert cleaned.encode().decode() == cleaned
        assert clean(cleaned, limit) == cleaned


@given(st.dictionaries(st.text(), st.text()))
def test_json_is_read(value: dict[str, str]) -> None:
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["", "{", "pixel", "[" * 16_000, '{"a":' * 16_000, "1" * 9_999])
def test_unreadable_json_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_an_object_is_read_from_its_text() -> None:
    assert read_object('{"a": [1]}') == {"a": [1]}


@pytest.mark.parametrize(
    "text", [None, "", " ", "{", "[]", "null", "7", "[" * 600, b"", b"{}", [123, 125]]
)
def test_where_there_is_no_object_it_is_empty(text: object) -> None:
    assert read_object(text) == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1), ("007", 7), ("365", 365), ("366", None), ("0", None), ("-1", None), ("1.0", None)],
)
def test_a_whole_number_is_from_one_to_the_largest(text: str, number: int | None) -> None:
    assert whole_number(text, 365) == number


@pytest.mark.parametrize("text", ["", " 1", "x", "٣", "9" * 5_000])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert whole_number(text, 999) is None


def test_long_json_may_have_many_brackets_and_any_in_its_texts() -> None:
    value = {"events": [{"data": '[{"' * 40, "path": "\\"}] * 2_000}
    assert read_long_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, '{"a":' * 100_000, '["' + '\\"' * 100_000 + "[" * 20, "[1, NaN]", "[", ""),
        '{"a": "\\',
    ],
)
def test_long_json_that_nests_or_breaks_off_is_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_long_json(text)


def test_brackets_in_a_text_of_json_are_no_structure() -> None:
    value = {"message": "[{" * 2_000 + '\\"[' * 600, "list": [[], {}] * 100}
    assert read_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text", ["[" * 501, '{"a":' * 501, '["' + "[" * 600 + '"' + ",[" * 501, '"\\"' + "[" * 600]
)
def test_too_many_brackets_of_the_structure_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)
