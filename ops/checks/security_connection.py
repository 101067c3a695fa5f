"""Probes of the connection (TLS, redirect to https) and of the rate limit."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import httpx

from ops.checks.security_prober import MAX_WAIT_SECONDS, Prober, SecurityFinding, finding
from ops.worker_api.client import TIMEOUT_SECONDS
from ops.worker_api.retries import retry_after_seconds

MAX_EVENTS_TO_LIMIT = 300
MIN_CERTIFICATE_DAYS = 14


def probe_connection(prober: Prober) -> Iterator[SecurityFinding]:
    """Check the certificate, the TLS version and the redirect from http, if it is https."""
    host, url = prober.http.base_url.host, prober.http.base_url
    if url.scheme != "https":
        yield SecurityFinding("TLS", "skip", "http on this machine")
        return
    prober.sent += 1
    try:
        # On the way that all requests take, through a proxy where there is one.
        with prober.http.stream("GET", "/health") as answer:
            secure = answer.extensions["network_stream"].get_extra_info("ssl_object")
            certificate, version = secure.getpeercert() or {}, secure.version()
    except httpx.HTTPError as error:
        yield SecurityFinding("TLS", "fail", f"no connection: {error}")
        return
    expiry = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (expiry - datetime.now(UTC)).days
    yield finding("the certificate's days", fine=days >= MIN_CERTIFICATE_DAYS, observed=days)
    yield finding("TLS", fine=version in {"TLSv1.2", "TLSv1.3"}, observed=version)
    yield _http_finding(prober, host)


def _http_finding(prober: Prober, host: str) -> SecurityFinding:
    prober.sent += 1
    try:
        answer = httpx.get(f"http://{host}/health", timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return finding("http", fine=True, observed="is not served")
    location = answer.headers.get("location", "")
    return finding(
        "http", fine=location.startswith("https://"), observed=location or answer.status_code
    )


def probe_rate_limit(prober: Prober) -> Iterator[SecurityFinding]:
    """Send broken events until the rate limit answers."""
    subject = "the rate limit of events"
    limit = int(prober.post_event_once("no json").headers.get("x-ratelimit-limit", 0))
    # A new minute may begin meanwhile.
    max_events = 2 * limit + 10
    if not limit or max_events > MAX_EVENTS_TO_LIMIT:
        observed = f"{limit} a minute: too many to try" if limit else "the answer names no limit"
        yield SecurityFinding(subject, "skip" if limit else "fail", observed)
        return
    for number in range(1, max_events + 1):
        answer = prober.post_event_once("no json")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            yield _rate_limit_finding(subject, answer, number)
            return
    yield finding(subject, fine=False, observed=f"{max_events} events in a row were answered")


def _rate_limit_finding(subject: str, answer: httpx.Response, number: int) -> SecurityFinding:
    wait = retry_after_seconds(answer)
    fine = (
        wait is not None
        and 0 < wait <= MAX_WAIT_SECONDS
        and answer.json().get("retryAfter") == wait
    )
    return finding(subject, fine=fine, observed=f"429 after {number} events, Retry-After {wait}")
