"""The network that a source names, whose click IDs belong to its visits."""

from __future__ import annotations

import re

# A source that begins with a network's name: facebook_ads, m.facebook.com, Google Ads, t.co.
_NETWORK_OF_SOURCE = re.compile(
    r"""
    (?:(?:www|m|l|lm|ads|out|old)\.)?
    (?:(?P<google>google|adwords|youtube)
      |(?P<facebook>facebook|fb|instagram|ig|meta)
      |(?P<microsoft>bing|microsoft)
      |(?P<tiktok>tik[ _-]?tok)
      |(?P<twitter>twitter|t\.co|x(?=$|\.com|[ _-]?ads?$))
      |(?P<linkedin>linked[ _-]?in)
      |(?P<snapchat>snapchat)
      |(?P<reddit>reddit)
      |(?P<pinterest>pinterest)
      |(?P<quora>quora)
      |(?P<yandex>yandex)
      |(?P<chatgpt>chat[ _-]?gpt|openai)
    )
    (?:ads?)?(?![a-z])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def network_of_source(source: str) -> str | None:
    """The network whose name the source begins with, as in NETWORK_OF_CLICK_ID."""
    match = _NETWORK_OF_SOURCE.match(source)
    return match.lastgroup if match else None
