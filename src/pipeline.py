"""The steps of every request in order, from the route table to the finished answer."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import cast

from app import App
from routes import OPEN, Policy, Route, routes_by_method
from scopes import refusal_outside
from security_headers import API_CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from services.access.api_keys import ApiKey, find_key
from services.access.bots import bot_kind
from services.access.rate_limiting import Limit, RateLimitDecision
from services.core.logs import Log, error_location
from services.core.ports import UnavailableError
from services.monitoring.failed_requests import Kind
from services.projects.open_settings import without_secrets
from services.reports.anonymity import anonymous
from web import (
    JSON_TYPE,
    BodyTooLargeError,
    ClientGoneError,
    Request,
    Response,
    compact_json,
    error_response,
)

UNAVAILABLE_RETRY_SECONDS = 30
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Retry-After, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset,"
        " X-Next-Cursor, Content-Disposition"
    ),
}
PREFLIGHT_HEADERS = {
    "Access-Control-Allow-Headers": (
        "Content-Type, Authorization, X-API-Key, X-Requested-With, DNT, Sec-GPC"
    ),
    "Access-Control-Max-Age": "86400",
}
# An unknown address may be seen by every site: a script of the old Worker reads what it says.
NO_POLICY = Policy(cross_origin=True)
COMMON_HEADERS = {**SECURITY_HEADERS, "Content-Security-Policy": API_CONTENT_SECURITY_POLICY}


async def answer(app: App, request: Request) -> Response:
    """Answers one request. Never raises: an error is logged and becomes a 500 or 503."""
    log = Log(app.config.log_level, request.request_id)
    routes = routes_by_method(request.path)
    route = routes.get(_method(request))
    if route:
        response = await _handle_errors(app, request, route, log)
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR and route.policy != OPEN:
            request.after(app.failed_requests.count(log))
        return _finished(response, request, route.policy)
    policy = next(iter(routes.values())).policy if routes else NO_POLICY
    response = _without_route(request, list(routes), policy)
    return _finished(response, request, replace(policy, stand_in=None))


def _method(request: Request) -> str:
    return "GET" if request.method == "HEAD" else request.method


def _without_route(request: Request, allowed: list[str], policy: Policy) -> Response:
    if not allowed:
        return _no_route(request, HTTPStatus.NOT_FOUND, "Route not found")
    if "GET" in allowed:
        allowed = [*allowed, "HEAD"]
    methods = ", ".join([*allowed, "OPTIONS"])
    allow = {"Allow": methods}
    if request.method == "OPTIONS":
        preflight = {"Access-Control-Allow-Methods": methods, **PREFLIGHT_HEADERS}
        return Response(204, headers={**allow, **preflight} if policy.cross_origin else allow)
    return _no_route(request, HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", allow)


def _no_route(
    request: Request, status: HTTPStatus, error: str, headers: Mapping[str, str] | None = None
) -> Response:
    return error_response(status, error, headers=headers, path=request.path, method=request.method)


async def _handle_errors(app: App, request: Request, route: Route, log: Log) -> Response:
    try:
        return await _apply_policy(app, request, route, log)
    except BodyTooLargeError as error:
        return error_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
    except ClientGoneError:
        # Nobody hears this answer, and nothing of ours failed.
        log.debug("client_gone", path=request.path)
        return error_response(HTTPStatus.BAD_REQUEST, "Request body is incomplete")
    except UnavailableError as error:
        log.error("unavailable", path=request.path, reason=str(error))
        return error_response(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "Temporarily unavailable, please try again",
            headers={"Retry-After": str(UNAVAILABLE_RETRY_SECONDS)},
        )
    except Exception as error:  # noqa: BLE001  # the last resort: nothing internal leaves
        log.error("failed", path=request.path, **error_location(error))
        return error_response(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal server error")


async def _apply_policy(app: App, request: Request, route: Route, log: Log) -> Response:
    policy = route.policy
    if _is_bot(request, policy):
        request = replace(request, text=_repeatable(request.text))
        # No lead is lost for what its browser says: it is marked when it is due.
        if not (policy.reserve and await policy.reserve.admits(request)):
            return _refuse_bot(app, request, log)
    if policy.limit is None:
        return await route.handler(app, request, log)
    limit: Limit = getattr(app.config, policy.limit)
    decision = await app.limiter.admit(limit, _address(request), app.clock().timestamp())
    if not decision.allowed and policy.reserve:
        request = replace(request, text=_repeatable(request.text))
        if await policy.reserve.admits(request):
            limit = getattr(app.config, policy.reserve.limit)
            decision = await app.limiter.admit(limit, _address(request), app.clock().timestamp())
    if not decision.counted:
        log.warning("rate_limiter_failed", limit=limit.name)
    if not decision.allowed:
        return _too_many(app, request, limit, decision, log)
    response = await _authorize_and_handle(app, request, route, decision, log)
    body = response.body
    if isinstance(body, AsyncGenerator):
        body = _log_stream_errors(body, request, log)
    return Response(response.status, body, {**_limit_headers(decision), **response.headers})


def _is_bot(request: Request, policy: Policy) -> bool:
    if not policy.refuses_agent:
        return False
    user_agent = request.origin.user_agent
    return request.is_verified_bot or policy.refuses_agent(user_agent, request.header)


def _refuse_bot(app: App, request: Request, log: Log) -> Response:
    is_likely = bot_kind(request.origin.user_agent, request.header) == "likely"
    kind: Kind = "refused_likely_bots" if is_likely else "refused_bots"
    log.info("bot_refused", path=request.path)
    request.after(app.failed_requests.count(log, kind))
    return Response(204)


def _repeatable(read: Callable[[int], Awaitable[str]]) -> Callable[[int], Awaitable[str]]:
    """Reads a body that can be read once, as often as it is needed."""
    texts: list[str] = []

    async def text(max_bytes: int) -> str:
        if not texts:
            texts.append(await read(max_bytes))
        return texts[0]

    return text


async def _authorize_and_handle(
    app: App, request: Request, route: Route, decision: RateLimitDecision, log: Log
) -> Response:
    """The handler's answer, or the refusal of a request without a sufficient key."""
    if route.policy.key is None:
        return await route.handler(app, request, log)
    _require_counted(decision)
    key = await _known_key(app, request, log)
    if isinstance(key, Response):
        return key
    if not key.opens(route.policy.key):
        message = f"This needs a key with the role {route.policy.key}"
        return error_response(HTTPStatus.FORBIDDEN, message)
    if outside := await refusal_outside(app, request, route.policy.scope, key):
        return outside
    response = await route.handler(app, replace(request, key=key), log)
    if route.policy.hides_persons and not key.has("leads"):
        response = _redact(anonymous, response)
    if route.policy.hides_secrets and not key.opens("admin"):
        response = _redact(without_secrets, response)
    return response


def _redact(hide: Callable[[object], object], response: Response) -> Response:
    """The answer with its content changed; an export, which is generated, does it itself."""
    content_type = response.headers.get("Content-Type")
    if content_type != JSON_TYPE or not isinstance(response.body, str):
        return response
    content = hide(json.loads(response.body))
    return replace(response, body=compact_json(cast("Mapping[str, object]", content)))


async def _log_stream_errors(
    body: AsyncGenerator[str, None], request: Request, log: Log
) -> AsyncGenerator[str, None]:
    """The body; an error that breaks it off after its headers were sent is logged."""
    async with aclosing(body):
        try:
            async for part in body:
                yield part
        except UnavailableError as error:
            log.error("broken_off", path=request.path, reason=str(error))
            raise
        except Exception as error:
            log.error("broken_off", path=request.path, **error_location(error))
            raise


def _too_many(
    app: App, request: Request, limit: Limit, decision: RateLimitDecision, log: Log
) -> Response:
    wait = max(1, decision.reset_at - int(app.clock().timestamp()))
    log.warning("rate_limited", limit=limit.name, path=request.path)
    return error_response(
        HTTPStatus.TOO_MANY_REQUESTS,
        "Too many requests",
        headers={**_limit_headers(decision), "Retry-After": str(wait)},
        retryAfter=wait,
    )


def _require_counted(decision: RateLimitDecision) -> None:
    if not decision.counted:
        # Without a limiter keys could be guessed at leisure.
        raise UnavailableError("the rate limiter failed")


async def _known_key(app: App, request: Request, log: Log) -> ApiKey | Response:
    """The key of a request, or the refusal of a request without a known one.

    Only an unknown key counts as a guess, and the same one only once. After too many guesses no key
    is checked any more.
    """
    presented = _presented_key(request)
    if not presented:
        return _unauthorized(request, log)
    limit, address, now = app.config.refused_keys, _address(request), app.clock().timestamp()
    decision = await app.limiter.would_admit(limit, address, now)
    key = await _find_key(app, presented) if decision.allowed else None
    if decision.allowed and key is None and app.refused_keys.is_guess(address, presented, now):
        decision = await app.limiter.admit(limit, address, now)
    _require_counted(decision)
    if not decision.allowed:
        return _too_many(app, request, limit, decision, log)
    return key or _unauthorized(request, log)


async def _find_key(app: App, presented: str) -> ApiKey | None:
    """The key of API_KEYS, or that of a shared view."""
    key = find_key(app.config.api_keys, presented)
    return key or await app.shared_views.key_of(presented, app.clock())


def _unauthorized(request: Request, log: Log) -> Response:
    log.warning("key_refused", path=request.path)
    return error_response(
        HTTPStatus.UNAUTHORIZED,
        "A valid API key is needed: send it as 'Authorization: Bearer …' or 'X-API-Key: …'",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _address(request: Request) -> str:
    return request.origin.ip_address or ""


def _presented_key(request: Request) -> str:
    scheme, *credentials = (request.header("authorization") or "").split(maxsplit=1) or [""]
    if scheme.lower() == "bearer" and credentials:
        return credentials[0].strip()
    return request.header("x-api-key") or ""


def _limit_headers(decision: RateLimitDecision) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(decision.limit),
        "X-RateLimit-Remaining": str(decision.remaining),
        "X-RateLimit-Reset": str(decision.reset_at),
    }


def _finished(response: Response, request: Request, policy: Policy) -> Response:
    if policy.stand_in and response.status != HTTPStatus.OK:
        response = policy.stand_in
    headers = {**COMMON_HEADERS, **response.headers, "X-Request-Id": request.request_id}
    if policy.cross_origin:
        headers.update(CORS_HEADERS)
    body = None if request.method == "HEAD" else response.body
    return Response(response.status, body, headers)
