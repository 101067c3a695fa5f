"""Recognises crawlers, monitors, headless browsers and automation tools by their user agent.

The list is the package `crawler-user-agents`, reduced to its patterns at build time.
"""

from __future__ import annotations

import re
from functools import lru_cache

from generated.crawler_patterns import LITERALS, REGEXES

# Tools that the list does not name. Most start with their own name, as no browser does.
_OTHER_TOOLS = (
    r"^(?:Java|Dart|Ruby|Deno|Bun|k6|Faraday|GuzzleHttp|PostmanRuntime|RestSharp|reqwest)/",
    r"^(?:undici|node|Java-http-client|libcurl|insomnia|ApacheBench|locust)\b",
    r"^(?:kube-probe|ELB-HealthChecker|GoogleHC|Amazon-Route53-Health-Check|HtmlUnit)",
    r"\b(?:Cypress|Electron-Nightmare|jsdom|SlimerJS|CloudWatchSynthetics|WindowsPowerShell)/",
    r"\bWebDriver\b|^Ruby$",
)
_PATTERNS = re.compile("|".join(f"(?:{pattern})" for pattern in (*REGEXES, *_OTHER_TOOLS)))


@lru_cache(maxsize=2_048)
def is_bot(user_agent: str) -> bool:
    """Whether a user agent names itself as a machine. An empty one does not."""
    return any(literal in user_agent for literal in LITERALS) or bool(_PATTERNS.search(user_agent))


def is_browsing_bot(user_agent: str) -> bool:
    """Whether a bot looks at pages, as browsers do: a program that only sends requests does not.

    Whoever runs the script of a page calls itself Mozilla; a shop's server or a form service that
    posts events of its own (WordPress, Guzzle, Zapier) does not.
    """
    return user_agent.startswith("Mozilla/") and is_bot(user_agent)
