"""The Worker's HTTP API, as commands use it: with a key, page by page, and patient."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from config import VERSION
from ops.terminal.errors import NoAnswerError, OpsError, WrongUsageError
from ops.terminal.output import note, plain, spoken
from ops.worker_api.retry_after import later, seconds_told
from ops.worker_api.worker import (
    KEY_VARIABLE,
    SET_KEY,
    EnvWorker,
    Key,
    Url,
    Worker,
    choose_worker,
    find_key,
)

SECONDS = 60
# A person waits so long at a prompt; longer waits are said and end the command.
LONGEST_WAIT = 60
MAX_WAITS = 5
PAGE = 500
USER_AGENT = f"ppp/{VERSION}"

Row = dict[str, Any]
Parameters = Mapping[str, object]


class UnreachableError(NoAnswerError):
    """Nothing whole came back; the same request may succeed a little later."""


@dataclass(frozen=True, slots=True)
class Api:
    """A Worker that is asked with a key. Every method raises OpsError on a refusal.

    `longest_wait` is how many seconds a 429 is waited for.
    """

    worker: Worker
    key: Key | None
    http: httpx.Client
    longest_wait: int = LONGEST_WAIT

    def get(self, path: str, parameters: Parameters | None = None) -> Row:
        """Reads one answer."""
        return self._read(self.request("GET", path, parameters))

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Row:
        """Changes something."""
        return self._read(self.request(method, path, body=body))

    def pages(self, path: str, parameters: Parameters) -> Iterator[Row]:
        """Reads all pages of a list, whose cursor stands in the answer or in its `data`."""
        cursor: Parameters = {}
        while True:
            answer = self.get(path, {**parameters, "limit": PAGE, **cursor})
            yield answer
            inner = answer["data"] if isinstance(answer["data"], dict) else answer
            if not inner["next_cursor"]:
                return
            cursor = {"cursor": inner["next_cursor"]}

    def request(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        *,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """The answer to a request, after whatever it was told to wait; always a 2xx."""
        named = {name: str(value) for name, value in (parameters or {}).items()}
        for _ in range(MAX_WAITS):
            response = self.answer(method, path, named, body)
            if response.is_success:
                return response
            wait = seconds_told(response)
            if response.status_code != HTTPStatus.TOO_MANY_REQUESTS or not wait:
                break
            if wait > self.longest_wait:
                break
            note(f"the limit of requests is reached: waiting {spoken(wait)} as told")
            time.sleep(wait)
        raise self._refusal(response)

    def answer(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Whatever is answered, a refusal too."""
        try:
            return self.http.request(method, path, params=parameters, json=body)
        except httpx.HTTPError as error:
            raise UnreachableError(self._silence(error)) from None

    def _silence(self, error: httpx.HTTPError) -> str:
        if isinstance(error, httpx.ConnectError):
            remedy = (
                "is `make dev` running? With another port than 8787, name it with --url"
                if self.worker.is_on_this_machine
                else "check the network and the address"
            )
            return f"nothing answers at {self.worker.url}: {remedy}"
        if isinstance(error, httpx.TimeoutException):
            return f"no answer from {self.worker.url} within {SECONDS} seconds: try again"
        return f"{self.worker.url} broke its answer off ({type(error).__name__}): try again"

    def _read(self, response: httpx.Response) -> Row:
        answer = _object(response)
        if answer.get("success") is not True:
            raise NoAnswerError(f"what answers at {self.worker.url} is not PPP Pixel's API")
        return answer

    def _refusal(self, response: httpx.Response) -> OpsError:
        said = _said(response)
        match response.status_code:
            case HTTPStatus.BAD_REQUEST:
                return WrongUsageError(said)
            case HTTPStatus.UNAUTHORIZED:
                return self._unknown_key()
            case HTTPStatus.FORBIDDEN:
                return NoAnswerError(
                    f"{said} (403): the key in use has another. "
                    "`./ppp keys new --role admin --name NAME` makes one"
                )
            case HTTPStatus.NOT_FOUND | HTTPStatus.CONFLICT:
                return OpsError(f"{said} ({response.status_code})")
            case HTTPStatus.TOO_MANY_REQUESTS:
                return NoAnswerError(
                    f"the limit of requests is reached (429): try again {later(response)}"
                )
        answered = f"{self.worker.url} answered {response.status_code}"
        return UnreachableError(f"{answered}: {said}; try again {later(response)}")

    def _unknown_key(self) -> OpsError:
        if self.key is None:
            return no_key(self.worker)
        return NoAnswerError(
            f"{self.worker.url} does not know the key (401), which is {self.key.source}: "
            f"set the one for {self.worker.name}. {SET_KEY}"
        )


@contextmanager
def asking(
    environment: EnvWorker, url: Url, *, local: bool, longest_wait: int = LONGEST_WAIT
) -> Iterator[Api]:
    """Says which Worker is asked, and opens the way to it.

    Raises:
        WrongUsageError: no Worker is named, or there is no key for it.
    """
    with opened(environment, url, local=local, longest_wait=longest_wait) as api:
        if api.key is None:
            raise no_key(api.worker)
        yield api


@contextmanager
def opened(
    environment: EnvWorker, url: Url, *, local: bool, longest_wait: int = LONGEST_WAIT
) -> Iterator[Api]:
    """The same for what can do without a key.

    Raises:
        WrongUsageError: no Worker is named.
    """
    worker = choose_worker(environment, url, local=local)
    key = find_key(worker)
    note(f"{worker} ({f'with {key.source}' if key else 'without a key'})")
    with open_client(worker, key) as http:
        yield Api(worker, key, http, longest_wait)


def open_client(worker: Worker, key: Key | None) -> httpx.Client:
    """A client for a Worker; the key goes into a header."""
    headers = {"user-agent": USER_AGENT} | ({"x-api-key": key.text} if key else {})
    # Proxies of the environment would see the key of this machine.
    trust = not worker.is_on_this_machine
    return httpx.Client(base_url=worker.url, headers=headers, timeout=SECONDS, trust_env=trust)


def no_key(worker: Worker) -> WrongUsageError:
    """What is said where there is no key."""
    made = ", or run `make dev` once, which makes one" if worker.is_on_this_machine else ""
    return WrongUsageError(f"{KEY_VARIABLE} is not set: {SET_KEY}{made}")


def segment(text: str) -> str:
    """An id as one segment of a path.

    Raises:
        WrongUsageError: it is none.
    """
    if not text.strip("."):
        raise WrongUsageError("an id is missing: `./ppp projects list` and `pixels list` show them")
    return quote(text, safe="")


def _object(response: httpx.Response) -> Row:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    return answer if isinstance(answer, dict) else {}


def _said(response: httpx.Response) -> str:
    """The sentence of a refusal, with its details."""
    answer = _object(response)
    details = answer.get("details")
    sentences = [answer.get("error") or response.reason_phrase]
    return plain(": ".join([*map(str, sentences), *_joined(details)]))


def _joined(details: object) -> Iterator[str]:
    if isinstance(details, list) and details:
        yield "; ".join(map(str, details))
