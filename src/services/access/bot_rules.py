"""What a machine's user agent looks like, without a list of names.

A browser says its engine and system in a form of its own. Machines add the address of their page,
the word for what they do, or say nothing but their name. Names of devices are left out before words
are looked for: a phone may be called anything.
"""

from __future__ import annotations

import re

# Where Android, televisions and Facebook's and Instagram's apps name the device.
_DEVICE = re.compile(
    r"""Andr[o0]id\ [\d.]+;?\ ?[^)]*?(?=\ Build/|\)|$)
    | \bBuild/[^\s;)]* | HbbTV/[^)]* | \[FB[^\]]* | \bAndroid\ \([^)]* | [(]\+[^)]*TUNER[^)]*
    """,
    re.VERBOSE | re.IGNORECASE,
)

# Cubot is a maker of phones.
_ROBOT = re.compile(r"(?i:(?<!cu)(?<!alca)bots?(?![a-z])|bot_)|[Bb]ot(?=[A-Z][a-z])")
_ROBOT_WORDS = ("crawl", "spider", "robot", "scraper", "scraping", "harvest")

_ADDRESS = re.compile(
    r"https?:/(?!/(?:bsalsa|atamg|www\.xbmc))|(?<!/)\bwww\.\w|mailto:"
    r"|\w@[a-z][\w-]*\.[a-z]{2}|; ?\+\w"
)
# What calls itself compatible, and is a browser.
_BROWSERS = (
    r"msie [\d.]+\w?[;)]|konqueror|opera|win|android|icab|teleca|abrowse|netscape|netfront|polaris"
    r"|maxthon|u;|galeon|chimera|linux|omniweb|i?browse|webtv|dillo|aol|amiga|nokia|sony|oss/"
    r"|antgalio|yospace|offbyone|go\.web|ms-office|googletoolbar"
)
_COMPATIBLE = re.compile(rf"compatible; ?(?:windows nt [\d.]+; )?(?!{_BROWSERS})[a-z\d]")
# A browser closes its bracket there, except the one that Google's light pages were shown in.
_INSIDE_BRACKET = re.compile(r"like gecko; ?(?!googleweblight)|like gecko\); ?compatible")
_INJECTION = re.compile(r"\$\{|<\?|<script|^[^(\[]*\{\{|### ")
_MOZILLA = re.compile(r"^mozilla/\d\.\d")

# What programs do that visit pages. Some are also parts of names: so they are only a sign.
_TASKS = (
    *("scanner", "scanning", " scan ", "checker", " check ", "check/", "monitor/", "feedfetch"),
    *("feedparser", "feedreader", "fetcher", "archiv", "preview", "parser", "parsing"),
    *("validator", "probe", "inspect", "analyzer", "audit", "research", "survey", "verifier"),
    *("verification", "verify", "synthetic", "uptime", "grabber", "extractor", "detector"),
    *("insights", "page speed", "pagespeed", "rssreader", "indexer", "indexing", "observatory"),
    *("diagnostic", "thumbnail", "transcoder", "measurement", "headless", "prerender", "advisor"),
    *("agent ", "discovery", "searcher", "search engine", "searchengine", "lookup"),
    *("tester", "testing/", "benchmark", "pinger", "search console", "sitemap"),
    *("prospect", "experiment"),
)
_NO_TASKS = ("camscanner", "user agent", "user-agent", "update agent")

# Engines, systems, apps and makers: what a person's device says of itself.
_PERSONS = (
    *("applewebkit", "gecko", "trident/", "presto/", "opera", "opr/", "msie", "khtml", "webpro"),
    *("windows", "win32", "win64", "win95", "win98", "macintosh", "mac os", "os=mac", "linux"),
    *("x11", "cros", "sunos", "amiga", "beos", "bsd", "os/2", "palm", "firefox", "chrom", "safari"),
    *("mosaic", "lynx/", "links (", "fban", "office", "word/", "android", "andr0id", "build/"),
    *(
        "ios,",
        "macos",
        "iphone",
        "ipad",
        "ipod",
        "midp",
        "cldc",
        "up.browser",
        "up.link",
        "obigo",
        "netfront",
    ),
    *("teleca", "nokia", "lumia", "symbian", "series40", "series60", "sec-", "samsung", "gt-"),
    *("blackberry", "ericsson", "sony", "huawei", "sie-", "siemens", "darwin", "cfnetwork", "zte"),
    *("dalvik", "maui", "htc", "smarttv", "appletv", "apple tv", " tv", "tv-", "panatv", "(wired"),
    *("wired)", "arris", "playstation", "psp", "nintendo", "dreamcast", "kindle", "silk", "xbox"),
    *("j2me", "brew", "mmp/", "wap", "docomo", "foma", "kddi", "kwc-", "kyocera", "vodafone"),
    *("softbank", "watch", "tvos", "ios ", "(ios", "kaios", "tizen", "sonos", "roku", "hbbtv"),
    *("hybridcast", "dlna", "vlc/", "quicktime", "itunes", "applecoremedia", "dolphin", "browser"),
    *("ucweb", "alcatel", "airness", "acer", "haier", "amoi", "archos", "asus", "amazon;", "bird"),
    *("lenovo", "lge", "lg-", "lg/", "motorola", "mot-", "panasonic", "pantech", "philips"),
    *("sagem", "sharp", "toshiba", "xiaomi", "oppo", "vivo", "galaxy", "sprint", "tianyu"),
    *("audiovox", "qcom", "msm8", "device", "phone", "tablet", "mobile", "homepod", "airplay"),
    *("avantgo", "untrusted", "go.web", "mre/", "webtv", "language "),
)
_STARTS_OF_PERSONS = ("lg", "mot", "[fb", "a/")
_IS_NAME = re.compile(r"[a-z]{3}")


def without_device(user_agent: str) -> str:
    """A user agent without the names of devices in it."""
    return _DEVICE.sub("Android ", user_agent)


def says_machine(user_agent: str) -> bool:
    """Whether a user agent says outright that it is a machine's."""
    text = without_device(user_agent)
    lower = text.lower()
    return (
        ("bot" in lower and bool(_ROBOT.search(text)))
        or any(map(lower.__contains__, _ROBOT_WORDS))
        or bool(_ADDRESS.search(lower))
        or bool(_COMPATIBLE.search(lower))
        or bool(_INSIDE_BRACKET.search(lower))
        or bool(_INJECTION.search(user_agent.lower()))
    )


def resembles_machine(user_agent: str) -> bool:
    """Whether a user agent has a sign of a machine that a person's may have, too."""
    lower = f" {without_device(user_agent).lower()} "
    is_said = lower.__contains__
    does_task = any(map(is_said, _TASKS)) and not any(map(is_said, _NO_TASKS))
    return does_task or _is_program(user_agent.lower())


def _is_program(lower: str) -> bool:
    """Whether it names something, and no browser, system or device."""
    if lower.startswith(_STARTS_OF_PERSONS) or any(map(lower.__contains__, _PERSONS)):
        return False
    return bool(_IS_NAME.search(_MOZILLA.sub("", lower)))
