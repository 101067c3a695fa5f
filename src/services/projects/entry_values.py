"""Entries, projects or pixels, and how a JSON body becomes the values of one."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.text import clean
from services.projects.configuration import (
    Shape,
    merge,
    read_settings,
    same_json,
    stored_settings,
)

MAX_NAME_CHARACTERS = 100
MAX_URL_CHARACTERS = 2_048

# Read-only fields of an answer are accepted, so that an answer can be changed and sent back.
READ_ONLY_FIELDS = frozenset(("id", "project_id", "created_at", "updated_at", "embed_snippet"))


_WEB_ADDRESS = re.compile(r"https?://[\w.:\[\]-]+(?:[/?#]\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EntryValues:
    """The fields of an entry that people set, checked, as they are stored."""

    name: str
    url: str | None
    configuration: str | None
    active: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored project or pixel; a project has no `project_id`."""

    id: str
    project_id: str | None
    name: str
    url: str | None
    configuration: str | None
    active: int | None
    created_at: str | None
    updated_at: str | None

    def values(self) -> EntryValues:
        """The fields that people set."""
        return EntryValues(self.name, self.url, self.configuration, self.active)


@dataclass(frozen=True, slots=True)
class EntryKind:
    """How one kind of entry is called, configured and stored: all that tells the two kinds apart.

    `by_name` reads by `name` and `project_id`. `owner` reads the project by `project_id`; a kind
    that belongs to no project has none. `id_format` is that of an id that may be chosen.
    """

    noun: str
    url_field: str
    shape: Shape
    page: str
    by_id: str
    by_name: str
    create: str
    change: str
    switch_off: str
    owner: str | None = None
    id_format: re.Pattern[str] | None = None

    def as_json(self, entry: Entry) -> dict[str, object]:
        """The entry as an answer has it."""
        owner = {} if entry.project_id is None else {"project_id": entry.project_id}
        return {
            "id": entry.id,
            **owner,
            "name": entry.name,
            self.url_field: entry.url,
            "configuration": read_settings(entry.configuration),
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
            "active": int(bool(entry.active)),
        }


def read_values(
    kind: EntryKind, body: Mapping[str, object], stored: Entry | None, project_id: str | None
) -> EntryValues:
    """Checks the fields of a body and takes the missing ones from the stored entry.

    A value equal to the stored one passes unchecked. A configuration of null changes nothing.

    Raises:
        InvalidFieldsError: a field is unknown, missing or cannot be stored.
    """
    fields = ("name", kind.url_field, "configuration", "active")
    problems = unknown_fields((name for name in body if name not in READ_ONLY_FIELDS), fields)
    if stored is None:
        chosen_id(kind, body, problems)
    fixed_id = stored.id if stored else body.get("id")
    for field, fixed in (("id", fixed_id), ("project_id", project_id)):
        if body.get(field, fixed) != fixed:
            problems.append(f"{field}: can neither be chosen nor changed; leave it out")
    values = EntryValues(
        name=_name(body, stored, problems),
        url=_url(kind.url_field, body, stored, problems),
        configuration=_configuration(kind.shape, body, stored, problems),
        active=_active(body, stored, problems),
    )
    if problems:
        raise InvalidFieldsError(problems)
    return values


def chosen_id(
    kind: EntryKind, body: Mapping[str, object], problems: list[str] | None = None
) -> str | None:
    """The id that a body chooses for a new entry, or None; adds what is wrong to `problems`."""
    value = body.get("id")
    if value is None:
        return None
    if kind.id_format and isinstance(value, str) and kind.id_format.fullmatch(value):
        return value
    if problems is not None:
        rule = "must be 8 to 64 letters, digits, hyphens or underscores, or be left out"
        fixed = "can neither be chosen nor changed; leave it out"
        problems.append(f"id: {rule if kind.id_format else fixed}")
    return None


def _name(body: Mapping[str, object], stored: Entry | None, problems: list[str]) -> str:
    if stored and body.get("name", stored.name) == stored.name:
        return stored.name
    value = body.get("name")
    name = clean(value, MAX_NAME_CHARACTERS + 1) if isinstance(value, str) else None
    if name and len(name) <= MAX_NAME_CHARACTERS:
        return name
    problems.append(f"name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    return ""


def _url(
    field: str, body: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    before = stored.url if stored else None
    value = body.get(field, before)
    if value == before:
        return before
    if value is None:
        return None
    if isinstance(value, str) and _is_web_address(value):
        return value
    problems.append(
        f"{field}: must be an http or https address of at most {MAX_URL_CHARACTERS} characters,"
        " without a user name, or null"
    )
    return None


def _is_web_address(value: str) -> bool:
    return (
        len(value) <= MAX_URL_CHARACTERS
        and value.isprintable()
        and _WEB_ADDRESS.fullmatch(value) is not None
    )


def _configuration(
    shape: Shape, body: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    text = stored.configuration if stored else "{}"
    value = body.get("configuration")
    if value is None:
        return text
    before = read_settings(text)
    try:
        merged = merge(before, value, shape)
    except InvalidFieldsError as error:
        problems += error.details
        return text
    return text if same_json(merged, before) else json.dumps(stored_settings(merged))


def _active(body: Mapping[str, object], stored: Entry | None, problems: list[str]) -> int | None:
    if "active" not in body:
        return stored.active if stored else 1
    value = body["active"]
    if isinstance(value, int) and value in (0, 1):
        return int(value)
    problems.append("active: must be 1 or 0, or true or false")
    return None
