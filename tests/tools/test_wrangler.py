"""wrangler, run to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from wrangler import WranglerError, wrangler, wrangler_report


def test_what_wrangler_says_is_returned() -> None:
    assert "4.164.0" in wrangler("--version", config=None)


def test_a_command_that_fails_raises_with_what_wrangler_said() -> None:
    with pytest.raises(WranglerError, match="wrangler d1 failed"):
        wrangler("d1", "no-such-command", config=None)


def test_what_wrangler_notes_for_programs_is_returned(local_config: Bundle, tmp_path: Path) -> None:
    migrations = ("d1", "migrations", "list", "DB", "--local", "--persist-to", tmp_path)
    entries = wrangler_report(*migrations)
    assert entries[0]["type"] == "wrangler-session"
    assert entries[0]["command_line_args"][:3] == ["d1", "migrations", "list"]
