"""Who sent a request, as far as Cloudflare knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Location:
    """Where an IP address is, as Cloudflare estimates it; `country` is an ISO 3166 code."""

    country: str | None
    region: str | None
    city: str | None


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """The client behind a request: its IP address, user agent and location."""

    ip_address: str | None
    user_agent: str
    location: Location
