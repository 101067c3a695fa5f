import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.tracking.user_agents import Client, describe_client

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
PHONE = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
WEBVIEW = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv) AppleWebKit/537.36"
    " (KHTML, like Gecko) Version/4.0 Chrome/142.0.7444.142 Mobile Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko)"
)
IPAD = "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        (
            f"{WINDOWS} Chrome/142.0.0.0 Safari/537.36",
            Client("Chrome", "142.0", "Windows", "10", "desktop"),
        ),
        (
            f"{WINDOWS} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            Client("Edge", "142.0", "Windows", "10", "desktop"),
        ),
        (
            f"{WINDOWS} Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0",
            Client("Opera", "125.0", "Windows", "10", "desktop"),
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            Client("Firefox", "145.0", "Windows", "10", "desktop"),
        ),
        (
            f"{MAC} Version/18.6 Safari/605.1.15",
            Client("Safari", "18.6", "Mac OS X", "10.15", "desktop"),
        ),
        (
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Chrome/142.0.0.0 Safari/537.36"
            ),
            Client("Chrome", "142.0", "Linux", None, "desktop"),
        ),
        (
            f"{IPHONE} Version/18.6 Mobile/15E148 Safari/604.1",
            Client("Mobile Safari", "18.6", "iOS", "18.6", "mobile"),
        ),
        (
            f"{IPAD} Version/18.6 Mobile/15E148 Safari/604.1",
            Client("Mobile Safari", "18.6", "iOS", "18.6", "tablet"),
        ),
        (
            f"{IPHONE} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
            Client("Chrome Mobile iOS", "142.0", "iOS", "18.6", "mobile"),
        ),
        (
            f"{PHONE} Chrome/142.0.0.0 Mobile Safari/537.36",
            Client("Chrome Mobile", "142.0", "Android", "10", "mobile"),
        ),
        (
            f"{PHONE} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
            Client("Samsung Internet", "29.0", "Android", "10", "mobile"),
        ),
        (
            "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0",
            Client("Firefox Mobile", "145.0", "Android", "15", "mobile"),
        ),
        (
            (
                "Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko)"
                " Silk/138.4.2 like Chrome/138.0.7204.180 Safari/537.36"
            ),
            Client("Amazon Silk", "138.4", "Android", "11", "tablet"),
        ),
        (
            f"{IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/530.0.0.44.70;FBSN/iOS;FBSV/18.6]",
            Client("Facebook", "530.0", "iOS", "18.6", "mobile"),
        ),
        (
            f"{WEBVIEW} [FB_IAB/FB4A;FBAV/530.0.0.48.74;]",
            Client("Facebook", "530.0", "Android", "14", "mobile"),
        ),
    ],
)
def test_a_browser_and_its_system_are_known(user_agent: str, client: Client) -> None:
    assert describe_client(user_agent) == client


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/142.0.0.0 Safari/537.36"
        ),
        f"{MAC} Chrome/142.0.0.0 Safari/537.36",
    ],
)
def test_a_computer_is_a_desktop(user_agent: str) -> None:
    assert describe_client(user_agent).device_type == "desktop"


@pytest.mark.parametrize(
    "user_agent",
    [
        WEBVIEW,
        f"{IPHONE} GSA/391.0.824 Mobile/15E148 Safari/604.1",
        (
            "Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950)"
            " AppleWebKit/537.36 (KHTML, like Gecko) Chrome/52.0.2743.116 Mobile Safari/537.36"
            " Edge/15.15254"
        ),
        (
            "Mozilla/5.0 (BB10; Touch) AppleWebKit/537.10+ (KHTML, like Gecko) Version/10.0.9.2372"
            " Mobile Safari/537.10+"
        ),
    ],
)
def test_a_phone_is_mobile(user_agent: str) -> None:
    assert describe_client(user_agent).device_type == "mobile"


@pytest.mark.parametrize(
    "app",
    [
        "Instagram 398.0.0.45.86 Android (34/14; 420dpi; samsung; SM-S918B; IABMV/1)",
        "Snapchat/13.55.0.42 (SM-S918B; Android 14#34; gzip; )",
        "[Pinterest/Android]",
        "TwitterAndroid",
        "Telegram-Android/11.4.2 (Samsung SM-S918B; Android 14; SDK 34; HIGH)",
    ],
)
def test_an_app_that_says_android_once_more_is_still_on_a_phone(app: str) -> None:
    assert describe_client(f"{WEBVIEW} {app}").device_type == "mobile"


@pytest.mark.parametrize(
    "user_agent",
    [
        (
            "Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/142.0.0.0 Safari/537.36"
        ),
        "Mozilla/5.0 (Android 15; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0",
        f"{IPAD} CriOS/142.0.7444.46 Mobile/15E148 Safari/604.1",
        f"{IPAD} Mobile/15E148 [FBAN/FBIOS;FBDV/iPad13,1;FBSN/iPadOS]",
        (
            "Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; KFTT Build/IML74K) AppleWebKit/535.19"
            " (KHTML, like Gecko) Silk/3.68 like Chrome/39.0.2171.93 Safari/535.19"
        ),
    ],
)
def test_a_tablet_is_a_tablet(user_agent: str) -> None:
    assert describe_client(user_agent).device_type == "tablet"


@pytest.mark.parametrize("rubbish", ["", " ", "-", "Mozilla/5.0", "\x00\ud83d", "(((", "x" * 1_000])
def test_rubbish_is_an_unknown_browser_on_a_desktop(rubbish: str) -> None:
    assert describe_client(rubbish) == Client(None, None, None, None, "desktop")


@given(st.text(st.characters(codec=None, categories=None)))
@settings(deadline=None)
def test_whatever_it_says_nothing_is_raised(user_agent: str) -> None:
    assert describe_client(user_agent).device_type in {"desktop", "mobile", "tablet"}
