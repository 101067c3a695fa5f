"""A client of the Worker's HTTP API: it sends the key, follows cursors and honours rate limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from config import VERSION
from ops.terminal.errors import NoAnswerError, OpsError, WrongUsageError
from ops.terminal.output import note, plain
from ops.worker_api.paging import follow_cursor
from ops.worker_api.retries import (
    MAX_WAIT_SECONDS,
    UnreachableError,
    rate_limit_retries,
    retry_hint,
)
from ops.worker_api.worker import (
    HOW_TO_SET_KEY,
    KEY_VARIABLE,
    EnvWorker,
    Key,
    Url,
    Worker,
    choose_worker,
    find_key,
)

TIMEOUT_SECONDS = 60
MAX_ROWS_PER_PAGE = 500
USER_AGENT = f"ppp/{VERSION}"

Row = dict[str, Any]
Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Api:
    """The API of one Worker. Every method but `send_once` raises OpsError on a refusal.

    A 429 is repeated if its `Retry-After` is at most `max_wait_seconds`.
    """

    worker: Worker
    key: Key | None
    http: httpx.Client
    max_wait_seconds: int = MAX_WAIT_SECONDS

    def get(self, path: str, parameters: Parameters | None = None) -> Row:
        """Read one answer."""
        return self._read(self.request("GET", path, parameters))

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Row:
        """Send a change and return its answer."""
        return self._read(self.request(method, path, body=body))

    def pages(self, path: str, parameters: Parameters) -> Iterator[Row]:
        """Yield every page of a list, whose cursor is in the answer or in its `data`."""

        def read_page(cursor: str | None) -> Row:
            position = {"cursor": cursor} if cursor else {}
            return self.get(path, {**parameters, "limit": MAX_ROWS_PER_PAGE, **position})

        return follow_cursor(read_page, _next_cursor)

    def request(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        *,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Send a request, again after each short rate limit, and return its 2xx response.

        Raises:
            OpsError: the Worker refused, or did not answer.
        """
        query = {name: str(value) for name, value in (parameters or {}).items()}
        retries = rate_limit_retries(self.max_wait_seconds)
        response = retries(self.send_once, method, path, query, body)
        if not response.is_success:
            raise self._refusal(response)
        return response

    def send_once(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Send a request and return its response of any status.

        Raises:
            UnreachableError: no complete answer arrived.
        """
        try:
            return self.http.request(method, path, params=parameters, json=body)
        except httpx.HTTPError as error:
            raise UnreachableError(self._outage(error)) from None

    def _outage(self, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.ConnectError):
            remedy = (
                "is `make dev` running? --local finds that of this checkout"
                if self.worker.is_on_this_machine
                else "check the network and the address"
            )
            return f"nothing answers at {self.worker.url}: {remedy}"
        if isinstance(error, httpx.TimeoutException):
            return f"no answer from {self.worker.url} within {TIMEOUT_SECONDS} seconds: try again"
        return f"{self.worker.url} broke its answer off ({type(error).__name__}): try again"

    def _read(self, response: httpx.Response) -> Row:
        answer = _json_object(response)
        if answer.get("success") is not True:
            raise NoAnswerError(f"what answers at {self.worker.url} is not PPP Pixel's API")
        return answer

    def _refusal(self, response: httpx.Response) -> OpsError:
        message = _error_message(response)
        match response.status_code:
            case HTTPStatus.BAD_REQUEST:
                return WrongUsageError(message)
            case HTTPStatus.UNAUTHORIZED:
                return self._unknown_key_error()
            case HTTPStatus.FORBIDDEN:
                return NoAnswerError(
                    f"{message} (403): the key in use has another. "
                    "`./ppp keys new --role admin --name NAME` makes one"
                )
            case HTTPStatus.NOT_FOUND | HTTPStatus.CONFLICT:
                return OpsError(f"{message} ({response.status_code})")
            case HTTPStatus.TOO_MANY_REQUESTS:
                return NoAnswerError(
                    f"the limit of requests is reached (429): try again {retry_hint(response)}"
                )
        status = f"{self.worker.url} answered {response.status_code}"
        return UnreachableError(f"{status}: {message}; try again {retry_hint(response)}")

    def _unknown_key_error(self) -> OpsError:
        if self.key is None:
            return missing_key_error(self.worker)
        return NoAnswerError(
            f"{self.worker.url} does not know the key (401), which is {self.key.source}: "
            f"set the one for {self.worker.name}. {HOW_TO_SET_KEY}"
        )


@contextmanager
def open_api(
    environment: EnvWorker, url: Url, *, local: bool, max_wait_seconds: int = MAX_WAIT_SECONDS
) -> Iterator[Api]:
    """Note which Worker the options name, and open its API with a key.

    Raises:
        WrongUsageError: no Worker is named, or there is no key for it.
    """
    with open_public_api(environment, url, local=local, max_wait_seconds=max_wait_seconds) as api:
        if api.key is None:
            raise missing_key_error(api.worker)
        yield api


@contextmanager
def open_public_api(
    environment: EnvWorker, url: Url, *, local: bool, max_wait_seconds: int = MAX_WAIT_SECONDS
) -> Iterator[Api]:
    """Open the API of a Worker like `open_api`, without a key if there is none.

    Raises:
        WrongUsageError: no Worker is named.
    """
    worker = choose_worker(environment, url, local=local)
    key = find_key(worker)
    note(f"{worker} ({f'with {key.source}' if key else 'without a key'})")
    with open_client(worker, key) as http:
        yield Api(worker, key, http, max_wait_seconds)


def open_client(worker: Worker, key: Key | None) -> httpx.Client:
    """Open an HTTP client for a Worker, which sends the key as a header."""
    headers = {"user-agent": USER_AGENT} | ({"x-api-key": key.text} if key else {})
    # A proxy of the environment would see the key of this machine.
    uses_proxy = not worker.is_on_this_machine
    return httpx.Client(
        base_url=worker.url, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=uses_proxy
    )


def missing_key_error(worker: Worker) -> WrongUsageError:
    """Say how to set the key that is missing."""
    alternative = ", or run `make dev` once, which makes one" if worker.is_on_this_machine else ""
    return WrongUsageError(f"{KEY_VARIABLE} is not set: {HOW_TO_SET_KEY}{alternative}")


def path_segment(text: str) -> str:
    """Quote an id as one segment of a path.

    Raises:
        WrongUsageError: it is empty, or consists of dots.
    """
    if not text.strip("."):
        raise WrongUsageError("an id is missing: `./ppp projects list` and `pixels list` show them")
    return quote(text, safe="")


def _next_cursor(page: Row) -> str | None:
    inner = page["data"] if isinstance(page["data"], dict) else page
    cursor: str | None = inner["next_cursor"]
    return cursor


def _json_object(response: httpx.Response) -> Row:
    """Read the JSON object of a response; an empty one where there is none."""
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}


def _error_message(response: httpx.Response) -> str:
    """Join the error of a refusal and its details."""
    answer = _json_object(response)
    error = str(answer.get("error") or response.reason_phrase)
    details = answer.get("details")
    if isinstance(details, list) and details:
        error = f"{error}: {'; '.join(map(str, details))}"
    return plain(error)
