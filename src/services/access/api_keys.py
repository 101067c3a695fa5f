"""API keys: stored as SHA-256 digests, each with a name and a role."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

Role = Literal["read", "admin"]

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of one holder, by `name`; the role `read` opens the reports, `admin` everything."""

    name: str
    role: Role
    sha256: str

    def opens(self, role: Role) -> bool:
        """Whether this key is enough for a route that needs `role`."""
        return self.role in ("admin", role)


def read_api_keys(text: str | None) -> tuple[ApiKey, ...]:
    """Reads the secret API_KEYS, a JSON array of objects with `name`, `role` and `sha256`.

    Raises:
        ValueError: the text is no such array; the message quotes none of it.
    """
    if not text:
        return ()
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("must be a JSON array") from None
    if not isinstance(entries, list):
        raise ValueError("must be a JSON array")  # noqa: TRY004  # one error for a wrong secret
    return tuple(_read_key(entry, position) for position, entry in enumerate(entries, 1))


def _read_key(entry: object, position: int) -> ApiKey:
    fields = entry if isinstance(entry, dict) else {}
    name, role, sha256 = (_text(fields.get(field)) for field in ("name", "role", "sha256"))
    if not name or role not in get_args(Role) or not _SHA256.fullmatch(sha256):
        raise ValueError(f"entry {position} needs a name, a role (read or admin) and a sha256")
    return ApiKey(name, cast("Role", role), sha256)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def find_key(keys: tuple[ApiKey, ...], presented: str) -> ApiKey | None:
    """The key whose digest a presented secret has, or None, in constant time."""
    sha256 = hashlib.sha256(presented.encode("utf-8", "surrogatepass")).hexdigest()
    match = None
    for key in keys:
        if hmac.compare_digest(key.sha256, sha256):
            match = key
    return match
