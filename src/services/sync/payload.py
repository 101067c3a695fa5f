"""The body of an update: values under the account's keys, in the types of its fields."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.core.ports import KeyValues, UnavailableError
from services.pipedrive.client import PipedriveClient
from services.pipedrive.fields import (
    TOUCH_FIELDS,
    AccountField,
    FieldMap,
    LeadValue,
    fields_as_json,
    fields_from_json,
    format_value,
)

CACHE_SECONDS = 3_600

_TOUCHES = (
    TOUCH_FIELDS,
    *(
        tuple(f"{touch}_{name}" for name in ("source", "medium", "campaign"))
        for touch in ("first_touch", "last_touch")
    ),
)
_TOUCH_OF_FIELD = {name: touch for touch in _TOUCHES for name in touch}

FieldsByKey = Mapping[str, AccountField]


@dataclass(frozen=True, slots=True)
class Payload:
    """The custom fields of one PATCH, and what was left out, with the reasons."""

    custom_fields: Mapping[str, object]
    left_out: tuple[str, ...]


def build_payload(
    values: Mapping[str, LeadValue | None], field_map: FieldMap, fields: FieldsByKey
) -> Payload:
    """The mapped values under their keys. A value of None clears its field.

    So does a touch's value that its field does not take: beside the other values of this touch
    there must be none of another one. Without any other value the person's touch stays.
    """
    custom_fields: dict[str, object] = {}
    left_out = []
    refused: list[str] = []
    for name, key in field_map.items():
        if name not in values:
            continue
        account_field, value = fields.get(key), values[name]
        if account_field is None:
            left_out.append(f"{name} (the account has no field with the key {key})")
            continue
        formatted = None if value is None else format_value(value, account_field)
        if formatted is None and value is not None:
            left_out.append(f"{name} (a field of type {account_field.type} does not take it)")
            refused.append(name)
        else:
            custom_fields[key] = formatted
    for name in refused:
        fellows = (fellow for fellow in _TOUCH_OF_FIELD.get(name, ()) if fellow in field_map)
        if any(custom_fields.get(field_map[fellow]) is not None for fellow in fellows):
            custom_fields[field_map[name]] = None
    return Payload(custom_fields, tuple(left_out))


def without_key(payload: Payload, field_map: FieldMap, key: str) -> Payload:
    """The payload without a key that the account rejected as unknown."""
    name = next((name for name, field_key in field_map.items() if field_key == key), "a field")
    custom_fields = {field: value for field, value in payload.custom_fields.items() if field != key}
    reason = f"{name} (the account does not know the key {key})"
    return Payload(custom_fields, (*payload.left_out, reason))


@dataclass(slots=True)
class AccountFieldCache:
    """The custom fields of accounts: read once in a run, cached in KV for an hour.

    `_current` are the accounts whose fields this run has read from Pipedrive itself.
    """

    key_values: KeyValues
    _by_account: dict[str, FieldsByKey] = field(default_factory=dict)
    _current: set[str] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, api: PipedriveClient, deadline: datetime) -> FieldsByKey:
        """The fields of an account by their keys.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        name = api.account.name
        if name not in self._by_account:
            fields = await self._read(name)
            if fields is None:
                return await self._read_current(api, deadline)
            self._by_account[name] = {field.key: field for field in fields}
        return self._by_account[name]

    async def get_current(self, api: PipedriveClient, deadline: datetime) -> FieldsByKey:
        """The fields as Pipedrive has them now: a new one may be missing in the cache.

        Raises:
            RejectedError, TransientError, DeferredError: see `services.pipedrive.client`.
        """
        async with self._lock:
            if api.account.name not in self._current:
                await self._read_current(api, deadline)
        return await self.get(api, deadline)

    async def _read_current(self, api: PipedriveClient, deadline: datetime) -> FieldsByKey:
        name = api.account.name
        fields = await api.fields(deadline)
        await self._write(name, fields)
        self._by_account[name] = {field.key: field for field in fields}
        self._current.add(name)
        return self._by_account[name]

    async def invalidate(self, name: str) -> None:
        """Drops the fields of an account: its next use reads them from Pipedrive."""
        self._by_account.pop(name, None)
        self._current.discard(name)
        try:
            await self.key_values.delete(_key(name))
        except UnavailableError:
            return

    async def _read(self, name: str) -> list[AccountField] | None:
        try:
            text = await self.key_values.get(_key(name))
            return fields_from_json(text) if text else None
        except (UnavailableError, ValueError, TypeError):
            return None

    async def _write(self, name: str, fields: Sequence[AccountField]) -> None:
        try:
            await self.key_values.put(_key(name), fields_as_json(fields), CACHE_SECONDS)
        except UnavailableError:
            return


def _key(name: str) -> str:
    return f"pipedrive-fields:{name}"
