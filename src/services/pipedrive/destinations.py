"""Where the leads of a project go: the Pipedrive account and the field map."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.pipedrive.accounts import DEFAULT_ACCOUNT
from services.pipedrive.fields import FieldMap, FieldMapError, field_map


@dataclass(frozen=True, slots=True)
class Destination:
    """An account with a field map. The name tells apart who writes which fields of a person."""

    name: str
    account: str
    fields: FieldMap


class SwitchedOffError(Exception):
    """Pipedrive is switched off for the project."""


class NoDestinationError(Exception):
    """The settings name no usable account or field map; the message says what is wrong."""


def is_switched_off(pipedrive_enabled: object) -> bool:
    """Whether a project's `pipedrive_enabled` is false, also as SQL (0) or a form (text) has it."""
    return str(pipedrive_enabled).lower() in {"false", "0"}


def destination_of(
    project_id: str,
    configuration: Mapping[str, object],
    accounts: Collection[str],
    default_fields: FieldMap | None,
) -> Destination:
    """The destination of the leads of a project with this configuration.

    Its `pipedrive_account` is one of the names in `accounts`; its `pipedrive_fields` replaces the
    map.

    Raises:
        SwitchedOffError: its `pipedrive_enabled` is false.
        NoDestinationError: the account or the map is missing or cannot be used.
    """
    if is_switched_off(configuration.get("pipedrive_enabled")):
        raise SwitchedOffError
    account = str(configuration.get("pipedrive_account") or DEFAULT_ACCOUNT)
    if account not in accounts:
        raise NoDestinationError(f"no Pipedrive account is called {account[:40]}")
    project_fields = configuration.get("pipedrive_fields")
    if project_fields is None:
        if default_fields is None:
            raise NoDestinationError("PIPEDRIVE_FIELDS is not set")
        return Destination(account, account, default_fields)
    try:
        return Destination(f"{account}/{project_id}", account, field_map(project_fields))
    except FieldMapError as error:
        raise NoDestinationError(f"the project's pipedrive_fields: {error}"[:300]) from None
