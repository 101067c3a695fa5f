"""Recognises crawlers, monitors, headless browsers and automation tools by what they send.

The list of names is the package `crawler-user-agents`, reduced at build time to the patterns that
`bot_rules` does not have. What only resembles a machine is looked at again: nothing but a browser
says which site asks for what.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

from generated.crawler_patterns import LITERALS, REGEXES
from services.access.bot_rules import resembles_machine, says_machine, without_device

Header = Callable[[str], str | None]
"""A header of the request by its lower-case name, or None."""

Kind = Literal["named", "likely"]

# Tools that the list does not name. Most start with their own name, as no browser does.
_OTHER_TOOLS = (
    r"^(?:Java|Dart|Ruby|Deno|Bun|k6|Faraday|GuzzleHttp|PostmanRuntime|RestSharp|reqwest)/",
    r"^(?:undici|node|Java-http-client|libcurl|insomnia|ApacheBench|locust)\b",
    r"^(?:kube-probe|ELB-HealthChecker|GoogleHC|Amazon-Route53-Health-Check|HtmlUnit)",
    r"\b(?:Cypress|Electron-Nightmare|jsdom|SlimerJS|CloudWatchSynthetics|WindowsPowerShell)/",
    r"\bWebDriver\b|^Ruby$",
)
_PATTERNS = re.compile("|".join(f"(?:{pattern})" for pattern in (*REGEXES, *_OTHER_TOOLS)))
# The smoke test of a deployment, also of an older checkout, stores a page view of its own.
_OWN_COMMAND = "ppp/"
_FETCH_SITES = frozenset(("cross-site", "same-site", "same-origin"))
_FETCH_MODES = frozenset(("cors", "no-cors", "same-origin"))


def _no_header(_name: str) -> None:
    """The headers of a request of which only the user agent is known."""


def is_bot(user_agent: str, header: Header = _no_header) -> bool:
    """Whether a request is a machine's. An empty user agent says nothing."""
    return bot_kind(user_agent, header) is not None


def is_browsing_bot(user_agent: str, header: Header = _no_header) -> bool:
    """Whether a bot looks at pages, as browsers do: a program that only sends requests does not.

    Whoever runs the script of a page calls itself Mozilla; a shop's server or a form service that
    posts events of its own (WordPress, Guzzle, Zapier) does not.
    """
    return user_agent.startswith("Mozilla/") and is_bot(user_agent, header)


def bot_kind(user_agent: str, header: Header = _no_header) -> Kind | None:
    """Whether a machine says what it is, only resembles one, or is none (None)."""
    kind = _kind(user_agent)
    if kind == "likely" and _is_fetch_of_browser(header):
        return None
    # A headless Chrome whose user agent was changed.
    if kind is None and "Headless" in (header("sec-ch-ua") or ""):
        return "named"
    return kind


@lru_cache(maxsize=2_048)
def _kind(user_agent: str) -> Kind | None:
    if says_machine(user_agent):
        return "named"
    text = without_device(user_agent)
    if any(map(text.__contains__, LITERALS)) or _PATTERNS.search(text):
        return "named"
    is_own = user_agent.startswith(_OWN_COMMAND)
    return "likely" if resembles_machine(user_agent) and not is_own else None


def _is_fetch_of_browser(header: Header) -> bool:
    return (
        header("sec-fetch-site") in _FETCH_SITES
        and header("sec-fetch-mode") in _FETCH_MODES
        and header("accept-language") is not None
    )
