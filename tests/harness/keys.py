"""The API keys of the tests' Workers."""

from __future__ import annotations

import json

from new_api_key import entry_of

READ_KEY = "opens the numbers"
LEADS_KEY = "opens the numbers and shows the persons"
ADMIN_KEY = "opens everything"


def keys() -> str:
    """The setting API_KEYS with these keys."""
    return json.dumps(
        [
            entry_of("reader", "read", READ_KEY),
            entry_of("sales", "read", LEADS_KEY, ["leads"]),
            entry_of("admin", "admin", ADMIN_KEY),
        ]
    )
