"""Where a deployment goes, account and all. It is said before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import Commands
from ops.cloudflare.wrangler_command import NOT_LOGGED_IN, RefusedError
from ops.terminal.errors import NoAnswerError, WrongUsageError

ACCOUNT_VARIABLE = "CLOUDFLARE_ACCOUNT_ID"


@dataclass(frozen=True, slots=True)
class Account:
    """A Cloudflare account."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def find_account(target: Target) -> Account | None:
    """The account that wrangler will use; None for this machine.

    Raises:
        NoAnswerError: nobody is logged in.
        WrongUsageError: the login opens several accounts and none is chosen.
    """
    if not target.environment:
        return None
    try:
        answer = Commands(target).account().read_json()
    except RefusedError:
        raise NoAnswerError(NOT_LOGGED_IN) from None
    return choose_account(
        [Account(each["id"], each["name"]) for each in answer["accounts"]],
        os.environ.get(ACCOUNT_VARIABLE) or target.settings.get("account_id"),
    )


def choose_account(accounts: Sequence[Account], chosen: str | None) -> Account:
    """The account that is chosen, or the only one.

    Raises:
        WrongUsageError: it cannot be told.
    """
    found = [each for each in accounts if chosen in {None, each.id}]
    if len(found) == 1:
        return found[0]
    if not found:
        raise WrongUsageError(f"the login does not open the account {chosen}: npx wrangler whoami")
    names = ", ".join(map(str, accounts))
    raise WrongUsageError(
        f"the login opens several accounts: export {ACCOUNT_VARIABLE}=… ({names})"
    )


def described(target: Target, account: Account | str | None) -> str:
    """All that is touched, in one line."""
    if not target.environment:
        return f"{target}; R2 {target.bucket}"
    return (
        f"{target.environment}: account {account}, Worker {target.settings['name']}, "
        f"D1 {target.database} ({target.database_id}), R2 {target.bucket}, remote"
    )
