"""A configuration as the old addresses show and take it: one JSON text, replaced as a whole.

Scripts of the old Worker write there, and a name of theirs may be one of this product. So all but
the one name that the old Worker obeyed goes under `legacy`, as migration 0027 did with stored rows.
What `/api/manage` set is shown and stays as it is; `jobs`, the settings that make a job delete or
move events, are hidden. Whoever sends a text back as it was answered changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.core.text import read_json, without_lone_surrogates
from services.projects.configuration import (
    JOBS,
    LEGACY,
    Shape,
    read_configuration,
    same_json,
)

# What the old Worker obeyed; it is of a project, and of a pixel it obeyed nothing.
OBEYED = frozenset(("pipedrive_enabled",))


def legacy_text(stored: str | None) -> str | None:
    """The text that an old address answers for a stored configuration."""
    content = dict(read_configuration(stored))
    if JOBS not in content and LEGACY not in content:
        # Bytes that somebody stored are no text that could be answered.
        return stored if isinstance(stored, str) else None
    content.pop(JOBS, None)
    legacy = content.pop(LEGACY, None)
    if legacy is not None and not isinstance(legacy, dict):
        return compact_json(legacy)
    legacy = legacy or {}
    settings = {name: value for name, value in content.items() if name not in legacy}
    return compact_json({**legacy, **settings})


def sent_text(stored: str | None, configuration: object, shape: Shape) -> str | None:
    """The text to store where a script sent a configuration, as JSON or as its text.

    It is the stored one where nothing was sent, or what an old address answers for the stored one.

    Raises:
        ValueError: it holds a number that JSON does not know.
    """
    # As in JavaScript, where an empty object or list counts as one.
    if not configuration and not isinstance(configuration, dict | list):
        return stored
    answered = legacy_text(stored)
    if configuration == answered or _is_json(answered, configuration):
        return stored
    if isinstance(configuration, str):
        configuration = _object_or_text(configuration)
    return replaced_text(stored, configuration, shape)


def replaced_text(stored: str | None, configuration: object, shape: Shape) -> str:
    """The text to store where an old address replaces a stored configuration.

    Raises:
        ValueError: it holds a number that JSON does not know.
    """
    before = read_configuration(stored)
    commands = OBEYED & shape.keys()
    settings = {
        name: value
        for name, value in before.items()
        if (name in shape or name == JOBS) and name not in commands
    }
    jobs = {JOBS: settings.pop(JOBS)} if JOBS in settings else {}
    if not isinstance(configuration, dict):
        return compact_json({**settings, LEGACY: configuration, **jobs})
    obeyed = {name: value for name, value in configuration.items() if name in commands}
    sent_back = settings.keys() - _legacy_names(before.get(LEGACY)).keys()
    legacy = {
        name: value
        for name, value in configuration.items()
        if name not in commands and not (name in sent_back and same_json(value, settings[name]))
    }
    return compact_json({**settings, **obeyed, **({LEGACY: legacy} if legacy else {}), **jobs})


def compact_json(content: object) -> str:
    """The text of a JSON value without spaces, as JavaScript writes it."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return without_lone_surrogates(text)


def _is_json(text: str | None, content: object) -> bool:
    """Whether a text is the JSON of a content that is no object: objects are merged by name."""
    try:
        return not isinstance(content, dict) and same_json(read_json(text or ""), content)
    except ValueError:
        return False


def _object_or_text(text: str) -> object:
    try:
        content = read_json(text)
    except ValueError:
        return text
    return content if isinstance(content, dict) else text


def _legacy_names(legacy: object) -> Mapping[str, object]:
    return legacy if isinstance(legacy, dict) else {}
