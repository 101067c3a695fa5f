"""The addresses that the pixel sends to: one event, by script or by image."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from http import HTTPStatus
from urllib.parse import unquote

from app import App
from handlers.json_api import refusal_response
from services.core.errors import InvalidInputError
from services.core.logs import Log
from services.core.ports import NotStoredError, OnCost, UnavailableError
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import PixelRules, declines
from services.tracking.events import (
    VISITOR_COOKIE,
    Event,
    InvalidEventError,
    check_event,
    read_event,
)
from services.tracking.page_addresses import address_of_image, parameters_torn_off
from services.tracking.senders import may_send, sender_of
from services.tracking.visits import RecordedEvent
from services.tracking.waiting_room import WaitingEvent
from web import MAX_BODY_BYTES, Request, Response, error_response, json_response

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
GIF_HEADERS = {
    "Content-Type": "image/gif",
    "Cache-Control": "no-cache, no-store, must-revalidate",
}
# Shown instead of an error, so that a page has no broken image; it sets no cookie.
GIF_ALONE = Response(200, GIF, GIF_HEADERS)
COOKIE_SECONDS = 365 * 86_400
# Other cookies of the site may hold anything: a strict reader would lose ours behind one of them.
VISITOR_PAIR = re.compile(r"""(?:^|[;,])\s*ppp_visitor\s*=[\s"']*([\w-]+)["'\s]*(?=[;,]|$)""")
# The hidden fields of a form that the pixel fills in.
FILLED_FIELDS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
)


class UnknownPixelError(InvalidInputError):
    """No pixel has this id, or it is inactive; the message says which."""


class WrongSenderError(InvalidEventError):
    """The browser says that the event was sent from none of the pixel's domains."""


class DeclinedError(Exception):
    """The visitor declines tracking (DNT or GPC), and the pixel respects that."""


async def track(app: App, request: Request, log: Log) -> Response:
    """`POST /e` and its old names: stores one event and answers its attribution.

    204 if the visitor declines tracking, 400 for anything but an event of an active pixel on its
    domains; the pipeline answers 413 and 503.
    """
    started = app.clock()
    try:
        body = await request.text(MAX_BODY_BYTES)
        event = read_event(body, new_visitor_cookie(app), _embedding_page(request))
        recorded = await record(app, request, log, event)
    except DeclinedError:
        return declined(log)
    except UnknownPixelError as error:
        return refused(error, log, milliseconds_since(app, started))
    except WrongSenderError as error:
        request.after(app.failed_requests.count(log, "refused_senders"))
        return refused(error, log)
    except InvalidInputError as error:
        return refused(error, log)
    return json_response(
        {
            "success": True,
            "visitor_cookie": event.visitor_cookie,
            "visitor_id": recorded.visitor_id,
            "session_id": recorded.session_id,
            "event_id": recorded.event_id,
            "processing_time": milliseconds_since(app, started),
            "attribution": {
                "source": recorded.attribution.source,
                "medium": recorded.attribution.medium,
                "campaign": recorded.attribution.campaign,
            },
            **(
                {"touch": {name: recorded.touch[name] for name in FILLED_FIELDS}}
                if event.fill
                else {}
            ),
        }
    )


async def pixel_gif(app: App, request: Request, log: Log) -> Response:
    """`GET /e/page.gif` and its old name: stores a page view of a browser without scripts.

    The pipeline replaces every response but a 200 by the image (the policy's stand-in).
    """
    try:
        event = check_event(_image_fields(request), new_visitor_cookie(app))
        await record(app, request, log, event)
    except DeclinedError:
        return declined(log)
    except WrongSenderError as error:
        request.after(app.failed_requests.count(log, "refused_senders"))
        return refused(error, log)
    except InvalidInputError as error:
        return refused(error, log)
    return Response(200, GIF, {**GIF_HEADERS, "Set-Cookie": set_cookie(event.visitor_cookie)})


async def has_lead(request: Request) -> bool:
    """Whether the body is an event with a lead."""
    try:
        body = await request.text(MAX_BODY_BYTES)
        event = read_event(body, new_visitor="", embedding_page=_embedding_page(request))
    except InvalidInputError:
        return False
    return event.lead is not None


def _embedding_page(request: Request) -> str | None:
    return request.header("referer") or request.header("origin")


async def image_has_lead(request: Request) -> bool:
    """Whether the page of the image has a lead in its address."""
    try:
        event = check_event(_image_fields(request), new_visitor="")
    except InvalidInputError:
        return False
    return event.lead is not None


def _image_fields(request: Request) -> dict[str, object]:
    fields = {name: _decoded_address(value) for name, value in request.parameters().items()}
    page_url = address_of_image(fields.get("page_url", ""), _embedding_page(request))
    return {
        **fields,
        "page_url": page_url + parameters_torn_off(request.query),
        "event_type": "pageview",
        "visitor_cookie": cookie_of(request),
    }


def refused(error: InvalidInputError, log: Log, processing_time: int | None = None) -> Response:
    """Logs a refused event and builds the response."""
    log.info("event_refused", reason=error.message, details=error.details or None)
    if processing_time is None:
        return refusal_response(error)
    status = HTTPStatus.BAD_REQUEST
    return error_response(status, error.message, processing_time=processing_time)


def milliseconds_since(app: App, started: datetime) -> int:
    """The `processing_time` of an answer."""
    return int((app.clock() - started).total_seconds() * 1_000)


def declined(log: Log) -> Response:
    """The response to a visitor who declines tracking; nothing of the event is stored."""
    log.info("visitor_declined")
    return Response(204)


async def record(app: App, request: Request, log: Log, event: Event) -> RecordedEvent:
    """Stores an event of an active pixel and logs it.

    Raises:
        UnknownPixelError: there is no such pixel, or it is not active.
        DeclinedError: the visitor's choice is not to be tracked.
        InvalidEventError: the page is on none of the pixel's domains.
        UnavailableError: D1 failed, or is lost; nothing was written, and the event waits in R2.
    """
    now = app.clock()
    try:
        return await _store_or_refuse(app, request, log, event, now)
    except UnavailableError:
        await _store_in_waiting_room(app, request, log, event, now)
        raise


async def _store_or_refuse(
    app: App, request: Request, log: Log, event: Event, now: datetime
) -> RecordedEvent:
    try:
        try:
            return await _store(app, request, log, event, now)
        except NotStoredError:
            # The pixel was looked up in another database.
            app.pixels.forget(event.pixel_id)
            return await _store(app, request, log, event, now)
    except InvalidInputError:
        # A database that is lost may have other pixels than there were, or their old domains.
        await app.guard.require_whole(now.timestamp())
        raise


async def _store_in_waiting_room(
    app: App, request: Request, log: Log, event: Event, now: datetime
) -> None:
    """Puts an event into R2 that D1 cannot take now; an old pixel never sends it again."""
    declined_tracking = declines(request.header)
    sender = sender_of(request.header, request.base_url)
    waiting = WaitingEvent(
        *(event, request.origin, now, declined_tracking, sender, app.config.environment)
    )
    try:
        is_waiting = await app.waiting_room.add(waiting)
    except UnavailableError as error:
        log.error("event_not_kept", reason=str(error))
        return
    if is_waiting:
        log.warning("event_waits")
    else:
        log.error("event_not_kept", reason="waiting/ is full")


async def _store(
    app: App, request: Request, log: Log, event: Event, now: datetime
) -> RecordedEvent:
    lookups = app.pixels.lookups
    pixel = await _active_pixel(app, event.pixel_id, now)
    round_trips = app.pixels.lookups - lookups + 1
    _require_permission(pixel.rules, request, event)
    # KV does not store the touch that fills in a form.
    is_recalled = event.lead and not event.fill
    if is_recalled and (answered := await app.repeats.recall(event, now, log)):
        log.info("submission_repeated", event_id=answered.event_id, pixel_id=pixel.id)
        return answered
    event = await app.visits.prepared(event, pixel, now)
    on_cost = _cost_line(log, round_trips) if log.wants("debug") else None
    recorded = await app.visits.record(event, pixel, request.origin, now, on_cost)
    if event.lead and recorded.event_type == "form_submit":
        request.after(store_reminders(app, log, event, recorded))
    log.info(
        "event_stored",
        event_id=recorded.event_id,
        event_type=recorded.event_type,
        pixel_id=pixel.id,
        touch=event.touch.origin if event.touch else None,
        **_dropped_event_data(event),
    )
    return recorded


def _require_permission(rules: PixelRules, request: Request, event: Event) -> None:
    if rules.respects_dnt and declines(request.header):
        raise DeclinedError
    if not rules.allow(event.page_url):
        raise InvalidEventError(
            "Domain not allowed", ["page_url: is on none of the pixel's allowed_domains"]
        )
    # Without domains every sender is right, and most events need no look at their headers.
    if rules.allowed_domains and not may_send(
        rules, sender_of(request.header, request.base_url), event.page_url
    ):
        raise WrongSenderError(
            "Domain not allowed", ["origin: is on none of the pixel's allowed_domains"]
        )


def _dropped_event_data(event: Event) -> dict[str, str]:
    reason = event.custom.left_out if event.custom else None
    return {"event_data": f"left out: {reason}"} if reason else {}


async def _active_pixel(app: App, pixel_id: str, now: datetime) -> Pixel:
    pixel = await app.pixels.find(pixel_id, now.timestamp())
    if pixel is None:
        raise UnknownPixelError("Invalid pixel_id")
    if not pixel.active:
        raise UnknownPixelError("Pixel is inactive")
    return pixel


def _cost_line(log: Log, round_trips: int) -> OnCost:
    def write(rows_read: int, rows_written: int) -> None:
        log.debug(
            "event_cost", round_trips=round_trips, rows_read=rows_read, rows_written=rows_written
        )

    return write


async def store_reminders(app: App, log: Log, event: Event, recorded: RecordedEvent) -> None:
    """Sets the timer of the sync and stores the response in KV; each works without the other."""
    try:
        if recorded.due:
            await app.timers.set(recorded.event_id, recorded.due)
    except UnavailableError as error:
        log.warning("timer_not_set", event_id=recorded.event_id, reason=str(error))
    try:
        await app.repeats.remember(event, recorded, app.clock())
    except UnavailableError as error:
        log.warning("answer_not_remembered", event_id=recorded.event_id, reason=str(error))


def _decoded_address(value: str) -> str:
    """Undoes the second encoding of addresses in old embed codes."""
    return unquote(value) if value[:12].lower().startswith(("http%3a", "https%3a")) else value


def new_visitor_cookie(app: App) -> str:
    """A fresh visitor cookie, in the form that the old Worker knows too."""
    return f"pxl_{app.new_id()[:16]}"


def cookie_of(request: Request) -> str | None:
    """The visitor cookie of an image request: the first valid one, as the pixel reads it."""
    values = VISITOR_PAIR.findall(request.header("cookie") or "")
    return next(filter(VISITOR_COOKIE.fullmatch, values), None)


def set_cookie(cookie: str) -> str:
    """The value of the Set-Cookie header for a visitor without scripts."""
    return f"ppp_visitor={cookie}; Path=/; Max-Age={COOKIE_SECONDS}; SameSite=Lax; Secure; HttpOnly"
