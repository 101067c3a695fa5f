"""What the services refuse, as answers. Not in the pipeline: its limits stand in these too."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus

from app import App
from handlers import Handler
from services.core.logs import Log
from services.core.refusals import (
    ConflictError,
    InvalidFieldsError,
    InvalidQueryError,
    NotFoundError,
)
from web import Request, Response, error_response


def refusing(handler: Handler) -> Handler:
    """A handler whose services may refuse: 400, 404 or 409, and what to do about it."""

    @wraps(handler)
    async def answering(app: App, request: Request, log: Log) -> Response:
        try:
            return await handler(app, request, log)
        except InvalidFieldsError as error:
            return error_response(
                HTTPStatus.BAD_REQUEST, "Validation failed", details=error.problems
            )
        except InvalidQueryError as error:
            return error_response(HTTPStatus.BAD_REQUEST, str(error))
        except NotFoundError as error:
            return error_response(HTTPStatus.NOT_FOUND, str(error))
        except ConflictError as error:
            return error_response(HTTPStatus.CONFLICT, str(error), details=[error.advice])

    return answering
