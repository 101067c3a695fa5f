"""What a key that is limited to some projects may not change in them."""

from __future__ import annotations

from collections.abc import Mapping

from services.core.errors import InvalidFieldsError

ACCOUNT = "pipedrive_account"
NEEDS_ALL_PROJECTS = (
    f"{ACCOUNT}: only a key that is not limited to projects changes it, because other clients' "
    "leads may be in another account"
)


def require_same_account(body: Mapping[str, object], stored: Mapping[str, object]) -> None:
    """Refuses a change, as sent, of the account in Pipedrive that a stored configuration names.

    Raises:
        InvalidFieldsError: it would be another one, or the one that all share.
    """
    configuration = body.get("configuration")
    if not isinstance(configuration, dict) or ACCOUNT not in configuration:
        return
    if configuration[ACCOUNT] != stored.get(ACCOUNT):
        raise InvalidFieldsError([f"configuration.{NEEDS_ALL_PROJECTS}"])
