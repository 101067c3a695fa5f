"""Turns Cloudflare's request into ours and our response into one of JavaScript's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import js
from pyodide.ffi import JsException

from services.core.ports import NewId
from services.core.request_origin import Location, RequestOrigin
from services.core.text import clean
from web import BodyTooLargeError, ClientGoneError, Request, Response

After = Callable[[Coroutine[None, None, None]], None]

MAX_USER_AGENT_CHARACTERS = 1_000
MAX_LOCATION_CHARACTERS = 100
MAX_DISCARDED_BYTES = 1_048_576


def read_request(request: Any, new_id: NewId, after: After) -> Request:
    """Reads what every request needs from the JavaScript request; the body stays unread."""
    get_header = request.headers.get
    cf = request.cf

    def header(name: str) -> str | None:
        value: str | None = get_header(name)
        return value or None

    async def text(limit: int) -> str:
        return await read_text(request, header("content-length"), limit)

    location = [getattr(cf, name, None) for name in ("country", "region", "city")]
    head = RequestHead(request.method, request.url, header, location, _is_verified_bot(cf))
    return new_request(head, text, new_id, after)


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What a request says before its body. `location` is its country, region and city."""

    method: str
    url: str
    header: Callable[[str], str | None]
    location: Sequence[object]
    is_verified_bot: bool


def new_request(
    head: RequestHead, text: Callable[[int], Awaitable[str]], new_id: NewId, after: After
) -> Request:
    """The request as handlers see it, of its head and what reads its body."""
    url, header = urlsplit(head.url), head.header
    return Request(
        method=head.method,
        path=url.path,
        query=url.query,
        base_url=f"{url.scheme}://{url.netloc}",
        request_id=header("cf-ray") or new_id(),
        origin=RequestOrigin(
            ip_address=header("cf-connecting-ip"),
            user_agent=(header("user-agent") or "")[:MAX_USER_AGENT_CHARACTERS],
            location=Location(*map(_location_text, head.location)),
        ),
        header=header,
        text=text,
        after=after,
        is_verified_bot=head.is_verified_bot,
    )


async def read_text(request: Any, content_length: str | None, limit: int) -> str:
    """Reads the body as text, never more than `limit` bytes of it.

    Raises:
        BodyTooLargeError: there is more.
        ClientGoneError: the client ended the connection before the body was complete.
    """
    try:
        return await _read_text(request, content_length, limit)
    except JsException:
        raise ClientGoneError from None


async def _read_text(request: Any, content_length: str | None, limit: int) -> str:
    if content_length and content_length.isdecimal():
        if int(content_length) > limit:
            await _discard(request.body.getReader())
            raise BodyTooLargeError(limit)
        text: str = await request.text()
        return text
    return await _read_stream(request.body, limit)


async def _read_stream(body: Any, limit: int) -> str:
    if not body:
        return ""
    reader = body.getReader()
    received = bytearray()
    while not (chunk := await reader.read()).done:
        received += chunk.value.to_bytes()
        if len(received) > limit:
            await _discard(reader)
            raise BodyTooLargeError(limit)
    return received.decode("utf-8", "replace")


async def _discard(reader: Any) -> None:
    """Reads the rest of the body, up to a limit: a client cut off early never sees the answer."""
    discarded = 0
    while discarded <= MAX_DISCARDED_BYTES:
        if (chunk := await reader.read()).done:
            return
        discarded += chunk.value.byteLength
    await reader.cancel()


def options_text(response: Response) -> str:
    """The status and headers of a response as JSON, in one line."""
    return json.dumps({"status": response.status, "headers": dict(response.headers)})


def write_response(response: Response, after: After) -> Any:
    """Makes the JavaScript response; its options cross the border as one text."""
    options = js.JSON.parse(options_text(response))
    body = response.body
    if isinstance(body, bytes):
        return js.Response.new(js.Uint8Array.new(body), options)
    if body is None or isinstance(body, str):
        return js.Response.new(body, options)
    stream = js.IdentityTransformStream.new()
    after(_write_stream(body, stream.writable.getWriter()))
    return js.Response.new(stream.readable, options)


async def _write_stream(body: AsyncGenerator[str, None], writer: Any) -> None:
    """Writes the parts one by one, each after the client has taken the one before."""
    encoder = js.TextEncoder.new()
    try:
        async with aclosing(body):
            async for part in body:
                await writer.write(encoder.encode(part))
        await writer.close()
    except Exception as error:  # noqa: BLE001  # the client has gone, or the pipeline has logged it
        # An aborted stream is not mistaken for a complete one.
        await writer.abort(type(error).__name__)


def _is_verified_bot(cf: Any) -> bool:
    """Whether Cloudflare says so; it does where the plan has bot management."""
    return getattr(getattr(cf, "botManagement", None), "verifiedBot", None) is True


def _location_text(value: object) -> str | None:
    return clean(value, MAX_LOCATION_CHARACTERS) if isinstance(value, str) else None
