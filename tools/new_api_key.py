"""Makes API keys: the key for its holder, and the entry of the secret API_KEYS that knows it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

KEY_BYTES = 32


def entry_of(
    name: str, role: str, key: str, permissions: Sequence[str] = (), projects: Sequence[str] = ()
) -> Mapping[str, object]:
    """What stands in API_KEYS for a key: never the key itself. Without projects it is for all."""
    sha256 = hashlib.sha256(key.encode()).hexdigest()
    granted = {"permissions": list(permissions)} if permissions else {}
    limited = {"projects": list(dict.fromkeys(projects))} if projects else {}
    return {"name": name, "role": role, **granted, **limited, "sha256": sha256}


def new_api_key(
    name: str, role: str, permissions: Sequence[str] = (), projects: Sequence[str] = ()
) -> tuple[str, Mapping[str, object]]:
    """A random key and its entry."""
    key = secrets.token_urlsafe(KEY_BYTES)
    return key, entry_of(name, role, key, permissions, projects)
