"""Requests and responses as the handlers see them."""

import json
from datetime import UTC, datetime
from http import HTTPStatus

import pytest

from services.core.request_origin import Location, RequestOrigin
from web import BodyTooLargeError, Request, error_response, time_text


async def no_body(_limit: int) -> str:
    raise AssertionError("no test reads it")


def request(path: str, query: str = "") -> Request:
    return Request(
        method="GET",
        path=path,
        query=query,
        base_url="https://pixel.example",
        request_id="1",
        origin=RequestOrigin(None, "", Location(None, None, None)),
        header=lambda _: None,
        text=no_body,
        after=lambda work: work.close(),
    )


@pytest.mark.parametrize(("index", "segment"), [(0, "api"), (2, "p1"), (-1, "pixels")])
def test_a_segment_of_the_path_is_known_by_its_index(index: int, segment: str) -> None:
    assert request("/api/projects/p1/pixels/").segment(index) == segment


def test_a_segment_is_read_without_its_encoding() -> None:
    assert request("/api/projects/Acme%20GmbH%2F%C3%BC").segment(2) == "Acme GmbH/ü"


def test_a_parameter_may_be_empty_and_the_first_of_its_name_counts() -> None:
    assert request("/", "a=1&b=&a=2%20x").parameters() == {"a": "1", "b": ""}


def test_answers_write_times_with_milliseconds() -> None:
    moment = datetime(2026, 5, 1, 12, microsecond=999, tzinfo=UTC)
    assert time_text(moment) == "2026-05-01T12:00:00.000Z"


@pytest.mark.parametrize("details", [None, [], ["name: is missing"]])
def test_an_error_has_details_only_where_there_are_any(details: list[str] | None) -> None:
    response = error_response(HTTPStatus.CONFLICT, "Refused", details=details, retryAfter=5)
    assert isinstance(response.body, str)
    content = json.loads(response.body)
    assert content.pop("details", None) == (details or None)
    assert content == {"success": False, "error": "Refused", "retryAfter": 5}
    assert (response.status, response.headers["Cache-Control"]) == (409, "no-store")


def test_a_body_that_is_too_large_names_the_limit() -> None:
    assert str(BodyTooLargeError(16 * 1_024)) == "Request body is larger than 16 KiB"
