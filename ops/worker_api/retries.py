"""When a request of a command is repeated, and how long it waits before that."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_chain,
    wait_fixed,
)

from ops.terminal.errors import NoAnswerError
from ops.terminal.output import format_duration, note

MAX_RATE_LIMIT_ATTEMPTS = 5
# A person waits this long at a prompt; a longer wait is named and ends the command.
MAX_WAIT_SECONDS = 60
# Between the attempts of a request inside a long job, whose work so far is worth some patience.
PAUSES_SECONDS: tuple[float, ...] = (1, 5, 15)

# A server that refuses a body before its end may close the connection too early.
CONNECTION_ERRORS = (httpx.NetworkError, httpx.RemoteProtocolError)

Sleep = Callable[[float], None]
Answer = TypeVar("Answer")


class UnreachableError(NoAnswerError):
    """No complete answer arrived; the same request may succeed a little later."""


def retry_after_seconds(response: httpx.Response) -> int | None:
    """Return the seconds in the `Retry-After` of *response*, or None if it has no number."""
    text = response.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else None


def retry_hint(response: httpx.Response) -> str:
    """Say when to try again: `in 30 s`."""
    seconds = retry_after_seconds(response)
    return "in a few seconds" if seconds is None else f"in {format_duration(seconds)}"


def rate_limit_retries(
    max_wait_seconds: float = MAX_WAIT_SECONDS,
    *,
    max_attempts: int = MAX_RATE_LIMIT_ATTEMPTS,
    reason: str = "the limit of requests is reached",
    sleep: Sleep = time.sleep,
) -> Retrying:
    """Build the policy that repeats a request answered with 429, after its `Retry-After`.

    It returns the last response, whatever its status. A wait of more than `max_wait_seconds` is
    not made; `reason` is noted before every other one.
    """

    def is_short_wait(response: httpx.Response) -> bool:
        seconds = retry_after_seconds(response)
        is_limited = response.status_code == HTTPStatus.TOO_MANY_REQUESTS
        return is_limited and seconds is not None and 0 < seconds <= max_wait_seconds

    def note_wait(state: RetryCallState) -> None:
        note(f"{reason}: waiting {format_duration(state.upcoming_sleep)} as the Worker asks")

    return Retrying(
        retry=retry_if_result(is_short_wait),
        wait=lambda state: retry_after_seconds(_last_response(state)) or 0,
        stop=stop_after_attempt(max_attempts),
        before_sleep=note_wait,
        retry_error_callback=_last_response,
        sleep=sleep,
    )


def outage_retries(
    failure: type[NoAnswerError] = UnreachableError,
    *,
    pauses: Sequence[float] = PAUSES_SECONDS,
    sleep: Sleep = time.sleep,
) -> Retrying:
    """Build the policy that repeats what raises `failure`, after each of the pauses.

    The last failure is raised.
    """
    return Retrying(
        retry=retry_if_exception_type(failure),
        wait=wait_chain(*map(wait_fixed, pauses)),
        stop=stop_after_attempt(1 + len(pauses)),
        before_sleep=_note_outage,
        reraise=True,
        sleep=sleep,
    )


def connection_retries(max_attempts: int) -> Retrying:
    """Build the policy that sends a request again at once when its connection broke.

    The last error is raised.
    """
    return Retrying(
        retry=retry_if_exception_type(CONNECTION_ERRORS),
        stop=stop_after_attempt(max_attempts),
        reraise=True,
    )


def polling(
    is_done: Callable[[Answer], bool],
    *,
    pause_seconds: float,
    max_attempts: int,
    sleep: Sleep = time.sleep,
) -> Retrying:
    """Build the policy that asks until the answer is as it should be; it gives the last answer.

    Answers that take long themselves do not make it longer than the pauses do.
    """
    return Retrying(
        retry=retry_if_result(lambda answer: not is_done(answer)),
        wait=wait_fixed(pause_seconds),
        stop=stop_after_attempt(max_attempts) | stop_after_delay(max_attempts * pause_seconds),
        retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        sleep=sleep,
    )


def _note_outage(state: RetryCallState) -> None:
    error = state.outcome and state.outcome.exception()
    note(f"{error}; again in {state.upcoming_sleep:g} s")


def _last_response(state: RetryCallState) -> httpx.Response:
    if state.outcome is None:
        raise ValueError("no request was sent")
    response: httpx.Response = state.outcome.result()
    return response
