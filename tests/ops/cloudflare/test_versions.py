"""Versions of the Worker, as Cloudflare and wrangler tell of them."""

from __future__ import annotations

import pytest

from ops.cloudflare.account import Account, choose_account
from ops.cloudflare.versions import sole_version, traffic_shares, version_override
from ops.commands.rollback import earlier_version
from ops.terminal.errors import WrongUsageError


def deployment(**shares: float) -> dict[str, object]:
    versions = [{"version_id": name, "percentage": share} for name, share in shares.items()]
    return {"id": "d", "created_on": "2026-11-21T15:00:00Z", "versions": versions}


def test_a_request_names_the_version_that_shall_answer() -> None:
    assert version_override("ppp-pixel", "a-b-c") == {
        "Cloudflare-Workers-Version-Overrides": 'ppp-pixel="a-b-c"'
    }


def test_a_split_deployment_has_no_whole_version() -> None:
    assert sole_version(deployment(old=100)) == "old"
    assert sole_version(deployment(new=0, old=100)) is None
    assert traffic_shares(deployment(new=10, old=90)) == {"new": 10, "old": 90}
    assert sole_version(None) is None


def test_back_goes_to_the_last_version_that_had_everything() -> None:
    history = [deployment(new=100), deployment(new=50, old=50), deployment(old=100)]
    assert earlier_version(history) == "old"
    assert earlier_version(history[1:]) == "old"
    assert earlier_version([deployment(old=100), *history[1:], deployment(older=100)]) == "older"
    assert earlier_version([deployment(new=100)]) is None
    assert earlier_version([]) is None


def test_back_goes_behind_the_versions_that_changed_secrets_made() -> None:
    secret = {"annotations": {"workers/triggered_by": "secret"}}
    twice = [deployment(b=100) | secret, deployment(a=100) | secret, deployment(new=100)]
    assert earlier_version([*twice, deployment(old=100)]) == "old"
    assert earlier_version(twice) is None
    # The code before had a secret changed as well: its last version is the one that worked.
    assert earlier_version([*twice, deployment(d=100) | secret, deployment(old=100)]) == "d"


ONE, TWO = Account("1", "one"), Account("2", "two")


def test_one_account_is_the_account_and_of_several_one_is_chosen() -> None:
    assert choose_account([ONE], None) == ONE
    assert choose_account([ONE, TWO], "2") == TWO


@pytest.mark.parametrize(
    ("accounts", "chosen", "remedy"),
    [
        ([ONE, TWO], None, r"export CLOUDFLARE_ACCOUNT_ID=… \(one \(1\), two \(2\)\)"),
        ([ONE], "2", "does not open the account 2"),
        ([], None, "does not open"),
    ],
)
def test_no_account_is_assumed(accounts: list[Account], chosen: str | None, remedy: str) -> None:
    with pytest.raises(WrongUsageError, match=remedy):
        choose_account(accounts, chosen)
