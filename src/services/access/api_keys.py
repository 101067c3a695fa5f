"""API keys: compared by SHA-256 digest, each with a name and a role."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

Role = Literal["read", "admin"]
Access = Literal["view", "read", "admin"]
"""What a key opens, each also what stands before it. `view`, that of a link, opens reports."""

Permission = Literal["leads"]
"""What a key may do beyond its role. `leads`: see who the persons in exports are."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

# Of a plain key: a shorter one is a mistake or easy to guess.
MIN_KEY_CHARACTERS = 8
# What programs write for a value that is not there, and people for a key that is not made yet.
_EMPTY_WORD = re.compile(r"undefined|\[object object\]", re.IGNORECASE)
_PLACEHOLDER = re.compile(
    r"disabled?|deactivated|placeholder|replace[-_]?me|change[-_]?(?:me|this)(?:[-_]?.{0,4})"
    r"|(?:your|my|the|some|insert|example|sample|default|secret|test)?[-_ ]?api[-_]?keys?"
    r"(?:[-_]?(?:here|value|\d{1,4}))?|password\d{0,4}",
    re.IGNORECASE,
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NUMBER = re.compile(r"[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?")
_SEPARATOR = re.compile(r"[,\r\n]+")
_MARKS_OF_JSON = frozenset("[]{}:\\\"'")
# White space, and the mark that some editors put in front of a text.
_SURROUNDINGS = " \t\r\n\ufeff"
MAX_LISTED = 10
NO_ARRAY = "must be a JSON array"
NO_KEYS = "must be a JSON array, or plain keys with commas between them"
WRONG_ENTRY = (
    "must have a name, a role (read or admin) and a sha256 (64 hexadecimal digits) in each entry"
)
WRONG_PERMISSIONS = "must have a list as permissions"
WRONG_PROJECTS = "must have a list of one or more project ids as projects, or no projects"
UUID_INSIDE = (
    "must have commas or line ends between its keys and nothing else around a UUID: "
    "what has other characters opens as a whole only"
)
WRONG_PLAIN_KEY = f"must have plain keys of {MIN_KEY_CHARACTERS} or more letters, without a space"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of one holder, by `name`; the role `read` opens the reports, `admin` everything.

    That of a shared view has the role `view`, and an end (`YYYY-MM-DD HH:MM:SS`).

    `permissions` are those beyond the role; `admin` has all of them. `projects` are the ids of
    those that the key is for; None is all of them, and what belongs to no project. `pixels` limits
    it further, to reports of these.
    """

    name: str
    role: Access
    sha256: str
    permissions: frozenset[Permission] = frozenset()
    projects: frozenset[str] | None = None
    pixels: frozenset[str] | None = None
    ends_at: str | None = None

    def opens(self, role: Access) -> bool:
        """Whether this key is enough for a route that needs `role`."""
        roles = get_args(Access)
        return roles.index(self.role) >= roles.index(role)

    def has(self, permission: Permission) -> bool:
        """Whether this key has a permission, by itself or by its role."""
        return self.role == "admin" or permission in self.permissions


@dataclass(frozen=True, slots=True)
class KeySecret:
    """The keys of the secret API_KEYS, and what is wrong with its text, which no problem quotes.

    `is_old`: it has plain keys, as the old Worker's had; `newly_accepted` are the places of those
    that it refused, because they are no UUIDs.
    """

    keys: tuple[ApiKey, ...] = ()
    problems: tuple[str, ...] = ()
    is_old: bool = False
    newly_accepted: tuple[int, ...] = ()


def read_api_keys(text: str | None) -> KeySecret:
    """Reads the secret API_KEYS, a JSON array of objects with `name`, `role` and `sha256`.

    An optional `permissions` is a list of names; unknown ones grant nothing. An optional `projects`
    is a list of the ids that the key is limited to. A wrong entry is left out, and the others are
    read.
    The old format is read too: plain keys with commas between them, each of which opens everything.
    """
    text = (text or "").strip(_SURROUNDINGS)
    if not text:
        return KeySecret()
    if text.startswith(("[", "{")):
        return _read_entries(text)
    return _read_plain_keys(text)


def _read_entries(text: str) -> KeySecret:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        entries = None
    if not isinstance(entries, list):
        return KeySecret(problems=(NO_ARRAY,))
    keys: list[ApiKey] = []
    faults: dict[str, list[int]] = {}
    for position, entry in enumerate(entries, 1):
        key = _read_key(entry)
        if isinstance(key, ApiKey):
            keys.append(key)
        else:
            faults.setdefault(key, []).append(position)
    return KeySecret(tuple(keys), _problems("entry", faults))


def _read_plain_keys(text: str) -> KeySecret:
    """The keys of a comma-separated text; none if it has characters of JSON: a broken array.

    The old Worker knew UUIDs only. Those are read in quotation marks as well.
    """
    keys = [_without_marks(key) for key in _SEPARATOR.split(text)]
    if not _MARKS_OF_JSON.isdisjoint("".join(keys)):
        return KeySecret(problems=(NO_ARRAY,))
    keys = list(filter(None, keys))
    usable = tuple(
        # By its place in the text, as the problems name keys.
        ApiKey(f"old key {position}", "admin", digest_of_key(key))
        for position, key in enumerate(keys, 1)
        if _is_usable(key)
    )
    if not usable:
        return KeySecret(problems=(NO_KEYS,))
    unusable = [position for position, key in enumerate(keys, 1) if not _is_usable(key)]
    faults = {WRONG_PLAIN_KEY: unusable} if unusable else {}
    # Several keys with other marks between them, or a key with a name.
    merged = [
        position
        for position, key in enumerate(keys, 1)
        if _is_usable(key) and _UUID.search(key) and not _UUID.fullmatch(key)
    ]
    problems = _problems("key", faults)
    if merged:
        problems += (f"{UUID_INSIDE}: see key {_listed(merged)}",)
    newly_accepted = tuple(
        position
        for position, key in enumerate(keys, 1)
        if _is_usable(key) and not _UUID.fullmatch(key)
    )
    return KeySecret(usable, problems, is_old=True, newly_accepted=newly_accepted)


def _without_marks(key: str) -> str:
    """A key of a list without what surrounds it; only of a UUID are quotation marks taken off."""
    bare = key.strip("\"' ")
    return bare if not bare or _UUID.fullmatch(bare) else key.strip()


def _is_usable(key: str) -> bool:
    """Whether a key is printable ASCII without spaces, at least 8 characters, no placeholder."""
    is_sendable = key.isascii() and key.isprintable() and " " not in key
    is_word = any(word.fullmatch(key) for word in (_EMPTY_WORD, _NUMBER, _PLACEHOLDER))
    return is_sendable and len(key) >= MIN_KEY_CHARACTERS and not is_word


def _read_key(entry: object) -> ApiKey | str:
    """The key of an entry, or what every entry needs and this one lacks."""
    fields = entry if isinstance(entry, dict) else {}
    name, role, sha256 = (_text(fields.get(field)) for field in ("name", "role", "sha256"))
    # Some programs write a digest in capitals.
    sha256 = sha256.lower()
    if not name.strip() or role not in get_args(Role) or not _SHA256.fullmatch(sha256):
        return WRONG_ENTRY
    permissions = fields.get("permissions", [])
    if not isinstance(permissions, list):
        return WRONG_PERMISSIONS
    granted = frozenset(name for name in PERMISSIONS if name in permissions)
    projects = None
    # Whatever stands there limits the key, or leaves it out: a mistake must not open everything.
    if "projects" in fields:
        projects = _project_ids(fields["projects"])
        if not projects:
            return WRONG_PROJECTS
    return ApiKey(name, cast("Role", role), sha256, granted, projects)


def _project_ids(value: object) -> frozenset[str]:
    """The ids of a list; none if anything in it is no id."""
    ids = [_text(item).strip() for item in value] if isinstance(value, list) else []
    return frozenset(ids) if all(ids) else frozenset()


def _problems(noun: str, faults: Mapping[str, Sequence[int]]) -> tuple[str, ...]:
    """A problem of each fault, with the first positions that have it."""
    return tuple(
        f"{fault}: left out is {noun} {_listed(positions)}" for fault, positions in faults.items()
    )


def _listed(positions: Sequence[int]) -> str:
    hidden = len(positions) - MAX_LISTED
    listed = ", ".join(map(str, positions[:MAX_LISTED]))
    return f"{listed} and {hidden} more" if hidden > 0 else listed


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def digest_of_key(key: str) -> str:
    """The SHA-256 of a key in hex, by which it is known."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def find_key(keys: tuple[ApiKey, ...], presented: str) -> ApiKey | None:
    """The key whose digest a presented secret has, or None, in constant time."""
    sha256 = digest_of_key(presented)
    match = None
    for key in keys:
        if hmac.compare_digest(key.sha256, sha256):
            match = key
    return match
