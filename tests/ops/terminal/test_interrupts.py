"""A command that is killed ends as one that is stopped by hand."""

from __future__ import annotations

import os
import signal

import pytest

from ops.terminal.interrupts import finished_first, interrupted_by_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_the_block_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupted_by_signals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_must_be_finished_is_interrupted_by_the_third_signal_only(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(number)
    with finished_first("going back"):
        for _ in range(2):
            os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
    expected = 0 if number == signal.SIGHUP else 2
    assert capsys.readouterr().err.count("going back: please wait") == expected
    assert signal.getsignal(number) is before
