"""A body, a limit and a refusal, as every handler of the JSON API treats them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from handlers.json_api import (
    answer_refusals,
    read_json_object,
    read_limit,
    read_report_query,
)
from services.core.errors import (
    ConflictError,
    InvalidFieldsError,
    InvalidQueryError,
    NotFoundError,
    RefusedError,
)
from services.core.page_limit import DEFAULT_PAGE_ROWS
from services.core.request_origin import Location, RequestOrigin
from web import Request, Response


def request_with(body: str, query: str = "") -> Request:
    async def text(_limit: int) -> str:
        return body

    return Request(
        method="POST",
        path="/api/x",
        query=query,
        base_url="https://a.example",
        request_id="r",
        origin=RequestOrigin(None, "", Location(None, None, None)),
        header=lambda _name: None,
        text=text,
        after=lambda work: work.close(),
    )


@pytest.mark.parametrize("body", ["", "nothing", "[1]", "null", '"a"', "{" * 600])
def test_only_a_json_object_is_a_body(body: str) -> None:
    with pytest.raises(InvalidFieldsError, match="the body must be a JSON object"):
        asyncio.run(read_json_object(request_with(body)))


def test_the_object_of_a_body_is_read() -> None:
    assert asyncio.run(read_json_object(request_with('{"name": "Shop"}'))) == {"name": "Shop"}


def test_a_parameter_that_a_report_does_not_have_is_refused_with_those_that_it_has() -> None:
    query = "attributon=first&by=source&by=medium&days=7"
    with pytest.raises(InvalidQueryError) as caught:
        read_report_query(request_with("", query), ("by", "days"))
    assert caught.value.details == [
        "attributon: is unknown; there are by, days",
        "by: stands there more than once; give it once",
    ]
    assert caught.value.message == caught.value.details[0]
    with pytest.raises(InvalidQueryError, match="_: is unknown; there are none"):
        read_report_query(request_with("", "_=1"), ())


def test_the_parameters_of_a_report_are_read() -> None:
    asked = read_report_query(
        request_with("", "by=source&tz=Europe%2FBerlin&to="), ("by", "tz", "to")
    )
    assert asked == {"by": "source", "tz": "Europe/Berlin", "to": ""}


@pytest.mark.parametrize(
    ("parameters", "limit", "problems"),
    [
        ({}, DEFAULT_PAGE_ROWS, 0),
        ({"limit": "500"}, 500, 0),
        *(({"limit": text}, DEFAULT_PAGE_ROWS, 1) for text in ("0", "501", "ten", "")),
    ],
)
def test_a_limit_is_a_number_of_rows_up_to_five_hundred(
    parameters: Mapping[str, str], limit: int, problems: int
) -> None:
    noted: list[str] = []
    assert read_limit(parameters, noted) == limit
    assert noted == ["limit: must be a whole number from 1 to 500"] * problems


@pytest.mark.parametrize(
    ("error", "status", "details"),
    [
        (InvalidQueryError("days must be a number"), 400, None),
        (InvalidFieldsError(["name: is missing"]), 400, ["name: is missing"]),
        (NotFoundError("Pixel not found"), 404, None),
        (ConflictError("Taken", "choose another name"), 409, ["choose another name"]),
    ],
)
def test_a_refusal_is_answered_with_its_message_and_details(
    error: RefusedError, status: int, details: list[str] | None
) -> None:
    @answer_refusals
    async def refuse() -> Response:
        raise error

    response = asyncio.run(refuse())
    assert response.status == status
    assert isinstance(response.body, str)
    content = json.loads(response.body)
    assert (content["error"], content.get("details")) == (error.message, details)


def test_any_other_error_is_left_to_the_pipeline() -> None:
    @answer_refusals
    async def crash() -> Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(crash())
