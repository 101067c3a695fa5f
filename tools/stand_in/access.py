"""Who asks: tokens, the account, zones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus

from stand_in.account import ACCOUNT_ID, ACCOUNT_NAME, ZONE_ID
from stand_in.cloud import Cloud
from stand_in.refusals import RefusedCallError, not_routed
from stand_in.requests import ApiRequest, Paged

ANY = ""
_READING = {"GET", "HEAD"}
_ACCOUNT = re.compile(r"/accounts/([^/]+)(/|$)")


@dataclass
class Tokens:
    """The valid tokens. With `read_only`, changes are refused as with a token without rights."""

    valid: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)

    def check(self, request: ApiRequest) -> None:
        """Check a request's token and account.

        Raises:
            RefusedCallError: the token is missing, invalid or too weak, or the account another one.
        """
        if not request.token:
            raise RefusedCallError(
                HTTPStatus.BAD_REQUEST,
                9106,
                "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
            )
        # The uploads of assets bring a token of their own.
        if request.path.endswith("/workers/assets/upload"):
            return
        if request.token not in self.valid | self.read_only:
            if request.path == "/user/tokens/verify":
                raise RefusedCallError(HTTPStatus.UNAUTHORIZED, 1000, "Invalid API Token")
            raise RefusedCallError(HTTPStatus.FORBIDDEN, 9109, "Invalid access token")
        if request.token in self.read_only and request.method not in _READING:
            raise RefusedCallError(HTTPStatus.FORBIDDEN, 10000, "Authentication error")
        account = _ACCOUNT.match(request.path)
        if account and account[1] != ACCOUNT_ID:
            raise not_routed(f"/client/v4{request.path}")


def verify_token(_: Cloud, _request: ApiRequest) -> object:
    """Say that the token is valid."""
    return {"id": "0" * 32, "status": "active"}


def show_user(_: Cloud, _request: ApiRequest) -> object:
    """Show the user of the token."""
    return {"id": "0" * 32, "email": "rehearsal@example.com"}


def list_memberships(_: Cloud, _request: ApiRequest) -> Paged:
    """List the accounts of the user, with roles."""
    account = {"id": ACCOUNT_ID, "name": ACCOUNT_NAME}
    row = {"id": "0" * 32, "account": account, "roles": ["Administrator"], "status": "accepted"}
    return Paged([row], {"page": 1, "total_pages": 1, "count": 1, "total_count": 1})


def list_accounts(_: Cloud, _request: ApiRequest) -> Paged:
    """List the accounts of the token."""
    row = {"id": ACCOUNT_ID, "name": ACCOUNT_NAME, "type": "standard"}
    return Paged([row], {"page": 1, "total_pages": 1, "count": 1, "total_count": 1})


def show_account(_: Cloud, _request: ApiRequest) -> object:
    """Show the account."""
    return {"id": ACCOUNT_ID, "name": ACCOUNT_NAME, "type": "standard"}


def list_zones(cloud: Cloud, request: ApiRequest) -> Paged:
    """List the zones of a name."""
    name = request.query.get("name")
    rows = [
        {"id": ZONE_ID, "name": zone, "status": "active", "account": {"id": ACCOUNT_ID}}
        for zone in cloud.account.zones
        if name in {None, zone}
    ]
    return Paged(rows, {"page": 1, "total_pages": 1, "count": len(rows)})
