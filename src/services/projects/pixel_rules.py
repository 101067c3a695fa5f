"""The rules of a pixel: allowed domains, anonymous addresses, Do Not Track, length of sessions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from services.core.email_addresses import ascii_domain
from services.core.web_addresses import host_of

IPV4_HOST_BITS = 8
IPV6_HOST_BITS = 80


@dataclass(frozen=True, slots=True)
class PixelRules:
    """The rules of one pixel. No `allowed_domains` allow all; no `session_minutes`: the default."""

    allowed_domains: tuple[str, ...] = ()
    anonymizes_addresses: bool = False
    respects_dnt: bool = False
    session_minutes: int | None = None

    def allow(self, page_url: str) -> bool:
        """Whether the pixel takes events of a page. `*.shop.example` matches all subdomains."""
        return not self.allowed_domains or self.covers(page_url)

    def covers(self, address: str) -> bool:
        """Whether an address is on one of the allowed domains, that is on a site of the pixel."""
        host = host_of(address)
        return any(
            host.endswith(domain[1:]) if domain.startswith("*.") else host == domain
            for domain in self.allowed_domains
        )

    def stored_address(self, ip_address: str | None) -> str | None:
        """The IP address to store: the whole one, or its network (IPv4 /24, IPv6 /48)."""
        return _network(ip_address) if self.anonymizes_addresses and ip_address else ip_address


NO_RULES = PixelRules()


def read_rules(project: Mapping[str, object], pixel: Mapping[str, object]) -> PixelRules:
    """The rules in the configurations of a project and a pixel; the pixel overrides the project.

    Rows of production may hold anything: a setting that cannot be read is ignored.
    """
    settings = {**project, **pixel}
    domains = settings.get("allowed_domains")
    minutes = settings.get("session_minutes")
    return PixelRules(
        tuple(map(ascii_domain, filter(_is_text, domains))) if isinstance(domains, list) else (),
        _is_yes(settings.get("ip_anonymization")),
        _is_yes(settings.get("respect_dnt")),
        minutes if type(minutes) is int and minutes > 0 else None,
    )


def declines(header: Callable[[str], str | None]) -> bool:
    """Whether a visitor asked not to be tracked, by Do Not Track or Global Privacy Control."""
    return header("dnt") == "1" or header("sec-gpc") == "1"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_yes(value: object) -> bool:
    return str(value).lower() in {"true", "1"}


def _network(ip_address: str) -> str | None:
    try:
        if ":" not in ip_address:
            return str(
                IPv4Address(int(IPv4Address(ip_address)) >> IPV4_HOST_BITS << IPV4_HOST_BITS)
            )
        address = IPv6Address(ip_address)
    except AddressValueError:
        return None  # malformed text could still identify somebody
    if address.ipv4_mapped:
        return _network(str(address.ipv4_mapped))
    return str(IPv6Address(int(address) >> IPV6_HOST_BITS << IPV6_HOST_BITS))
