"""The custom fields of a Pipedrive account, asked for over its API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from http import HTTPStatus

import httpx

from ops.terminal.errors import NoAnswerError, WrongUsageError
from ops.worker_api.retries import retry_hint
from services.pipedrive.accounts import DEFAULT_ACCOUNT, DEFAULT_URL, Account, read_accounts
from services.pipedrive.fields import AccountField, read_account_fields

SECONDS = 10
PAGE = 500
# Ends a list whose cursors go round in a circle.
MAX_PAGES = 20


def account_of_environment() -> Account:
    """The account that PIPEDRIVE_API_KEY opens, at PIPEDRIVE_URL.

    Raises:
        WrongUsageError: one of them is missing or cannot be used.
    """
    token = os.environ.get("PIPEDRIVE_API_KEY", "")
    if not token:
        raise WrongUsageError(
            "PIPEDRIVE_API_KEY is not set: `read -rs PIPEDRIVE_API_KEY && "
            "export PIPEDRIVE_API_KEY` takes it without leaving it in the shell's history"
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise WrongUsageError("PIPEDRIVE_API_KEY holds a character that no token has: set it again")
    try:
        return read_accounts(token, os.environ.get("PIPEDRIVE_URL"))[DEFAULT_ACCOUNT]
    except ValueError:
        raise WrongUsageError(f"PIPEDRIVE_URL must be like {DEFAULT_URL}") from None


def custom_fields(account: Account) -> Sequence[AccountField]:
    """All custom fields of persons.

    Raises:
        NoAnswerError: Pipedrive refused, or did not answer with fields.
    """
    found: list[AccountField] = []
    cursor: object = None
    headers = {"x-api-token": account.token, "accept": "application/json"}
    with httpx.Client(headers=headers, timeout=SECONDS) as client:
        for _ in range(MAX_PAGES):
            answer = _page(client, account.url, cursor)
            found += read_account_fields(answer["data"])
            more = answer.get("additional_data")
            cursor = more.get("next_cursor") if isinstance(more, dict) else None
            if not cursor:
                break
    return found


def _page(client: httpx.Client, url: str, cursor: object) -> dict[str, list[object]]:
    parameters = {"limit": str(PAGE)} | ({"cursor": str(cursor)} if cursor else {})
    try:
        response = client.get(f"{url}/personFields", params=parameters)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NoAnswerError(f"Pipedrive did not answer at {url}: {_reason(error)}") from None
    if response.status_code != HTTPStatus.OK:
        raise NoAnswerError(_refusal(response, url))
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise NoAnswerError(f"what answers at {url} is not Pipedrive's API: check PIPEDRIVE_URL")
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"nothing within {SECONDS} seconds; try again"
    return f"{error or type(error).__name__}; check the network and PIPEDRIVE_URL"


def _refusal(response: httpx.Response, url: str) -> str:
    match response.status_code:
        case HTTPStatus.UNAUTHORIZED:
            return "Pipedrive does not know the token in PIPEDRIVE_API_KEY (401): set a valid one"
        case HTTPStatus.FORBIDDEN:
            return (
                "Pipedrive blocks this token (403), as it does after too many requests: "
                "leave it alone for a while"
            )
        case HTTPStatus.TOO_MANY_REQUESTS:
            return (
                f"Pipedrive's limit of requests is reached (429): try again {retry_hint(response)}"
            )
        case HTTPStatus.NOT_FOUND:
            return f"there is no Pipedrive API at {url} (404): check PIPEDRIVE_URL"
    return f"Pipedrive answered {response.status_code} at {url}: try again in a few minutes"
