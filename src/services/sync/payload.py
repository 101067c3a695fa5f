"""What is sent to Pipedrive: values under the account's keys, in the types of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.core.ports import KeyValues, UnavailableError
from services.pipedrive.client import PipedriveClient
from services.pipedrive.fields import (
    AccountField,
    FieldMap,
    LeadValue,
    fields_as_json,
    fields_from_json,
    format_value,
)

REMEMBERED_SECONDS = 3_600

Fields = Mapping[str, AccountField]


@dataclass(frozen=True, slots=True)
class Payload:
    """The custom fields of one PATCH, and what was left out, with the reasons."""

    custom_fields: Mapping[str, object]
    left_out: tuple[str, ...]


def payload(values: Mapping[str, LeadValue | None], names: FieldMap, fields: Fields) -> Payload:
    """Puts the values that the map names under their keys. A value of None clears its field."""
    custom_fields: dict[str, object] = {}
    left_out = []
    for name, key in names.items():
        if name not in values:
            continue
        account_field, value = fields.get(key), values[name]
        if account_field is None:
            left_out.append(f"{name} (the account has no field with the key {key})")
            continue
        shaped = None if value is None else format_value(value, account_field)
        if shaped is None and value is not None:
            left_out.append(f"{name} (a field of type {account_field.type} does not take it)")
        else:
            custom_fields[key] = shaped
    return Payload(custom_fields, tuple(left_out))


def without_key(sent: Payload, names: FieldMap, key: str) -> Payload:
    """The payload without a key that the account says it does not know."""
    name = next((name for name, known in names.items() if known == key), "a field")
    kept = {field: value for field, value in sent.custom_fields.items() if field != key}
    reason = f"{name} (the account does not know the key {key})"
    return Payload(kept, (*sent.left_out, reason))


@dataclass(slots=True)
class AccountFields:
    """The custom fields of accounts: asked for once in a run, remembered for an hour in KV."""

    key_values: KeyValues
    _known: dict[str, Fields] = field(default_factory=dict)

    async def of(self, api: PipedriveClient, until: datetime) -> Fields:
        """The fields of an account by their keys.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        name = api.account.name
        if name not in self._known:
            found = await self._remembered(name)
            if found is None:
                found = await api.fields(until)
                await self._remember(name, found)
            self._known[name] = {one.key: one for one in found}
        return self._known[name]

    async def forget(self, name: str) -> None:
        """Asks anew next time: the account turned out to be different."""
        self._known.pop(name, None)
        try:
            await self.key_values.delete(_key(name))
        except UnavailableError:
            return

    async def _remembered(self, name: str) -> list[AccountField] | None:
        try:
            text = await self.key_values.get(_key(name))
            return fields_from_json(text) if text else None
        except (UnavailableError, ValueError, TypeError):
            return None

    async def _remember(self, name: str, found: Sequence[AccountField]) -> None:
        try:
            await self.key_values.put(_key(name), fields_as_json(found), REMEMBERED_SECONDS)
        except UnavailableError:
            return


def _key(name: str) -> str:
    return f"pipedrive-fields:{name}"
