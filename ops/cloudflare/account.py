"""Which Cloudflare account a command works on, announced before anything changes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.cloudflare.target import Target
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import NOT_LOGGED_IN, RefusedError, WranglerCommand
from ops.terminal.errors import NoAnswerError, WrongUsageError

ACCOUNT_VARIABLE = "CLOUDFLARE_ACCOUNT_ID"
RETRY_PAUSES_SECONDS = (1, 5)
# A token that is invalid, missing, expired or too weak; or nobody is logged in.
_NO_LOGIN = re.compile(r'\[code: (?:1000|9106|9109|10000)\]|"loggedIn": ?false')


@dataclass(frozen=True, slots=True)
class Account:
    """A Cloudflare account."""

    id: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


def find_account(target: Target) -> Account | None:
    """Return the account that wrangler will use; None for this machine.

    Raises:
        NoAnswerError: wrangler is not logged in, or Cloudflare does not answer.
        WrongUsageError: the login has several accounts and none is chosen.
    """
    if not target.environment:
        return None
    try:
        answer = _ask(WorkerCommands(target).account())
    except RefusedError as error:
        if _NO_LOGIN.search(str(error)):
            raise NoAnswerError(f"{NOT_LOGGED_IN} (wrangler whoami: {error})") from None
        raise NoAnswerError(
            f"Cloudflare does not tell whose login this is ({error}): that is no reason for another"
            " login or token; try again"
        ) from None
    return choose_account(
        [Account(account["id"], account["name"]) for account in answer["accounts"]],
        os.environ.get(ACCOUNT_VARIABLE) or target.settings.get("account_id"),
    )


def _ask(command: WranglerCommand) -> Mapping[str, Any]:
    """Return who is logged in; after an outage it is asked again."""
    for pause in RETRY_PAUSES_SECONDS:
        try:
            return dict(command.read_json())
        except RefusedError as error:
            if _NO_LOGIN.search(str(error)):
                raise
            time.sleep(pause)
    return dict(command.read_json())


def choose_account(accounts: Sequence[Account], chosen_id: str | None) -> Account:
    """Return the account with the chosen id, or the only one where none is chosen.

    Raises:
        WrongUsageError: no account has the id, or several could be meant.
    """
    candidates = [account for account in accounts if chosen_id in {None, account.id}]
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise WrongUsageError(
            f"the login does not open the account {chosen_id}: npx wrangler whoami"
        )
    names = ", ".join(map(str, accounts))
    raise WrongUsageError(
        f"the login opens several accounts: export {ACCOUNT_VARIABLE}=… ({names})"
    )


def describe_target(target: Target, account: Account | str | None) -> str:
    """Return account, Worker, database and bucket of a target in one line."""
    if not target.environment:
        return f"{target}; R2 {target.bucket}"
    return (
        f"{target.environment}: account {account}, Worker {target.settings['name']}, "
        f"D1 {target.database} ({target.database_id}), R2 {target.bucket}, remote"
    )
