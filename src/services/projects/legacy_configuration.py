"""A configuration as the old addresses show and take it: one JSON text, replaced as a whole.

Names that the old Worker wrote stand under `legacy`; here they are among the others. `jobs`, the
settings that make a job delete or move events, are hidden and stay as they are. Whoever sends a
text back as it was answered changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from services.core.text import without_lone_surrogates
from services.projects.configuration import JOB_SETTINGS, JOBS, LEGACY, read_configuration

# These never become commands through an old address, where scripts of the old Worker write them.
NEVER_COMMANDS = frozenset((JOBS, LEGACY, *JOB_SETTINGS))


def legacy_text(stored: str | None) -> str | None:
    """The text that an old address answers for a stored configuration."""
    content = dict(read_configuration(stored))
    if JOBS not in content and LEGACY not in content:
        return stored
    content.pop(JOBS, None)
    return compact_json({**_legacy_names(content.pop(LEGACY, None)), **content})


def replaced_text(stored: str | None, configuration: Mapping[str, object]) -> str:
    """The text to store where an old address replaces a stored configuration.

    Raises:
        ValueError: it holds a number that JSON does not know.
    """
    before = read_configuration(stored)
    never_commands = NEVER_COMMANDS | (_legacy_names(before.get(LEGACY)).keys() - before.keys())
    commands = {name: value for name, value in configuration.items() if name not in never_commands}
    legacy = {name: value for name, value in configuration.items() if name in never_commands}
    jobs = {JOBS: before[JOBS]} if JOBS in before else {}
    return compact_json({**commands, **({LEGACY: legacy} if legacy else {}), **jobs})


def compact_json(content: Mapping[str, object]) -> str:
    """The text of a JSON object without spaces, as JavaScript writes it."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return without_lone_surrogates(text)


def _legacy_names(legacy: object) -> Mapping[str, object]:
    return legacy if isinstance(legacy, dict) else {}
