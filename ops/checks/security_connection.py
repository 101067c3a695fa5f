"""What a stranger sees of the connection, and of the rate limit."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import httpx

from ops.checks.security_prober import LONGEST_WAIT, Finding, Stranger, found
from ops.worker_api.client import TIMEOUT_SECONDS
from ops.worker_api.retries import retry_after_seconds

MAX_TO_THE_LIMIT = 300
DAYS_OF_A_CERTIFICATE = 14


def of_the_connection(stranger: Stranger) -> Iterator[Finding]:
    """Where it is https: the certificate, old protocols, and what http answers."""
    host, url = stranger.http.base_url.host, stranger.http.base_url
    if url.scheme != "https":
        yield Finding("TLS", "skip", "http on this machine")
        return
    with (
        socket.create_connection((host, url.port or 443), timeout=TIMEOUT_SECONDS) as plain_socket,
        ssl.create_default_context().wrap_socket(plain_socket, server_hostname=host) as secure,
    ):
        certificate, version = secure.getpeercert() or {}, secure.version()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
    days = (ends - datetime.now(UTC)).days
    yield found("the certificate's days", fine=days >= DAYS_OF_A_CERTIFICATE, seen=days)
    yield found("TLS", fine=version in {"TLSv1.2", "TLSv1.3"}, seen=version)
    yield _of_http(stranger, host)


def _of_http(stranger: Stranger, host: str) -> Finding:
    stranger.sent += 1
    try:
        answer = httpx.get(f"http://{host}/health", timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError:
        return found("http", fine=True, seen="is not served")
    location = answer.headers.get("location", "")
    return found("http", fine=location.startswith("https://"), seen=location or answer.status_code)


def meets_the_limit(stranger: Stranger) -> Iterator[Finding]:
    """Broken events, until there are too many of them."""
    what = "the rate limit of events"
    limit = int(stranger.post_at_once("no json").headers.get("x-ratelimit-limit", 0))
    # A minute may end on the way.
    most = 2 * limit + 10
    if not limit or most > MAX_TO_THE_LIMIT:
        seen = f"{limit} a minute: too many to try" if limit else "no limit is told"
        yield Finding(what, "skip" if limit else "fail", seen)
        return
    for number in range(1, most + 1):
        answer = stranger.post_at_once("no json")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            yield _of_limit(what, answer, number)
            return
    yield found(what, fine=False, seen=f"{most} events in a row were answered")


def _of_limit(what: str, answer: httpx.Response, number: int) -> Finding:
    wait = retry_after_seconds(answer)
    fine = wait is not None and 0 < wait <= LONGEST_WAIT and answer.json().get("retryAfter") == wait
    return found(what, fine=fine, seen=f"429 after {number} events, Retry-After {wait}")
