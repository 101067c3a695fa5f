"""Errors that end a command with one line: what is wrong and what to do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    FINE = 0
    PROBLEMS = 1
    WRONG_USAGE = 2
    NO_ANSWER = 3


def describe_error(error: BaseException) -> str:
    """Describe an error of any kind in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped by hand"
    text = " ".join(str(error).split())
    if isinstance(error, OpsError):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


class OpsError(Exception):
    """Ends the command; the message is printed in one line."""

    exit_code = ExitCode.PROBLEMS


class WrongUsageError(OpsError):
    """The options or arguments are wrong, or one is missing."""

    exit_code = ExitCode.WRONG_USAGE


class NoAnswerError(OpsError):
    """Cloudflare, Pipedrive or the local database did not answer, or refused."""

    exit_code = ExitCode.NO_ANSWER
