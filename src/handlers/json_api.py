"""What the handlers of the JSON API share: reading a body and a limit, answering a refusal.

A refusal is a RefusedError of a service. The handler answers it, not the pipeline: so the pipeline
adds its headers, such as those of the rate limit, to this answer as to every other one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec
from urllib.parse import parse_qsl

from services.core.errors import (
    ConflictError,
    InvalidFieldsError,
    InvalidQueryError,
    NotFoundError,
    RefusedError,
    unknown_fields,
)
from services.core.page_limit import DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS, page_limit
from services.core.text import read_json
from web import MAX_BODY_BYTES, Request, Response, error_response

# `(app, request, log)`, with `self` before them where the handler is a method.
HandlerParams = ParamSpec("HandlerParams")


def answer_refusals(
    handler: Callable[HandlerParams, Awaitable[Response]],
) -> Callable[HandlerParams, Coroutine[Any, Any, Response]]:
    """Makes a handler answer 400, 404 or 409 where a service raises a RefusedError."""

    @wraps(handler)
    async def answering(*args: HandlerParams.args, **kwargs: HandlerParams.kwargs) -> Response:
        try:
            return await handler(*args, **kwargs)
        except RefusedError as error:
            return refusal_response(error)

    return answering


def refusal_response(error: RefusedError) -> Response:
    """The response to a refused request: status, message, details, and when to ask again."""
    seconds = error.retry_seconds if isinstance(error, ConflictError) else None
    headers = {"Retry-After": str(seconds)} if seconds else None
    return error_response(_status(error), error.message, details=error.details, headers=headers)


async def read_json_object(request: Request) -> Mapping[str, object]:
    """Reads the JSON object in the body.

    Raises:
        InvalidFieldsError: the body is not a JSON object.
        BodyTooLargeError: the body is larger than MAX_BODY_BYTES.
    """
    try:
        body = read_json(await request.text(MAX_BODY_BYTES))
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    return body


def read_report_query(request: Request, names: Sequence[str]) -> dict[str, str]:
    """The parameters of a report, which are among these: a misspelt one would change its numbers.

    Raises:
        InvalidQueryError: a parameter is unknown or stands there twice.
    """
    names_in_query = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    twice = [name for name in names if names_in_query.count(name) > 1]
    problems = unknown_fields(dict.fromkeys(names_in_query), names)
    problems += [f"{name}: stands there more than once; give it once" for name in twice]
    if problems:
        raise InvalidQueryError(problems[0], problems)
    return request.parameters()


def read_limit(parameters: Mapping[str, str], problems: list[str]) -> int:
    """Reads `limit`, the rows of a page; after a problem, appends it and returns the default."""
    limit = page_limit(parameters)
    if limit is None:
        problems.append(f"limit: must be a whole number from 1 to {MAX_PAGE_ROWS}")
    return limit or DEFAULT_PAGE_ROWS


def _status(error: RefusedError) -> HTTPStatus:
    match error:
        case NotFoundError():
            return HTTPStatus.NOT_FOUND
        case ConflictError():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.BAD_REQUEST
