"""The body of `PATCH /persons/{id}`: what it may hold, refused as a whole where it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NoReturn

from simulator.account import Account, Update
from simulator.answers import INVALID, ApiError
from simulator.queries import invalid
from simulator.values import problem

CONTACT_KEYS = frozenset({"name", "emails", "phones"})
OTHER_KEYS = frozenset(
    {
        "owner_id",
        "org_id",
        "visible_to",
        "label_ids",
        "postal_address",
        "notes",
        "im",
        "birthday",
        "job_title",
        "marketing_status",
    }
)
_HASH = re.compile(r"[0-9a-f]{40}")


def read_update(account: Account, headers: Mapping[str, str], body: str) -> Update:
    """The update that a PATCH asks for, checked.

    Raises:
        ApiError: anything about it is not as it must be.
    """
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise invalid("content-type must be application/json")
    root = _json_object(body)
    _check_root(account, root)
    return Update(
        _custom_fields(account, root.get("custom_fields", {})),
        _name(root.get("name")),
        _contacts("emails", root.get("emails")),
        _contacts("phones", root.get("phones")),
    )


def _json_object(body: str) -> dict[str, object]:
    try:
        root = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise invalid("the body is not JSON") from None
    if not isinstance(root, dict):
        raise invalid("the body must be a JSON object")
    if not root:
        raise invalid("the body is empty: there is nothing to update")
    return root


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON, though Python reads it")


def _check_root(account: Account, root: dict[str, object]) -> None:
    for key in root:
        if _HASH.fullmatch(key):
            raise invalid(f"'{key}' is not allowed here: custom fields go into custom_fields")
        if key not in CONTACT_KEYS | OTHER_KEYS | {"custom_fields"}:
            raise invalid(f"'{key}' is not allowed")
        if key == "custom_fields":
            continue
        if account.enrich_only:
            raise invalid(f"'{key}': this product only enriches, so only custom_fields may be sent")
        if key in OTHER_KEYS:
            raise invalid(f"'{key}' is documented, but not simulated")


def _custom_fields(account: Account, values: object) -> dict[str, object]:
    if not isinstance(values, dict):
        raise invalid("custom_fields: must be an object")
    if "custom_fields" in values:
        # The real API was seen to break on this one instead of refusing it.
        raise ApiError(500, "Internal server error")
    fields = account.custom_fields()
    for key, value in values.items():
        if key not in fields:
            raise ApiError(400, f"Validation failed: custom_fields: Unknown key '{key}'", INVALID)
        if wrong := problem(fields[key], value):
            raise invalid(f"custom_fields: '{key}' {wrong}")
    return values


def _name(name: object) -> str | None:
    if name is not None and not (isinstance(name, str) and name.strip()):
        raise invalid("name: must be a string that is not empty")
    return name


def _contacts(key: str, contacts: object) -> list[str] | None:
    if contacts is None:
        return None
    if not isinstance(contacts, list):
        raise invalid(f"{key}: must be a list")
    return [_contact(key, contact) for contact in contacts]


def _contact(key: str, contact: object) -> str:
    match contact:
        case {"value": str(value)}:
            return value
    raise invalid(f'{key}: must hold objects with a "value"')
