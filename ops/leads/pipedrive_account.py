"""Reads the custom fields of a Pipedrive account over its API."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import Any

import httpx

from ops.terminal.errors import NoAnswerError, WrongUsageError
from ops.worker_api.paging import follow_cursor
from ops.worker_api.retries import retry_hint
from services.pipedrive.accounts import DEFAULT_ACCOUNT, DEFAULT_URL, Account, read_accounts
from services.pipedrive.fields import AccountField, read_account_fields

TIMEOUT_SECONDS = 10
PAGE_FIELDS = 500
# Ends a list whose cursors form a cycle.
MAX_PAGES = 20

FieldPage = dict[str, Any]


def account_from_environment() -> Account:
    """Return the account of PIPEDRIVE_API_KEY at PIPEDRIVE_URL.

    Raises:
        WrongUsageError: the key is missing, or one of them is invalid.
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
    """Read all custom fields of persons.

    Raises:
        NoAnswerError: Pipedrive refused, or did not answer with fields.
    """
    headers = {"x-api-token": account.token, "accept": "application/json"}
    with httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS) as client:
        pages = follow_cursor(partial(_read_page, client, account.url), _next_cursor)
        return [
            field
            for page in islice(pages, MAX_PAGES)
            for field in read_account_fields(page["data"])
        ]


def _next_cursor(page: FieldPage) -> str | None:
    additional = page.get("additional_data")
    cursor = additional.get("next_cursor") if isinstance(additional, dict) else None
    return str(cursor) if cursor else None


def _read_page(client: httpx.Client, url: str, cursor: str | None) -> FieldPage:
    parameters = {"limit": str(PAGE_FIELDS)} | ({"cursor": cursor} if cursor else {})
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
        return f"nothing within {TIMEOUT_SECONDS} seconds; try again"
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
