"""The two API keys of the tests' Workers."""

from __future__ import annotations

import json

from new_api_key import entry_of

READ_KEY = "opens the numbers"
ADMIN_KEY = "opens everything"


def keys() -> str:
    """The setting API_KEYS with the two keys."""
    return json.dumps([entry_of("reader", "read", READ_KEY), entry_of("admin", "admin", ADMIN_KEY)])
