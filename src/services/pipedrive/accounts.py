"""Pipedrive accounts, as the settings name them: the base of the API and the token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.core.text import read_json

DEFAULT_ACCOUNT = "default"
DEFAULT_URL = "https://api.pipedrive.com/api/v2"

# http only to this machine, where the simulator listens.
_URL = re.compile(
    r"https://[^\s/?#@]+(?:/[^\s?#]*)?|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/\S*"
)
# Shorter than a token, which somebody might enter here by mistake: a message repeats the name.
ACCOUNT_NAME = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class Account:
    """One Pipedrive account: its name in our settings, the base of its API, and its token."""

    name: str
    url: str
    token: str

    def __repr__(self) -> str:
        return f"Account({self.name!r})"


Accounts = Mapping[str, Account]


def read_accounts(token: str | None, url: str | None) -> Accounts:
    """The default account by its name; none without a token.

    Raises:
        ValueError: the address is invalid.
    """
    if not token:
        return {}
    return {DEFAULT_ACCOUNT: _account(DEFAULT_ACCOUNT, {"api_key": token, "url": url})}


def read_further_accounts(text: str | None) -> Accounts:
    """Further accounts by name, from a JSON object {"<name>": {"api_key": …, "url": …}}.

    Raises:
        ValueError: a name, address or entry is invalid; the message never holds a token.
    """
    if not text:
        return {}
    return {name: _account(name, entry) for name, entry in _entries(text).items()}


def _entries(text: str) -> Mapping[str, object]:
    try:
        entries = read_json(text)
    except ValueError:
        entries = None
    if not isinstance(entries, dict):
        raise ValueError("must be a JSON object of accounts")  # noqa: TRY004  # one error for all
    return entries


def _account(name: str, entry: object) -> Account:
    fields = entry if isinstance(entry, dict) else {}
    token, url = fields.get("api_key"), fields.get("url") or DEFAULT_URL
    if not ACCOUNT_NAME.fullmatch(name):
        raise ValueError("has an account whose name is not 1 to 32 of a-z, 0-9, '-' and '_'")
    if not isinstance(token, str) or not token:
        raise ValueError(f"account {name} needs an api_key")
    if not isinstance(url, str) or not _URL.fullmatch(url):
        raise ValueError(f"account {name} needs a url such as {DEFAULT_URL}")
    return Account(name, url.rstrip("/"), token)
