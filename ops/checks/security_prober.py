"""The HTTP client of the security check, and the findings that its probes return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

import httpx

from ops.checks.user_agent import BROWSER_USER_AGENT
from ops.terminal.errors import NoAnswerError
from ops.worker_api.client import TIMEOUT_SECONDS
from ops.worker_api.retries import connection_retries, rate_limit_retries
from ops.worker_api.worker import Key, Worker

Verdict = Literal["pass", "fail", "skip"]

MAX_REQUESTS = 500
MAX_WAIT_SECONDS = 60
MAX_CONNECTION_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class SecurityFinding:
    """What one probe tried and what it observed."""

    subject: str
    verdict: Verdict
    observed: str

    def as_json(self) -> Mapping[str, str]:
        """Return the finding for --json."""
        return {"what": self.subject, "verdict": self.verdict, "seen": self.observed}


@dataclass(slots=True)
class Prober:
    """A client without a key that counts its requests and collects the answers.

    `key` is a valid key that a probe may put into a URL, where logs would record it.
    """

    worker: Worker
    key: Key | None
    http: httpx.Client
    answers: list[httpx.Response] = field(default_factory=list)
    sent: int = 0

    @classmethod
    @contextmanager
    def connect(cls, worker: Worker, key: Key | None) -> Iterator[Prober]:
        """Open a client that looks like a browser."""
        with httpx.Client(
            base_url=worker.url,
            headers={"user-agent": BROWSER_USER_AGENT},
            timeout=TIMEOUT_SECONDS,
            trust_env=not worker.is_on_this_machine,
        ) as http:
            yield cls(worker, key, http)

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
    ) -> httpx.Response:
        """Send one request; a body of bytes is sent in chunks, without Content-Length.

        Raises:
            NoAnswerError: there was no answer, or the maximum of requests is reached.
        """
        retries = connection_retries(MAX_CONNECTION_ATTEMPTS)
        try:
            return retries(self._send, method, path, headers, content)
        except httpx.HTTPError as error:
            raise NoAnswerError(f"{self.worker.url}{path} did not answer: {error!r}") from None

    def _send(
        self, method: str, path: str, headers: Mapping[str, str] | None, content: str | bytes | None
    ) -> httpx.Response:
        if self.sent >= MAX_REQUESTS:
            raise NoAnswerError(f"the check ends after {MAX_REQUESTS} requests")
        self.sent += 1
        # httpx sends an iterator in chunks.
        body = iter((content,)) if isinstance(content, bytes) else content
        answer = self.http.request(method, path, headers=headers, content=body)
        self.answers.append(answer)
        return answer

    def post_event(self, content: str | bytes) -> httpx.Response:
        """Send a body to the tracking endpoint; wait once if the rate limit answers."""
        retries = rate_limit_retries(
            MAX_WAIT_SECONDS,
            max_attempts=2,
            reason="this address sent too many events before",
        )
        return retries(self.post_event_once, content)

    def post_event_once(self, content: str | bytes) -> httpx.Response:
        """Send a body to the tracking endpoint."""
        return self.request("POST", "/e", {"content-type": "text/plain"}, content)


def finding(subject: str, *, fine: bool, observed: object) -> SecurityFinding:
    """Return a finding that passes if it is `fine`."""
    return SecurityFinding(subject, "pass" if fine else "fail", str(observed))


def status_finding(
    subject: str, answer: httpx.Response, *expected: HTTPStatus, fine: bool = True
) -> SecurityFinding:
    """Return a finding that passes if the status is an expected one and the answer is `fine`."""
    fine = fine and answer.status_code in expected
    return finding(subject, fine=fine, observed=answer.status_code)
