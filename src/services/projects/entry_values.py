from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from services.core.errors import InvalidFieldsError, unknown_fields
from services.core.text import clean
from services.projects.configuration import Shape, merge, read_configuration, same

MAX_NAME_CHARACTERS = 100


MAX_URL_CHARACTERS = 2_048


# What an answer has besides: it passes, so that an answer can be changed and sent back.
GIVEN = frozenset(("id", "project_id", "created_at", "updated_at", "embed_snippet"))


_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#]\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Values:
    """What people decide of an entry, checked, as it is stored."""

    name: str
    url: str | None
    configuration: str | None
    active: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A project or a pixel, as it is stored. `project_id` is None of a project."""

    id: str
    project_id: str | None
    name: str
    url: str | None
    configuration: str | None
    active: int | None
    created_at: str | None
    updated_at: str | None

    def values(self) -> Values:
        """What people decide of it."""
        return Values(self.name, self.url, self.configuration, self.active)


@dataclass(frozen=True, slots=True)
class Kind:
    """What entries of one kind are called, what they may say, and their statements.

    `find` reads by `id`, `named` by `name` and `project_id`; `owner` is the project of what is
    listed or created by `project_id`, None where nothing owns it.
    """

    noun: str
    url_field: str
    shape: Shape
    page: str
    find: str
    named: str
    create: str
    change: str
    switch_off: str
    owner: str | None = None

    def as_json(self, entry: Entry) -> dict[str, object]:
        """The entry as it stands in an answer."""
        owner = {} if entry.project_id is None else {"project_id": entry.project_id}
        return {
            "id": entry.id,
            **owner,
            "name": entry.name,
            self.url_field: entry.url,
            "configuration": read_configuration(entry.configuration),
            "created_at": entry.created_at,
            "updated_at": entry.updated_at,
            "active": int(bool(entry.active)),
        }


def read_values(
    kind: Kind, sent: Mapping[str, object], stored: Entry | None, project_id: str | None
) -> Values:
    """Checks what was sent of an entry, and takes the rest from what is stored.

    A value that is stored already passes, whatever it is. A configuration of null says nothing.

    Raises:
        InvalidFieldsError: something is unknown, missing or cannot be stored.
    """
    fields = ("name", kind.url_field, "configuration", "active")
    problems = unknown_fields((name for name in sent if name not in GIVEN), fields)
    for field, given in (("id", stored and stored.id), ("project_id", project_id)):
        if sent.get(field, given) != given:
            problems.append(f"{field}: can neither be chosen nor changed; leave it out")
    values = Values(
        name=_name(sent, stored, problems),
        url=_url(kind.url_field, sent, stored, problems),
        configuration=_configuration(kind.shape, sent, stored, problems),
        active=_active(sent, stored, problems),
    )
    if problems:
        raise InvalidFieldsError(problems)
    return values


def _name(sent: Mapping[str, object], stored: Entry | None, problems: list[str]) -> str:
    if stored and sent.get("name", stored.name) == stored.name:
        return stored.name
    value = sent.get("name")
    name = clean(value, MAX_NAME_CHARACTERS + 1) if isinstance(value, str) else None
    if name and len(name) <= MAX_NAME_CHARACTERS:
        return name
    problems.append(f"name: must be a text of 1 to {MAX_NAME_CHARACTERS} characters")
    return ""


def _url(
    field: str, sent: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    before = stored.url if stored else None
    value = sent.get(field, before)
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
    shape: Shape, sent: Mapping[str, object], stored: Entry | None, problems: list[str]
) -> str | None:
    text = stored.configuration if stored else "{}"
    value = sent.get("configuration")
    if value is None:
        return text
    before = read_configuration(text)
    try:
        merged = merge(before, value, shape)
    except InvalidFieldsError as error:
        problems += error.details
        return text
    return text if same(merged, before) else json.dumps(merged)


def _active(sent: Mapping[str, object], stored: Entry | None, problems: list[str]) -> int | None:
    if "active" not in sent:
        return stored.active if stored else 1
    value = sent["active"]
    if isinstance(value, int) and value in (0, 1):
        return int(value)
    problems.append("active: must be 1 or 0, or true or false")
    return None
