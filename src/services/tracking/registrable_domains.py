"""The domain that somebody registered: `client.co.uk` of `www.client.co.uk`.

The table is the Public Suffix List (tools/public_suffixes.py), by its rules: the longest suffix
counts, `*` stands for any label, and `!` says that what follows is a registered domain after all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from services.core.web_addresses import host_of
from services.tracking.public_suffixes import LABELS_BY_END


def _suffixes() -> Iterator[str]:
    end = ""
    for line in LABELS_BY_END.splitlines():
        labels = line.split()
        if labels and not line.startswith(" "):
            end = labels.pop(0)
        yield from (f"{label}.{end}" for label in labels)


SUFFIXES = frozenset(_suffixes())
# No suffix has more labels, so no others of a host are looked up.
_MOST_LABELS = max(suffix.count(".") for suffix in SUFFIXES) + 1


def registrable_domain(host: str) -> str:
    """The part of a host that its owner registered; a public suffix or an IP address is whole."""
    labels = host.split(".")
    if labels[-1].isdecimal() or host.startswith("["):
        return host
    for at in range(max(len(labels) - _MOST_LABELS, 0), len(labels) - 1):
        name, end = ".".join(labels[at:]), ".".join(labels[at + 1 :])
        if f"!{name}" in SUFFIXES:
            return name
        if name in SUFFIXES or f"*.{end}" in SUFFIXES:
            return ".".join(labels[max(at - 1, 0) :])
    return ".".join(labels[-2:])


def share_domain(address: str, other: str) -> bool:
    """Whether two addresses are on the same registrable domain."""
    host = host_of(address)
    return bool(host) and registrable_domain(host) == registrable_domain(host_of(other))


_SEPARATORS = re.compile(r"[\s,;|]+")
# Of a site on the network or on the machine of a developer.
_OWN_NAME = re.compile(r".+\..*[a-z].*|localhost|\[.*\]|\d+(?:\.\d+){3}")


def addresses_of_website(text: str) -> Sequence[str]:
    """The addresses in what somebody wrote for a website, with or without a scheme.

    None if any word is no host: a company's name, a note, a dash.
    """
    parts = filter(None, _SEPARATORS.split(text))
    addresses = [part if "://" in part else f"https://{part}" for part in parts]
    return addresses if all(_OWN_NAME.fullmatch(host_of(site)) for site in addresses) else ()


def hosts_of_website(text: str) -> Sequence[str]:
    """The hosts in what somebody wrote for a website."""
    return [host_of(address) for address in addresses_of_website(text)]
