import json
from collections.abc import Callable

import pytest

from services.pipedrive.accounts import (
    DEFAULT_ACCOUNT,
    DEFAULT_URL,
    Account,
    Accounts,
    read_accounts,
    read_further_accounts,
)

TOKEN = "hunter2"  # noqa: S105  # opens nothing


def further_accounts(entries: object) -> Accounts:
    return read_further_accounts(json.dumps(entries))


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_there_is_no_account(token: str | None) -> None:
    assert read_accounts(token, "https://acme.pipedrive.com/api/v2") == {}


@pytest.mark.parametrize("url", [None, ""])
def test_a_token_alone_opens_the_default_account(url: str | None) -> None:
    assert read_accounts(TOKEN, url) == {DEFAULT_ACCOUNT: Account("default", DEFAULT_URL, TOKEN)}


@pytest.mark.parametrize("text", [None, ""])
def test_there_need_be_no_further_accounts(text: str | None) -> None:
    assert read_further_accounts(text) == {}


def test_further_accounts_have_names() -> None:
    entries = {
        "acme": {"api_key": TOKEN, "url": "https://acme.pipedrive.com/api/v2/"},
        "globex-2_eu": {"api_key": "other"},
    }
    assert further_accounts(entries) == {
        "acme": Account("acme", "https://acme.pipedrive.com/api/v2", TOKEN),
        "globex-2_eu": Account("globex-2_eu", DEFAULT_URL, "other"),
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://acme.pipedrive.com/api/v2",
        "https://acme.pipedrive.com",
        "https://localhost:8443/api/v2",
        "http://127.0.0.1:8787/api/v2",
        "http://localhost/api/v2",
    ],
)
def test_an_address_is_https_or_on_this_machine(url: str) -> None:
    assert read_accounts(TOKEN, url)[DEFAULT_ACCOUNT].url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://api.pipedrive.com/api/v2",
        "http://10.0.0.1/api/v2",
        "http://127.0.0.1.evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://localhost:80@evil.example/",
        "http://localhost.evil.example/",
        "https://user:hunter2@api.pipedrive.com/api/v2",
        "https://api.pipedrive.com/api/v2?api_token=hunter2",
        "https://api.pipedrive.com/api/v2#x",
        "https:///api/v2",
        "https://api.pipedrive.com/api v2",
        "https://api.pipedrive.com/api/v2\n",
        "HTTPS://api.pipedrive.com",
        "ftp://api.pipedrive.com",
        "api.pipedrive.com",
        "//api.pipedrive.com",
        "/api/v2",
    ],
)
@pytest.mark.parametrize(
    "read",
    [
        lambda url: read_accounts(TOKEN, url),
        lambda url: further_accounts({"default": {"api_key": TOKEN, "url": url}}),
    ],
)
def test_any_other_address_is_refused(url: str, read: Callable[[str], Accounts]) -> None:
    with pytest.raises(ValueError, match=r"^account default needs a url such as https://") as error:
        read(url)
    assert TOKEN not in str(error.value)


@pytest.mark.parametrize("text", [TOKEN, f'["{TOKEN}"]', f'{{"acme": "{TOKEN}"', '"x"', "null"])
def test_text_that_is_not_a_json_object_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a JSON object of accounts$"):
        read_further_accounts(text)


@pytest.mark.parametrize(
    "entry",
    [
        TOKEN,
        [TOKEN],
        None,
        {},
        {"api_key": ""},
        {"api_key": None},
        {"api_key": 5},
        {"api_key": [TOKEN]},
        {"token": TOKEN},
    ],
)
def test_an_account_without_a_key_is_refused_by_name(entry: object) -> None:
    with pytest.raises(ValueError, match=r"^account acme needs an api_key$"):
        further_accounts({"acme": entry})


@pytest.mark.parametrize("url", [5, ["https://api.pipedrive.com"], {"a": 1}])
def test_an_address_is_a_text(url: object) -> None:
    with pytest.raises(ValueError, match=r"^account acme needs a url"):
        further_accounts({"acme": {"api_key": TOKEN, "url": url}})


@pytest.mark.parametrize("name", ["", "Acme", "a b", "acme!", "x" * 41, "acme\n", "hunter2.key"])
def test_an_invalid_name_is_refused_and_not_shown(name: str) -> None:
    with pytest.raises(ValueError, match=r"^has an account whose name is not ") as error:
        further_accounts({name: {"api_key": TOKEN}})
    assert TOKEN not in str(error.value)


def test_an_account_never_shows_its_token() -> None:
    account = Account("acme", DEFAULT_URL, TOKEN)
    accounts = {"acme": account}
    assert repr(account) == str(account) == "Account('acme')"
    assert TOKEN not in f"{accounts} {accounts!r} {[account]}"


def test_a_token_in_place_of_a_name_is_not_shown() -> None:
    token = "0123456789" * 4
    with pytest.raises(ValueError, match="has an account whose name is not") as refused:
        read_further_accounts(json.dumps({token: {}}))
    assert token not in str(refused.value)
