"""The configuration of a project or a pixel: its allowed settings, and how a change is merged.

It is stored as one JSON object. Rows of production hold NULL, empty text, broken JSON or unknown
names: they are read as far as possible, and never overwritten by a change of another name.

The old Worker wrote `retention_days` and never read it. So what makes a job delete or move events
is stored apart, under `jobs`, where only this product writes; elsewhere it counts for nothing.
Answers show it as the old Worker's, under `legacy`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from services.core.channels import CHANNELS
from services.core.errors import MAX_QUOTED_CHARACTERS, InvalidFieldsError
from services.core.text import read_object
from services.pipedrive.accounts import ACCOUNT_NAME
from services.pipedrive.fields import field_map

Check = Callable[[object], object]
"""Returns the value as it is stored; raises ValueError with what it must be."""

Shape = Mapping[str, Check]

MAX_DOMAINS = 100
MAX_HOST_CHARACTERS = 253
MAX_RETENTION_DAYS = 3_650
MAX_ARCHIVE_DAYS = 3_650
MAX_SESSION_MINUTES = 1_440
MAX_CHANNEL_RULES = 50
MAX_WORD = 100
RULE_MEMBERS = frozenset(("source", "medium", "channel"))

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"localhost|(?:\*\.)?(?:{_LABEL}\.)+{_LABEL}")


def _flag(value: object) -> object:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004  # one error for a wrong value
    return value


def _whole_number(largest: int) -> Check:
    def check(value: object) -> object:
        # JSON has one kind of number: 30.0 is a whole one.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise ValueError(f"must be a whole number from 1 to {largest}")
        return value

    return check


def _account(value: object) -> object:
    if not isinstance(value, str) or not ACCOUNT_NAME.fullmatch(value):
        raise ValueError("must be the name of an account: 1 to 32 of a-z, 0-9, '-' and '_'")
    return value


def _domains(value: object) -> object:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_DOMAINS:
        raise ValueError(f"must be a list of 1 to {MAX_DOMAINS} host names; null takes it away")
    domains = [domain.lower() if isinstance(domain, str) else domain for domain in value]
    for domain in domains:
        if not _is_domain(domain):
            quoted = json.dumps(domain)[:MAX_QUOTED_CHARACTERS]
            raise ValueError(
                f"{quoted} is no host name: write shop.example without scheme,"
                " port and path, or *.shop.example for all below it"
            )
    return list(dict.fromkeys(domains))


def _channel_rules(value: object) -> object:
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHANNEL_RULES:
        raise ValueError(f"must be a list of 1 to {MAX_CHANNEL_RULES} rules; null takes it away")
    return [_channel_rule(rule) for rule in value]


def _channel_rule(rule: object) -> object:
    quoted = json.dumps(rule)[:MAX_QUOTED_CHARACTERS]
    if not isinstance(rule, dict) or not {"channel"} < rule.keys() <= RULE_MEMBERS:
        raise ValueError(f"{quoted} must have source or medium, or both, and channel")
    if rule["channel"] not in CHANNELS:
        raise ValueError(f"{quoted}: channel must be one of {', '.join(CHANNELS)}")
    texts = {name: text.strip() for name, text in rule.items() if isinstance(text, str)}
    if len(texts) < len(rule) or not all(0 < len(text) <= MAX_WORD for text in texts.values()):
        raise ValueError(f"{quoted}: source and medium must be texts of 1 to {MAX_WORD} characters")
    if "*" in texts.get("source", ""):
        raise ValueError(f"{quoted}: source is one whole host or word, without *")
    return texts


def _is_domain(value: object) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= MAX_HOST_CHARACTERS
        and _DOMAIN.fullmatch(value) is not None
    )


PIXEL_SHAPE: Shape = {
    "allowed_domains": _domains,
    "ip_anonymization": _flag,
    "respect_dnt": _flag,
    "session_minutes": _whole_number(MAX_SESSION_MINUTES),
}
PROJECT_SHAPE: Shape = {
    "pipedrive_enabled": _flag,
    "pipedrive_account": _account,
    "pipedrive_fields": field_map,
    "hold_suspicious": _flag,
    "retention_days": _whole_number(MAX_RETENTION_DAYS),
    "archive_days": _whole_number(MAX_ARCHIVE_DAYS),
    "channel_rules": _channel_rules,
    **PIXEL_SHAPE,
}


# Settings that make a job delete or move events, and the name under which they are stored.
JOB_SETTINGS = ("retention_days", "archive_days")
JOBS = "jobs"
LEGACY = "legacy"


def read_configuration(text: str | None) -> Mapping[str, object]:
    """The settings in a stored configuration; empty where it is no JSON object."""
    content = read_object(text)
    try:
        json.dumps(content, allow_nan=False)
    except ValueError:
        # Python reads NaN and Infinity, which are no JSON, neither for SQLite nor for a client.
        return {}
    return content


def read_settings(text: str | None) -> Mapping[str, object]:
    """The settings as answers have them: those of the jobs among the others, or under `legacy`."""
    content = dict(read_configuration(text))
    jobs = content.pop(JOBS, None)
    legacy = content.pop(LEGACY, None)
    old = {name: content.pop(name) for name in JOB_SETTINGS if name in content}
    if old or legacy is not None:
        content[LEGACY] = {**legacy, **old} if isinstance(legacy, dict) else old or legacy
    return {**content, **_job_settings(jobs)}


def stored_settings(settings: Mapping[str, object]) -> Mapping[str, object]:
    """The settings as they are stored: the inverse of `read_settings`."""
    jobs = _job_settings(settings)
    content = {name: value for name, value in settings.items() if name not in JOB_SETTINGS}
    return {**content, JOBS: jobs} if jobs else content


def _job_settings(settings: object) -> dict[str, object]:
    if not isinstance(settings, dict):
        return {}
    return {name: settings[name] for name in JOB_SETTINGS if name in settings}


def merge(stored: Mapping[str, object], changes: object, shape: Shape) -> Mapping[str, object]:
    """The stored configuration, overridden name by name; null removes a name.

    A value equal to the stored one passes unchecked, so that an answer can be sent back.

    Raises:
        InvalidFieldsError: it is no JSON object, or a changed setting is not allowed.
    """
    if not isinstance(changes, dict):
        raise InvalidFieldsError(["configuration: must be a JSON object"])
    merged = dict(stored)
    problems = []
    for name, value in changes.items():
        if name in stored and same_json(stored[name], value):
            continue
        try:
            checked = _checked(name, value, shape)
        except ValueError as error:
            problems.append(f"configuration.{name[:MAX_QUOTED_CHARACTERS]}: {error}")
            continue
        if checked is None:
            merged.pop(name, None)
        else:
            merged[name] = checked
    if problems:
        raise InvalidFieldsError(problems)
    return merged


def same_json(first: object, second: object) -> bool:
    """Whether two values are the same JSON; in Python 1 is True, and in JSON it is not."""
    return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def _checked(name: str, value: object, shape: Shape) -> object:
    check = shape.get(name)
    if check is None:
        if name in PROJECT_SHAPE:
            raise ValueError("belongs into the configuration of the project")
        raise ValueError(f"is unknown; there are {', '.join(shape)}")
    return None if value is None else check(value)
