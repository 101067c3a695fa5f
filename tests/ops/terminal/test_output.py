"""How numbers, durations and untrusted text are printed, and when a question is refused."""

from __future__ import annotations

import io
import os

import pytest
from rich.console import Console

from ops.terminal.errors import WrongUsageError
from ops.terminal.output import (
    DASH,
    MAX_TEXT_CHARACTERS,
    counted,
    format_duration,
    plain,
    require_answerable,
    require_no_question,
    show_table,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3_599, "59 min"),
        (3_600 + 5 * 60, "1 h 5 min"),
        (86_400, "1 d 0 h"),
        (4 * 86_400 + 2 * 3_600 + 59 * 60, "4 d 2 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 leads"), (1, "1 lead"), (2, "2 leads"), (1_200, "1,200 leads")]
)
def test_a_noun_follows_its_number(number: int, text: str) -> None:
    assert counted(number, "lead") == text


def test_untrusted_text_cannot_move_the_cursor_or_begin_a_line() -> None:
    text = plain("shop\x1b[2J\r\nall is well")
    assert "\x1b" not in text
    assert len(text.splitlines()) == 1
    assert len(plain("x" * (MAX_TEXT_CHARACTERS + 1))) <= MAX_TEXT_CHARACTERS
    assert plain(None) == plain("") == DASH


def test_a_script_is_never_asked() -> None:
    with pytest.raises(WrongUsageError, match="--yes or --dry-run"):
        require_no_question(as_json=True, yes=False, dry_run=False)
    require_no_question(as_json=True, yes=True, dry_run=False)
    require_no_question(as_json=True, yes=False, dry_run=True)
    require_no_question(as_json=False, yes=False, dry_run=False)


def printed(width: int, *, is_terminal: bool) -> list[str]:
    out = io.StringIO()
    terminal = Console(
        file=out, width=width, force_terminal=is_terminal, soft_wrap=True, highlight=False
    )
    rows = [(ID, "some words that are long", 1_234), ("short", None, None)]
    show_table(terminal, ("id", "name", "rows"), rows, {"short": "red"})
    return out.getvalue().splitlines()


ID = "0b8a2f0c-7d0e-4b52-9c3e-1f5a6f0d8e21"


def test_a_pipe_gets_one_line_for_each_row() -> None:
    assert printed(20, is_terminal=False) == [
        f"id{' ' * 36}name{' ' * 23}rows",
        f"{ID}  some words that are long  1,234",
        f"short{' ' * 33}-{' ' * 29}-",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_a_terminal_breaks_words_apart_but_no_id(width: int) -> None:
    lines = printed(width, is_terminal=True)
    assert sum(ID in line for line in lines) == 1
    assert "\x1b[31mshort" in "".join(lines)
    assert len(lines) == (3 if width == 80 else len(lines))
    for word in ("some", "words", "that", "are", "long"):
        assert sum(word in line for line in lines) == 1


@pytest.mark.parametrize(("written", "is_closed"), [(b"", False), (b"y\n", False), (b"y\n", True)])
def test_a_question_is_refused_before_the_work_only_where_stdin_has_ended(
    monkeypatch: pytest.MonkeyPatch, written: bytes, *, is_closed: bool
) -> None:
    """An answer that is piped is taken, and one may come later."""
    end, start = os.pipe()
    os.write(start, written)
    if is_closed:
        os.close(start)
    with os.fdopen(end, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        require_answerable(yes=False, dry_run=False)
        assert stdin.read(2) == "y\n" if written else True
        if not is_closed:
            os.close(start)
            stdin.read()
        with pytest.raises(WrongUsageError, match="stdin has ended"):
            require_answerable(yes=False, dry_run=False)
        require_answerable(yes=True, dry_run=False)
        require_answerable(yes=False, dry_run=True)
