"""How wide the columns of a table are, and where texts are broken."""

from __future__ import annotations

from rich.cells import cell_len

from ops.terminal.table_layout import MAX_WHOLE_WORD, table_lines

HEADERS = ("id", "text", "n")
ID = "20260501T030000Z-full"


def lines(*rows: tuple[str, ...], width: int | None) -> list[str]:
    return list(table_lines([HEADERS, *rows], [False, False, True], width))


def test_without_a_width_no_text_is_broken() -> None:
    text = "word " * 400
    assert lines((ID, text.strip(), "1"), width=None)[1].startswith(f"{ID}  {text}")


def test_a_long_text_is_broken_between_words_before_an_id_is() -> None:
    table = lines((ID, "a text of several words", "12"), width=40)
    assert max(map(len, table)) <= 40
    assert table[1].startswith(f"{ID}  a text of")
    assert table[1].endswith("12")
    assert table[2].startswith(" " * len(ID))


def test_a_table_of_ids_is_rather_too_wide() -> None:
    assert lines((ID, ID, "1"), width=20)[1] == f"{ID}  {ID}  1"


def test_a_word_that_is_longer_than_any_id_is_broken() -> None:
    address = "https://shop.example/" + "x" * MAX_WHOLE_WORD
    assert max(map(len, lines((ID, address, "1"), width=60))) <= 60


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    table = lines(("\u65e5\u672c", "x", "1"), ("abcd", "x", "1"), width=80)
    assert len({cell_len(line) for line in table[1:]}) == 1


def test_a_table_without_rows_has_its_headers() -> None:
    assert list(table_lines([HEADERS], [], 80)) == ["id  text  n"]
