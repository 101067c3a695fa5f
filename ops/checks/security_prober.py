"""Somebody who knows a Worker's address and nothing else, and what they find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

import httpx

from ops.checks.load_test import BROWSER
from ops.terminal.errors import NoAnswerError
from ops.worker_api.client import TIMEOUT_SECONDS
from ops.worker_api.retries import rate_limit_retries
from ops.worker_api.worker import Key, Worker

Verdict = Literal["pass", "fail", "skip"]

MAX_REQUESTS = 500
LONGEST_WAIT = 60
TRIES = 3
CONNECTION_ENDED = (httpx.NetworkError, httpx.RemoteProtocolError)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried."""

    what: str
    verdict: Verdict
    seen: str

    def as_json(self) -> Mapping[str, str]:
        """The finding for a script."""
        return {"what": self.what, "verdict": self.verdict, "seen": self.seen}


@dataclass(slots=True)
class Stranger:
    """Somebody who sends requests, so many at most, and keeps the answers.

    `key` is one that opens the Worker, if it may be shown to its log.
    """

    worker: Worker
    key: Key | None
    http: httpx.Client
    answers: list[httpx.Response] = field(default_factory=list)
    sent: int = 0

    @classmethod
    @contextmanager
    def meeting(cls, worker: Worker, key: Key | None) -> Iterator[Stranger]:
        """A stranger with a browser."""
        with httpx.Client(
            base_url=worker.url,
            headers={"user-agent": BROWSER},
            timeout=TIMEOUT_SECONDS,
            trust_env=not worker.is_on_this_machine,
        ) as http:
            yield cls(worker, key, http)

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        content: str | bytes | None = None,
    ) -> httpx.Response:
        """Sends one request; without its length if its body is bytes.

        Raises:
            NoAnswerError: nothing came back, or too much was asked.
        """
        for _ in range(TRIES - 1):
            try:
                return self._try(method, path, headers, content)
            except CONNECTION_ENDED:
                # Who refuses a body that is still on its way may cut off its own answer.
                continue
        try:
            return self._try(method, path, headers, content)
        except httpx.HTTPError as error:
            raise NoAnswerError(f"{self.worker.url}{path} did not answer: {error!r}") from None

    def _try(
        self, method: str, path: str, headers: Mapping[str, str] | None, content: str | bytes | None
    ) -> httpx.Response:
        if self.sent >= MAX_REQUESTS:
            raise NoAnswerError(f"the check ends after {MAX_REQUESTS} requests")
        self.sent += 1
        # An iterator is sent in chunks.
        body = iter((content,)) if isinstance(content, bytes) else content
        answer = self.http.request(method, path, headers=headers, content=body)
        self.answers.append(answer)
        return answer

    def post(self, content: str | bytes) -> httpx.Response:
        """Sends a body where events go; waits once if there were too many of them before."""
        retries = rate_limit_retries(
            LONGEST_WAIT,
            max_attempts=2,
            reason="this address sent too many events before",
        )
        return retries(self.post_at_once, content)

    def post_at_once(self, content: str | bytes) -> httpx.Response:
        """Sends a body where events go."""
        return self.ask("POST", "/e", {"content-type": "text/plain"}, content)


def found(what: str, *, fine: bool, seen: object) -> Finding:
    """A finding that passes or fails."""
    return Finding(what, "pass" if fine else "fail", str(seen))


def answered(
    what: str, answer: httpx.Response, *expected: HTTPStatus, fine: bool = True
) -> Finding:
    """A finding that passes if the answer has one of these statuses, and is fine besides."""
    return found(what, fine=fine and answer.status_code in expected, seen=answer.status_code)
