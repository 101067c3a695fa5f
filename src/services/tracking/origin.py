from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request came from, as Cloudflare knows it."""

    country: str | None
    region: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a request: address, user agent and place."""

    ip_address: str | None
    user_agent: str
    place: Place
