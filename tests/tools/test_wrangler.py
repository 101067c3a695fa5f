"""wrangler, run to its end."""

from __future__ import annotations

import pytest

from wrangler import WranglerError, wrangler


def test_what_wrangler_says_is_returned() -> None:
    assert "4.164.0" in wrangler("--version", config=None)


def test_a_command_that_fails_raises_with_what_wrangler_said() -> None:
    with pytest.raises(WranglerError, match="wrangler d1 failed"):
        wrangler("d1", "no-such-command", config=None)
