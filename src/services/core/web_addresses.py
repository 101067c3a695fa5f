r"""Web addresses as browsers read them: the host to which a link with this text leads.

A browser takes `https://evil.example\@shop.example/` for a page of evil.example, and
`https://shop.example@evil.example/` as well. Whoever reads them otherwise can be deceived.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import unquote

from services.core.email_addresses import ascii_domain

# Nearly every address: nothing in it can be read in two ways.
_USUAL = re.compile(
    r"https?://([a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*)\.?(?::\d{1,5})?(?=[/?#]|$)",
    re.IGNORECASE,
)
# Any number of slashes and backslashes begins the host, and any of them ends it.
_ADDRESS = re.compile(r"(https?):[/\\]*([^/\\?#]*)([^?#]*)(.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r":\d{0,5}\Z")
_USUAL_PORTS = {"http": "80", "https": "443"}
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_NUMBER = re.compile(r"0x[0-9a-f]*|\d+")
_REMOVED = re.compile(r"[\t\n\r]")
_OUTER_CHARACTERS = "".join(map(chr, range(0x21)))
_IPV4_PARTS = 4


def read_web_address(text: str) -> str | None:
    """The address as a browser goes to it, without user and password; None where to none.

    A usual address stays as it is.
    """
    if _USUAL.match(text):
        return text
    match = _parts_of(text)
    if not match:
        return None
    scheme, authority, path, rest = match.groups()
    written, port = _divided(authority)
    host = read_host(written)
    if not host:
        return None
    spelling = written if _is_shown(written) else host
    slashed = path.replace("\\", "/")
    return f"{scheme}://{spelling}{port}{slashed}{rest}"


def host_of(address: str) -> str:
    """The host to which a web address leads, in lower case and ASCII; empty if to none."""
    if usual := _USUAL.match(address):
        return usual[1].lower()
    match = _parts_of(address)
    return read_host(_divided(match[2])[0]) if match else ""


def place_of(address: str) -> tuple[str, str, str]:
    """Host, port and path to which a web address leads; a scheme's own port is none."""
    match = _parts_of(address)
    if not match:
        return "", "", ""
    scheme, authority, path, _ = match.groups()
    host, port = _divided(authority)
    number = port.removeprefix(":").lstrip("0")
    is_usual = number == _USUAL_PORTS[scheme.lower()]
    return read_host(host), "" if is_usual else number, path.replace("\\", "/")


def read_host(text: str) -> str:
    """A host in the spelling in which hosts are compared; empty if the text is none."""
    if text.startswith("["):
        return _ipv6(text)
    host = ascii_domain(unquote(text)).rstrip(".")
    if not _HOST.fullmatch(host):
        return ""
    return _ipv4(host) if _NUMBER.fullmatch(host.rpartition(".")[2]) else host


def _parts_of(text: str) -> re.Match[str] | None:
    """Scheme, user with host and port, path, and what comes behind it."""
    return _ADDRESS.fullmatch(_REMOVED.sub("", text).strip(_OUTER_CHARACTERS))


def _divided(authority: str) -> tuple[str, str]:
    """Host and port, without user and password."""
    host = authority.rpartition("@")[2]
    port = _PORT.search(host)
    return (host[: port.start()], port[0]) if port else (host, "")


def _is_shown(host: str) -> bool:
    """Whether the host stays as it was written: letters of all languages, but no disguise."""
    return "%" not in host and host.strip() == host


def _ipv6(text: str) -> str:
    try:
        return f"[{IPv6Address(text[1:-1])}]" if text.endswith("]") else ""
    except AddressValueError:
        return ""


def _ipv4(host: str) -> str:
    """`127.1`, `0x7f.0.0.1` and `2130706433` are all 127.0.0.1."""
    parts = host.split(".")
    if len(parts) > _IPV4_PARTS or not all(map(_NUMBER.fullmatch, parts)):
        return ""
    try:
        *firsts, last = map(_number, parts)
        value = sum(first << 8 * (3 - at) for at, first in enumerate(firsts))
        is_in_range = all(first < 1 << 8 for first in firsts) and last < 1 << 8 * (4 - len(firsts))
        return str(IPv4Address(value + last)) if is_in_range else ""
    except ValueError:
        return ""


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
