"""How often a request is repeated, and how long a command waits before that."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from ops.worker_api.retries import (
    UnreachableError,
    connection_retries,
    outage_retries,
    polling,
    rate_limit_retries,
    retry_after_seconds,
    retry_hint,
)


def limited(retry_after: str) -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": retry_after})


def answering(*responses: httpx.Response) -> Callable[[], httpx.Response]:
    remaining: Iterator[httpx.Response] = iter(responses)
    return lambda: next(remaining)


def failing(times: int) -> Callable[[], str]:
    outcomes = iter([UnreachableError("no answer")] * times)

    def request() -> str:
        for error in outcomes:
            raise error
        return "answer"

    return request


@pytest.mark.parametrize(
    ("header", "seconds", "hint"),
    [
        ("90", 90, "in 1 min"),
        ("0", 0, "in 0 s"),
        ("", None, "in a few seconds"),
        ("-1", None, "in a few seconds"),
        ("Fri, 01 May 2026 12:00:03 GMT", None, "in a few seconds"),
        ("\u0663", None, "in a few seconds"),
    ],
)
def test_only_a_number_of_seconds_is_read(header: str, seconds: int | None, hint: str) -> None:
    response = httpx.Response(429, headers=[(b"retry-after", header.encode())])
    assert retry_after_seconds(response) == seconds
    assert retry_hint(response) == hint


def test_a_rate_limit_is_waited_for_as_long_as_told(capsys: pytest.CaptureFixture[str]) -> None:
    slept: list[float] = []
    send = answering(limited("3"), limited("60"), httpx.Response(200))
    response = rate_limit_retries(60, sleep=slept.append)(send)
    assert (response.status_code, slept) == (200, [3, 60])
    assert capsys.readouterr().err.splitlines() == [
        "the limit of requests is reached: waiting 3 s as the Worker asks",
        "the limit of requests is reached: waiting 1 min as the Worker asks",
    ]


@pytest.mark.parametrize("retry_after", ["61", "0", "", "soon"])
def test_a_wait_that_is_long_or_unknown_is_not_made(retry_after: str) -> None:
    slept: list[float] = []
    response = rate_limit_retries(60, sleep=slept.append)(answering(limited(retry_after)))
    assert (response.status_code, slept) == (429, [])


def test_other_refusals_are_not_repeated() -> None:
    refusal = httpx.Response(503, headers={"retry-after": "1"})
    assert rate_limit_retries()(answering(refusal)) is refusal


def test_the_last_of_all_attempts_is_returned_without_a_wait_after_it() -> None:
    slept: list[float] = []
    responses = [limited("1") for _ in range(3)]
    retries = rate_limit_retries(max_attempts=3, sleep=slept.append)
    assert retries(answering(*responses)) is responses[-1]
    assert slept == [1, 1]


def test_an_outage_is_retried_after_longer_and_longer_pauses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slept: list[float] = []
    assert outage_retries(sleep=slept.append)(failing(3)) == "answer"
    assert slept == [1, 5, 15]
    assert capsys.readouterr().err.splitlines() == [
        f"no answer; again in {seconds} s" for seconds in (1, 5, 15)
    ]


def test_an_outage_that_lasts_is_raised() -> None:
    with pytest.raises(UnreachableError, match="no answer"):
        outage_retries(sleep=lambda _seconds: None)(failing(4))


def test_another_error_is_raised_at_once() -> None:
    slept: list[float] = []

    def refuse() -> None:
        raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        outage_retries(sleep=slept.append)(refuse)
    assert slept == []


def test_polling_ends_with_the_first_answer_that_is_as_it_should_be() -> None:
    answers, waits = iter([1, 2, 3, 4]), list[float]()
    asking = polling(
        lambda answer: answer == 3, pause_seconds=5, max_attempts=9, sleep=waits.append
    )
    assert asking(lambda: next(answers)) == 3
    assert waits == [5, 5]


def test_polling_gives_the_last_answer_when_none_was_as_it_should_be() -> None:
    answers, waits = iter([1, 2, 3, 4]), list[float]()
    asking = polling(lambda _: False, pause_seconds=5, max_attempts=3, sleep=waits.append)
    assert asking(lambda: next(answers)) == 3
    assert waits == [5, 5]


def test_a_broken_connection_is_tried_again_and_other_errors_are_not() -> None:
    errors = iter([httpx.ReadError("reset"), httpx.RemoteProtocolError("closed")])

    def send() -> str:
        for error in errors:
            raise error
        return "sent"

    assert connection_retries(3)(send) == "sent"

    def time_out() -> str:
        raise httpx.ConnectTimeout("late")

    with pytest.raises(httpx.ConnectTimeout):
        connection_retries(3)(time_out)
