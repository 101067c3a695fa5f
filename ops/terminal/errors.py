"""What a command cannot go on with; the message says what is wrong and what to do."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command tells the shell."""

    FINE = 0
    PROBLEMS = 1
    WRONG_USAGE = 2
    NO_ANSWER = 3


class OpsError(Exception):
    """Ends the command with one line."""

    exit_code = ExitCode.PROBLEMS


class WrongUsageError(OpsError):
    """The command was not given what it needs."""

    exit_code = ExitCode.WRONG_USAGE


class NoAnswerError(OpsError):
    """Cloudflare, Pipedrive or the local database did not answer, or refused to."""

    exit_code = ExitCode.NO_ANSWER
