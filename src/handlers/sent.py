"""What a client with a key sent."""

from __future__ import annotations

from collections.abc import Mapping

from services.core.errors import InvalidFieldsError
from services.core.text import read_json
from web import MAX_BODY_BYTES, Request


async def read_sent(request: Request) -> Mapping[str, object]:
    """The JSON object in the body.

    Raises:
        InvalidFieldsError: it is none.
        BodyTooLargeError: it is longer than any honest one.
    """
    try:
        sent = read_json(await request.text(MAX_BODY_BYTES))
    except ValueError:
        sent = None
    if not isinstance(sent, dict):
        raise InvalidFieldsError(["the body must be a JSON object"])
    return sent
