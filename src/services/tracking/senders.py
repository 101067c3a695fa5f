"""Who sends an event, as far as the browser itself says so, and whether the pixel takes it."""

from __future__ import annotations

import re
from collections.abc import Callable

from services.core.web_addresses import host_of
from services.projects.pixel_rules import PixelRules
from services.tracking.registrable_domains import share_domain

# A page of the visitor's own machine is an app's, and no other site. Caches of AMP pages and a
# translator show the page itself.
_NO_OTHER_SITE = re.compile(
    r"(?:.*\.)?localhost|127(?:\.\d+){3}|\[::1\]"
    r"|.*\.(?:cdn\.ampproject\.org|bing-amp\.com|translate\.goog)"
)


def sender_of(header: Callable[[str], str | None], own_url: str) -> str | None:
    """The page that the browser itself says it sends from, None where it says none.

    No evidence: the origin of a sandboxed frame or an app, a copy of the page, and the Worker's own
    address, which some browsers give as the referrer to hide the real one.
    """
    senders = (header(name) or "" for name in ("origin", "referer"))
    return next((page for page in senders if _is_evidence(page, own_url)), None)


def may_send(rules: PixelRules, sender: str | None, page_url: str) -> bool:
    """Whether the pixel takes an event of this page from this sender.

    The sender is on an allowed domain, or on the page's registrable domain: an image names the page
    that its embed code was written for, which may be `shop.example` on `www.shop.example`.
    """
    return sender is None or rules.allow(sender) or share_domain(sender, page_url)


def _is_evidence(page: str, own_url: str) -> bool:
    host = host_of(page)
    return bool(host) and host != host_of(own_url) and not _NO_OTHER_SITE.fullmatch(host)
