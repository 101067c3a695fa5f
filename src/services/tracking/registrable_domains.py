"""The domain that somebody registered: `client.co.uk` of `www.client.co.uk`.

The table is a part of the Public Suffix List (tools/public_suffixes.py says which). A suffix that
it lacks makes two sites of different owners one; it never divides one site.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from services.tracking.public_suffixes import LABELS_BY_TOP_LEVEL_DOMAIN

_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^/?#:[\]]+)", re.IGNORECASE)


def _suffixes() -> Iterator[str]:
    top_level = ""
    for line in LABELS_BY_TOP_LEVEL_DOMAIN.splitlines():
        labels = line.split()
        if labels and not line.startswith(" "):
            top_level = labels.pop(0)
        yield from (f"{label}.{top_level}" for label in labels)


_SUFFIXES = frozenset(_suffixes())


def host_of(address: str) -> str:
    """The host in an address with a scheme, in lower case; empty if there is none."""
    match = _HOST.match(address)
    return match[1].lower().rstrip(".") if match else ""


def registrable_domain(host: str) -> str:
    """The part of a host that its owner registered; a public suffix or an IP address is whole."""
    labels = host.split(".")
    if labels[-1].isdecimal() or host.startswith("["):
        return host
    is_suffix = ".".join(labels[-2:]) in _SUFFIXES or f"*.{labels[-1]}" in _SUFFIXES
    return ".".join(labels[-3:] if is_suffix else labels[-2:])


def share_domain(address: str, other: str) -> bool:
    """Whether two addresses are on the same registrable domain."""
    host = host_of(address)
    return bool(host) and registrable_domain(host) == registrable_domain(host_of(other))
