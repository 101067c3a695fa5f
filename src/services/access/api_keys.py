"""API keys: compared by SHA-256 digest, each with a name and a role."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

Role = Literal["read", "admin"]
Permission = Literal["leads"]
"""What a key may do beyond its role. `leads`: see who the persons in exports are."""

PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

# Of a plain key: a shorter one is a mistake or easy to guess.
MIN_KEY_CHARACTERS = 8
# What programs write for a value that is not there.
_EMPTY_WORDS = frozenset(("undefined", "[object object]"))
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of one holder, by `name`; the role `read` opens the reports, `admin` everything.

    `permissions` are those beyond the role; `admin` has all of them.
    """

    name: str
    role: Role
    sha256: str
    permissions: frozenset[Permission] = frozenset()

    def opens(self, role: Role) -> bool:
        """Whether this key is enough for a route that needs `role`."""
        return self.role in ("admin", role)

    def has(self, permission: Permission) -> bool:
        """Whether this key has a permission, by itself or by its role."""
        return self.role == "admin" or permission in self.permissions


def is_old_format(text: str | None) -> bool:
    """Whether a secret is a list of plain keys with commas, as the old Worker had it."""
    return bool(text) and not str(text).lstrip().startswith(("[", "{", '"'))


def read_api_keys(text: str | None) -> tuple[ApiKey, ...]:
    """Reads the secret API_KEYS, a JSON array of objects with `name`, `role` and `sha256`.

    An optional `permissions` is a list of names; unknown ones grant nothing.
    The old format is read too: plain keys with commas between them, each of which opens everything.

    Raises:
        ValueError: the text is neither; the message quotes none of it.
    """
    if not text or not text.strip():
        return ()
    if is_old_format(text):
        return _read_plain_keys(text)
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON array") from None
    if not isinstance(entries, list):
        raise ValueError("must be a JSON array")  # noqa: TRY004  # one error for a wrong secret
    return tuple(_read_key(entry, position) for position, entry in enumerate(entries, 1))


def _read_plain_keys(text: str) -> tuple[ApiKey, ...]:
    keys = list(filter(_is_usable, map(str.strip, text.split(","))))
    if not keys:
        raise ValueError("must be a JSON array, or plain keys with commas between them")
    return tuple(
        ApiKey(f"old key {number}", "admin", _digest(key)) for number, key in enumerate(keys, 1)
    )


def _is_usable(key: str) -> bool:
    """Whether a header can carry it, and nobody guesses it; what is no key must open nothing."""
    is_sendable = key.isascii() and key.isprintable() and " " not in key
    return is_sendable and len(key) >= MIN_KEY_CHARACTERS and key.lower() not in _EMPTY_WORDS


def _read_key(entry: object, position: int) -> ApiKey:
    fields = entry if isinstance(entry, dict) else {}
    name, role, sha256 = (_text(fields.get(field)) for field in ("name", "role", "sha256"))
    if not name or role not in get_args(Role) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"entry {position} needs a name, a role (read or admin) and a sha256")
    permissions = fields.get("permissions", [])
    if not isinstance(permissions, list):
        raise ValueError(f"entry {position}: permissions must be a list")  # noqa: TRY004  # as above
    granted = frozenset(name for name in PERMISSIONS if name in permissions)
    return ApiKey(name, cast("Role", role), sha256, granted)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def find_key(keys: tuple[ApiKey, ...], presented: str) -> ApiKey | None:
    """The key whose digest a presented secret has, or None, in constant time."""
    sha256 = _digest(presented)
    match = None
    for key in keys:
        if hmac.compare_digest(key.sha256, sha256):
            match = key
    return match
