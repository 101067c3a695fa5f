"""The browser, operating system and device in a user agent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from ua_parser import OS, Domain, UserAgent
from ua_parser.basic import Resolver
from ua_parser_builtins.matchers import MATCHERS

DeviceType = Literal["desktop", "mobile", "tablet"]


@dataclass(frozen=True, slots=True)
class Client:
    """A browser on a device; unknown fields are None."""

    browser: str | None
    browser_version: str | None
    os: str | None
    os_version: str | None
    device_type: DeviceType


# Android says "Mobile" on a phone; apps say "Android" once more after it. "Tablet PC" is Windows.
_TABLET = re.compile(
    r"iPad|Tablet(?! PC)|Kindle|PlayBook|^(?!.*(?:Mobi|Opera Mini)).*(?:Android|Silk/)"
)
_MOBILE = re.compile(r"Mobi|iPhone|iPod|Android|Windows Phone|BlackBerry|Opera Mini")

# Only browser and system are asked for: the device table is the largest and names models.
_resolver = Resolver(
    (list(MATCHERS[0]), list(MATCHERS[1]), []),
)
_DOMAINS = Domain.USER_AGENT | Domain.OS
# The patterns are compiled on first use (0.4 s): done here it is part of the start-up snapshot.
_resolver("Mozilla/5.0", _DOMAINS)


@lru_cache(maxsize=2_048)
def describe_client(user_agent: str) -> Client:
    """Reads a user agent; unknown fields are None, an unknown device is a desktop."""
    parsed = _resolver(user_agent, _DOMAINS)
    return Client(
        browser=parsed.user_agent.family if parsed.user_agent else None,
        browser_version=_version(parsed.user_agent),
        os=parsed.os.family if parsed.os else None,
        os_version=_version(parsed.os),
        device_type=_device_type(user_agent),
    )


def _version(product: UserAgent | OS | None) -> str | None:
    parts = [part for part in (product.major, product.minor) if part] if product else []
    return ".".join(parts) or None


def _device_type(user_agent: str) -> DeviceType:
    if _TABLET.search(user_agent):
        return "tablet"
    return "mobile" if _MOBILE.search(user_agent) else "desktop"
