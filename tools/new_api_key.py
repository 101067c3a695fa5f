"""Makes API keys: the key for its holder, and the entry of the secret API_KEYS that knows it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping

KEY_BYTES = 32


def entry_of(name: str, role: str, key: str) -> Mapping[str, str]:
    """What stands in API_KEYS for a key: never the key itself."""
    return {"name": name, "role": role, "sha256": hashlib.sha256(key.encode()).hexdigest()}


def new_api_key(name: str, role: str) -> tuple[str, Mapping[str, str]]:
    """A random key and its entry."""
    key = secrets.token_urlsafe(KEY_BYTES)
    return key, entry_of(name, role, key)
