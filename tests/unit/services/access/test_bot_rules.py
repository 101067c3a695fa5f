import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.access.bot_rules import resembles_machine, says_machine, without_device

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/142.0.0.0 Safari/537.36"
)

# On no list: told by their form.
OUTRIGHT = [
    "Mozilla/5.0 (compatible; Examplebot/1.0)",
    "Mozilla/5.0 (compatible; Example-Index/0.1; +https://example.com/about)",
    f"{BROWSER} (https://example.com/our-study)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Example) Safari/537.36",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; Example/1.0",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (compatible; Example/1.0)",
    "crawler@example.com",
    "${jndi:ldap://a.example/x}",
    "<?php echo 1;",
]
SIGNS = [
    f"{BROWSER} ExampleScanner/2.0",
    "Mozilla/5.0 example/0.1",
    "Mozilla/5.0 (Example check)",
    "example-fetcher/1.0",
    "Example",
]
PERSONS = [
    "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)",
    "Mozilla/5.0 (compatible; Konqueror/4.5; Linux) KHTML/4.5 (like Gecko)",
    "Opera/9.80 (Android; Opera Mini/36.2; U; id) Presto/2.12.423 Version/12.16",
    "Nokia6230/2.0 (04.43) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    f"{BROWSER} CamScanner/4.5",
    *("", "-", "Mozilla/5.0"),
]


@pytest.mark.parametrize("user_agent", OUTRIGHT)
def test_some_say_outright_that_they_are_machines(user_agent: str) -> None:
    assert says_machine(user_agent)


@pytest.mark.parametrize("user_agent", SIGNS)
def test_a_task_or_nothing_but_a_name_is_a_sign_of_a_machine(user_agent: str) -> None:
    assert not says_machine(user_agent)
    assert resembles_machine(user_agent)


@pytest.mark.parametrize("user_agent", [BROWSER, *PERSONS])
def test_a_browser_has_neither(user_agent: str) -> None:
    assert not says_machine(user_agent)
    assert not resembles_machine(user_agent)


@pytest.mark.parametrize(
    ("user_agent", "rest"),
    [
        ("Mozilla/5.0 (Linux; Android 7.0; M bot 51) Apple", "Mozilla/5.0 (Linux; Android ) Apple"),
        ("(Linux; Android 9; Widget Build/X.1)", "(Linux; Android  Android )"),
        ("HbbTV/1.6.1 (+DRM; Example)", "Android )"),
        (BROWSER, BROWSER),
    ],
)
def test_names_of_devices_are_left_out(user_agent: str, rest: str) -> None:
    assert without_device(user_agent) == rest


@given(st.text(st.characters(codec=None, categories=None)))
def test_any_text_is_judged(user_agent: str) -> None:
    assert says_machine(f"{user_agent} https://a.example")
    resembles_machine(user_agent)


@pytest.mark.parametrize("part", ["Build/", "Android 1 ", "HbbTV/", "[FB", "bot", "a@", "(+", "{{"])
def test_a_long_one_costs_no_more_than_its_length(part: str) -> None:
    says_machine(part * 2_000)
    resembles_machine(part * 2_000)
