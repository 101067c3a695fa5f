import json

import pytest

from services.projects.open_settings import MASK, without_secrets

FIELDS = {"utm_source": "0123456789abcdef0123456789abcdef01234567"}
SETTINGS = {
    "pipedrive_enabled": False,
    "pipedrive_account": "second",
    "pipedrive_fields": FIELDS,
    "retention_days": 300,
    "allowed_domains": ["Shop.example", "*.shop.example"],
    "respect_dnt": True,
}
OLD = {
    "colour": "red",
    "zapier": {"url": "https://hooks.example/1/abc", "on": True, "tries": 3, "x": None},
    "people": ["anna@shop.example", 7, ""],
    "api_pin": 4711,
    "allowed_domains": "s3cret",
    "pipedrive_account": "0123456789abcdef0123456789abcdef01234567",
}
OLD_SHOWN = {
    "colour": MASK,
    "zapier": {"url": MASK, "on": True, "tries": 3, "x": None},
    "people": [MASK, 7, ""],
    "api_pin": MASK,
    "allowed_domains": MASK,
    "pipedrive_account": MASK,
}


def test_settings_of_this_product_are_shown_and_of_others_no_text() -> None:
    configuration = {**SETTINGS, "legacy": OLD}
    expected = {**SETTINGS, "legacy": OLD_SHOWN}
    assert without_secrets({"data": [{"configuration": configuration}]}) == {
        "data": [{"configuration": expected}]
    }
    text = json.dumps(configuration)
    masked = json.dumps(expected, separators=(",", ":"))
    assert without_secrets([{"configuration": text}]) == [{"configuration": masked}]


@pytest.mark.parametrize(
    ("stored", "masked"),
    [
        (None, None),
        ("", ""),
        (" ", " "),
        ("{}", "{}"),
        ("broken token", MASK),
        ('"token"', f'"{MASK}"'),
        ('["token",1]', f'["{MASK}",1]'),
        ("null", "null"),
    ],
)
def test_any_stored_text_is_masked(stored: str | None, masked: str | None) -> None:
    assert without_secrets({"configuration": stored}) == {"configuration": masked}


def test_a_deep_value_is_masked_as_a_whole() -> None:
    value: object = "token"
    for _ in range(100):
        value = [value]
    assert "token" not in json.dumps(without_secrets({"configuration": {"a": value}}))


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("webhook_url", "https://hooks.example/1/abc", MASK),
        ("webhook_url", None, None),
        ("website_url", "https://shop.example/a", "https://shop.example/a"),
        ("website_url", "https://u:p@shop.example/a?preview=x#y", "https://shop.example/a"),
        ("website_url", None, None),
        ("name", "Shop key token", "Shop key token"),
        ("active", 1, 1),
    ],
)
def test_addresses_are_shown_without_what_opens_them(
    name: str, value: object, masked: object
) -> None:
    assert without_secrets({"pixels": [{name: value}]}) == {"pixels": [{name: masked}]}
