"""A body, a limit and a refusal, as every handler of the JSON API treats them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import pytest

from handlers.json_api import answer_refusals, read_json_object, read_limit
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


def request_with(body: str) -> Request:
    async def text(_limit: int) -> str:
        return body

    return Request(
        method="POST",
        path="/api/x",
        query="",
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
