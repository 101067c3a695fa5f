"""What the services refuse, as answers. Not in the pipeline: its limits stand in these too."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus

from app import App
from handlers import Handler
from services.core.errors import ConflictError, NotFoundError, RefusedError
from services.core.logs import Log
from web import Request, Response, error_response


def refusing(handler: Handler) -> Handler:
    """A handler whose services may refuse: 400, 404 or 409, and what to do about it."""

    @wraps(handler)
    async def answering(app: App, request: Request, log: Log) -> Response:
        try:
            return await handler(app, request, log)
        except RefusedError as error:
            return error_response(_status(error), error.message, details=error.details)

    return answering


def _status(error: RefusedError) -> HTTPStatus:
    match error:
        case NotFoundError():
            return HTTPStatus.NOT_FOUND
        case ConflictError():
            return HTTPStatus.CONFLICT
        case _:
            return HTTPStatus.BAD_REQUEST
