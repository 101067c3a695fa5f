"""How numbers, durations and untrusted text are printed, and when a question is refused."""

from __future__ import annotations

import pytest

from ops.terminal.errors import WrongUsageError
from ops.terminal.output import (
    DASH,
    MAX_TEXT_CHARACTERS,
    counted,
    format_duration,
    plain,
    require_no_question,
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
