"""Errors that end a command with one line: what is wrong and what to do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of all commands."""

    FINE = 0
    PROBLEMS = 1
    WRONG_USAGE = 2
    NO_ANSWER = 3


class OpsError(Exception):
    """Ends the command; the message is printed in one line."""

    exit_code = ExitCode.PROBLEMS


class WrongUsageError(OpsError):
    """The options or arguments are wrong, or one is missing."""

    exit_code = ExitCode.WRONG_USAGE


class NoAnswerError(OpsError):
    """Cloudflare, Pipedrive or the local database did not answer, or refused."""

    exit_code = ExitCode.NO_ANSWER
