import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.worker_api.client import USER_AGENT
from services.access.bots import bot_kind, is_bot, is_browsing_bot

CHROME = "(KHTML, like Gecko) Chrome/142.0.0.0"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko)"
)


def android(device: str, rest: str = "") -> str:
    """Chrome on an Android device, `rest` behind it."""
    return f"Mozilla/5.0 (Linux; {device}) AppleWebKit/537.36 {CHROME} Mobile Safari/537.36{rest}"


def webview(device: str, rest: str = "") -> str:
    """A browser inside an Android app."""
    return (
        f"Mozilla/5.0 (Linux; {device}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0"
        f" Chrome/142.0.7444.142 Mobile Safari/537.36{rest}"
    )


GALAXY = "Android 14; SM-S918B Build/UP1A.231005.007"

CRAWLERS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Googlebot-Image/1.0",
    "AdsBot-Google (+http://www.google.com/adsbot.html)",
    "Mediapartners-Google",
    (
        f"{LINUX} (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"
        " Chrome/116.0.1938.76 Safari/537.36"
    ),
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
    f"{MAC} Version/17.4 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)",
    "Mozilla/5.0 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",
    "Mozilla/5.0 (compatible; SeznamBot/4.0; +http://napoveda.seznam.cz/seznambot-intro/)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
    "Mozilla/5.0 (compatible; MJ12bot/v1.4.8; http://mj12bot.com/)",
    "Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)",
    "Screaming Frog SEO Spider/20.0",
    "CCBot/2.0 (https://commoncrawl.org/faq/)",
    "Scrapy/2.11 (+https://scrapy.org)",
    # Of language models
    "Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    "Mozilla/5.0 (compatible; OAI-SearchBot/1.0; +https://openai.com/searchbot)",
    "Mozilla/5.0 (compatible; ChatGPT-User/1.0; +https://openai.com/bot)",
    "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
    "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
    "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "Mozilla/5.0 (compatible; Amazonbot/0.1; +https://developer.amazon.com/support/amazonbot)",
    "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
    # For link previews
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Twitterbot/1.0",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.23.20.0 A",
    "Viber",
]

MONITORS = [
    "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
    "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    f"{LINUX} {CHROME} Safari/537.36 PingdomPageSpeed/1.0",
    f"{LINUX} {CHROME} Safari/537.36 DatadogSynthetics",
    f"{LINUX} {CHROME} Safari/537.36 NewRelicSynthetics",
    f"{LINUX} {CHROME} Safari/537.36 PTST/240101",
    f"{MAC} Chrome/142.0.0.0 Safari/537.36 Chrome-Lighthouse",
    "Mozilla/5.0 (compatible; Site24x7)",
    "Mozilla/5.0 (compatible) StatusCake",
    "Better Uptime Bot Mozilla/5.0 (compatible)",
    "Checkly/1.0 (https://www.checklyhq.com)",
    "Cloudflare-Healthchecks/1.0",
    "Uptime-Kuma/1.23.11",
    "check_http/v2.3.3 (monitoring-plugins 2.3.3)",
    "Blackbox Exporter/0.24.0",
]

AUTOMATION = [
    f"{LINUX} (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
    (
        "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1"
        " Safari/538.1"
    ),
    f"{WINDOWS} {CHROME} Safari/537.36 Puppeteer/21.3.8",
    "Playwright/1.48.0 (x64; ubuntu 22.04) node/20.18",
    f"{LINUX} {CHROME} Safari/537.36 Selenium/4.16",
    (
        f"{LINUX} (KHTML, like Gecko) Cypress/13.6.0 Chrome/118.0.5993.159 Electron/27.1.3"
        " Safari/537.36"
    ),
    "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0 WebDriver",
]

HTTP_CLIENTS = [
    "curl/8.5.0",
    "Wget/1.21.4",
    "python-requests/2.32.3",
    "Python-urllib/3.11",
    "Python/3.11 aiohttp/3.9.1",
    "python-httpx/0.27.0",
    "Go-http-client/2.0",
    "axios/1.7.2",
    "okhttp/4.12.0",
    "Java/17.0.2",
    "Apache-HttpClient/4.5.14 (Java/17.0.2)",
    "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
    "got (https://github.com/sindresorhus/got)",
    "HTTPie/3.2.2",
    "libwww-perl/6.67",
    "Ruby",
    "Dart/3.2 (dart:io)",
]

BROWSERS = [
    f"{WINDOWS} {CHROME} Safari/537.36",
    f"{WINDOWS} {CHROME} Safari/537.36 Edg/142.0.0.0",
    f"{WINDOWS} {CHROME} Safari/537.36 OPR/125.0.0.0",
    f"{WINDOWS} {CHROME} Safari/537.36 Vivaldi/7.6.3797.58",
    f"{WINDOWS} {CHROME} YaBrowser/25.8.0.0 Safari/537.36",
    f"{WINDOWS} (KHTML, like Gecko) coc_coc_browser/128.0.234 Chrome/122.0.6261.234 Safari/537.36",
    f"{WINDOWS} {CHROME} Whale/4.33.325.17 Safari/537.36",
    f"{WINDOWS} {CHROME} Electron/37.2.5 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    f"{MAC} Version/18.6 Safari/605.1.15",
    f"{LINUX} {CHROME} Safari/537.36",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 {CHROME} Safari/537.36",
    f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1",
    f"{IPHONE} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
    f"{IPHONE} FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
    f"{IPHONE} Version/18.0 EdgiOS/140.0.0.0 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Version/18.6 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
    android("Android 10; K"),
    android("Android 10; K", " EdgA/140.0.0.0"),
    android("Android 10; K", " OPR/91.0.0.0"),
    (
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
        " SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36"
    ),
    "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
    "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16",
    (
        "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko)"
        " Silk/138.4.2 like Chrome/138.0.7204.180 Safari/537.36"
    ),
    android("U; Android 13; en-gb; 2201117TY", " XiaoMi/MiuiBrowser/14.9.0-gn"),
    android("Android 12; NOH-AN00", " HuaweiBrowser/15.0.4.312"),
    webview("Android 5.1; vivo X6D Build/LMY47I", " SogouMSE,SogouMobileBrowser/5.6.0"),
    (
        "Mozilla/5.0 (PlayStation; PlayStation 5/6.00) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/13.0 Safari/605.1.15"
    ),
    (
        "Mozilla/5.0 (SMART-TV; LINUX; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko)"
        " 94.0.4606.31/7.0 TV Safari/537.36"
    ),
]

IN_APP_BROWSERS = [
    webview(GALAXY),
    webview(GALAXY, " [FB_IAB/FB4A;FBAV/530.0.0.48.74;]"),
    webview(GALAXY, " MetaIAB Facebook"),
    (
        f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/530.0.0.44.70;FBDV/iPhone15,3;FBMD/iPhone;"
        "FBSN/iOS;FBSV/18.5;FBCR/;FBID/phone;FBLC/en_US]"
    ),
    f"{IPHONE} Mobile/22G100 Safari/604.1 MetaIAB Facebook",
    webview(GALAXY, " Instagram 398.0.0.45.86 Android (34/14; 420dpi; samsung; SM-S918B; IABMV/1)"),
    f"{IPHONE} Mobile/15E148 Instagram 398.0.0.31.74 (iPhone15,2; iOS 18_6; en_US; IABMV/1)",
    # The build of every phone with ColorOS 15 or OxygenOS 15
    webview(
        "Android 15; CPH2557 Build/AP3A.240617.008",
        " Instagram 406.0.0.58.159 Android (35/15; 480dpi; OPPO; CPH2557; IABMV/1)",
    ),
    webview("Android 15; CPH2665 Build/AP3A.240617.008"),
    webview(GALAXY, " [LinkedInApp]/4.1.1107"),
    f"{IPHONE} Mobile/15E148 [LinkedInApp]/9.31.2990",
    webview(
        GALAXY,
        " trill_400603 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/musical_ly"
        " app_version/40.6.3 ByteLocale/en Region/GB AppId/1233 BytedanceWebview/d8a21c6",
    ),
    f"{IPHONE} Mobile/15E148 musical_ly_40.5.0 BytedanceWebview/d8a21c6",
    webview(GALAXY, " Snapchat/13.55.0.42 (SM-S918B; Android 14#34; gzip; )"),
    f"{IPHONE} Mobile/15E148 Snapchat/13.55.0.42 (like Safari/8621.3.11.10.3, panda)",
    f"{IPHONE} GSA/391.0.824 Mobile/15E148 Safari/604.1",
    webview(GALAXY, " GSA/16.40.28.29.arm64"),
    webview(GALAXY, " MicroMessenger/8.0.56.2800(0x2800383A) WeChat/arm64 Weixin NetType/WIFI"),
    f"{IPHONE} Mobile/15E148 MicroMessenger/8.0.60(0x18003c2e) NetType/WIFI Language/en",
    webview(GALAXY, " Line/15.11.1/IAB"),
    f"{IPHONE} Mobile/15E148 Safari Line/15.11.1",
    webview(GALAXY, " [Pinterest/Android]"),
    f"{IPHONE} Mobile/15E148 [Pinterest/iOS]",
    webview(GALAXY, " TwitterAndroid"),
    f"{IPHONE} Mobile/15E148 Twitter for iPhone/11.20",
    webview(GALAXY, " Telegram-Android/11.4.2 (Samsung SM-S918B; Android 14; SDK 34; HIGH)"),
    webview(GALAXY, " Viber/25.1.0.0"),
    f"{IPHONE} Mobile/15E148 KAKAOTALK 25.7.1",
]

ODD_NAMES = [
    android("Android 11; CUBOT X30 Build/RP1A.200720.011"),
    android("Android 9; CUBOT_NOTE_S"),
    android("Android 10; Monitor TV"),
    android("Android 10; Test Phone 5"),
    android("Android 10; JavaScript One"),
    android("Android 10; Robotics Tab"),
    android("Android 12; Java J2"),
    android("Android 9; Widget 3"),
    android("Android 7.0; M bot 51 Build/NRD90M"),
    android("Android 5.1; Fever_Plus Build/LMY47D"),
    android("Android 8.1.0; Expanse Build/O11019"),
    "Mozilla/5.0 (Linux; U; Android 4.3; en-US; ViewSonic A8+ Build/JLS36C) AppleWebKit/534.30",
    "Mozilla/5.0 (Linux; U; Android 2.3.6; fr-fr; Cherry Sonic Build/GRK39F) AppleWebKit/533.1",
    android("Android 9; Example", " WhatsApp Business/2.24"),
    "WhatsApp/2.18.79 Android/5.1 Device/Meizu-MX5",
    f"{WINDOWS} {CHROME} baiduboxapp/0_0.4_diordna/7300008/EEB27",
    "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 HbbTV/1.6.1 (+DRM; LGE/BOTECH; W22;)",
    "Nokia6230/2.0 (04.43) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    android("Android 5.0.2; HTC Butterfly S Build/LRX22G"),
    f"{WINDOWS} {CHROME} Safari/537.36 Monitoring",
    f"{LINUX} {CHROME} Safari/537.36 (Curly)",
]


def test_our_own_command_stores_the_page_view_of_its_smoke_test() -> None:
    assert bot_kind(USER_AGENT) is None
    assert bot_kind("ppp/3.0.0") is None


def test_what_only_resembles_a_machine_is_a_person_where_its_browser_asks() -> None:
    program, crawler = "Example/1.0", "Mozilla/5.0 (compatible; Examplebot/1.0)"
    asks = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "accept-language": "de"}

    assert bot_kind(program) == "likely"
    assert bot_kind(program, asks.get) is None
    assert bot_kind(program, {**asks, "sec-fetch-mode": "everything"}.get) == "likely"
    # Crawlers that render pages do so in a browser.
    assert bot_kind(crawler, asks.get) == "named"


def test_a_headless_browser_that_calls_itself_another_says_so_in_its_hints() -> None:
    hints = {"sec-ch-ua": '"HeadlessChrome";v="142", "Not_A Brand";v="99"'}
    assert bot_kind(BROWSERS[0], hints.get) == "named"
    assert bot_kind(BROWSERS[0], {"sec-ch-ua": '"Chromium";v="142"'}.get) is None


@pytest.mark.parametrize("user_agent", [*CRAWLERS, *MONITORS, *AUTOMATION, *HTTP_CLIENTS])
def test_a_machine_that_names_itself_is_a_bot(user_agent: str) -> None:
    assert is_bot(user_agent)


@pytest.mark.parametrize("user_agent", [*BROWSERS, *IN_APP_BROWSERS])
def test_a_visitors_browser_is_no_bot(user_agent: str) -> None:
    assert not is_bot(user_agent)


@pytest.mark.parametrize("user_agent", ODD_NAMES)
def test_a_device_may_have_an_odd_name(user_agent: str) -> None:
    assert not is_bot(user_agent)


@pytest.mark.parametrize("user_agent", ["", " ", "Mozilla/5.0", "-"])
def test_one_that_says_nothing_is_no_bot(user_agent: str) -> None:
    assert not is_bot(user_agent)


def test_a_program_that_posts_events_of_its_own_does_not_browse() -> None:
    assert is_browsing_bot(CRAWLERS[0])
    assert is_browsing_bot(f"{LINUX} HeadlessChrome/142.0.0.0 Safari/537.36")
    for user_agent in (
        *("WordPress/6.4; https://shop.example", "GuzzleHttp/7", "axios/1.6", "okhttp/4.9"),
        *("Go-http-client/1.1", "Zapier", "HubSpot Connect 2.0", "python-requests/2.32", ""),
        *BROWSERS,
    ):
        assert not is_browsing_bot(user_agent), user_agent


@given(st.text(st.characters(codec=None, categories=None)))
def test_whatever_it_says_nothing_is_raised(user_agent: str) -> None:
    assert is_bot(f"{user_agent} HeadlessChrome/142.0.0.0")
    is_bot(user_agent)
