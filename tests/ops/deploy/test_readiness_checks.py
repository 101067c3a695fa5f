"""Backups, traffic and secrets: what else must be right before a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from config import setting_problems
from ops.backup.index import Backup, BackupContents
from ops.deploy.check_result import CheckResult
from ops.deploy.readiness_checks import (
    SECRETS,
    check_backup,
    check_first_deployment,
    check_secrets,
    check_settings,
    check_traffic,
)
from tests.ops.deploy.test_database_checks import BACKUP, CONTENTS

NIGHT = datetime(2026, 11, 21, 3, tzinfo=UTC)
OPTIONS = "--env production"
UNVERIFIED = replace(BACKUP, id="20261121T040000Z-hourly", verified=False)


def checked(
    backups: Sequence[Backup] | None, contents: BackupContents | None = CONTENTS, hours: float = 2
) -> CheckResult:
    return check_backup(
        backups,
        contents,
        options=OPTIONS,
        environment="production",
        now=NIGHT + timedelta(hours=hours),
        max_hours=26,
    )


def test_a_fresh_verified_backup_is_told_with_its_age() -> None:
    result = checked([BACKUP])
    assert (result.verdict, result.reason) == ("pass", f"{BACKUP.id}, 2 h 0 min old, 1,200 events")
    assert checked([BACKUP], hours=25.9).verdict == "pass"


def test_the_last_verified_one_counts_and_a_newer_unfinished_one_is_named() -> None:
    result = checked([UNVERIFIED, BACKUP])
    assert result.verdict == "pass"
    assert "20261121T040000Z-hourly is not verified" in result.reason


@pytest.mark.parametrize(
    ("backups", "contents", "hours", "reason"),
    [
        (None, None, 2, "there is no backup"),
        ([], None, 2, "there is no backup"),
        ([UNVERIFIED], None, 2, "none of 1 backups is verified"),
        ([BACKUP], None, 2, f"the manifest of the backup {BACKUP.id} is missing"),
        ([BACKUP], CONTENTS, 26.1, "too old (20261121T030000Z-full, 1 d 2 h old"),
        ([replace(BACKUP, environment="staging")], CONTENTS, 2, "is of staging, not of production"),
    ],
)
def test_any_other_backup_stops_the_deployment(
    backups: Sequence[Backup] | None, contents: BackupContents | None, hours: float, reason: str
) -> None:
    result = checked(backups, contents, hours)
    assert result.verdict == "fail"
    assert reason in result.reason
    assert result.next_step.startswith(("./ppp backup --env production", "mend the bucket"))


def checked_as_first(*backups: Backup, is_over_another_worker: bool = False) -> CheckResult:
    return check_first_deployment(
        backups, is_over_another_worker=is_over_another_worker, options=OPTIONS
    )


def test_the_first_deployment_is_one_over_a_worker_that_makes_no_backups() -> None:
    assert checked_as_first().verdict == "pass"
    assert checked_as_first(UNVERIFIED).verdict == "pass"
    again = checked_as_first(BACKUP, is_over_another_worker=True)
    assert again.verdict == "pass"
    assert f"{BACKUP.id} is the last" in again.reason
    result = checked_as_first(BACKUP)
    assert (result.verdict, result.next_step) == (
        "fail",
        "./ppp deploy --env production, no --first",
    )


def deployment(**shares: float) -> dict[str, object]:
    versions = [{"version_id": name, "percentage": share} for name, share in shares.items()]
    return {"id": "d", "versions": versions}


def test_traffic_is_with_one_version() -> None:
    assert check_traffic(deployment(old=100), options=OPTIONS).reason == "all of it goes to old"
    assert check_traffic(None, options=OPTIONS).verdict == "pass"
    result = check_traffic(deployment(new=10, old=90), options=OPTIONS)
    assert result.verdict == "fail"
    assert "10 % to new, 90 % to old" in result.reason
    assert "./ppp rollback --env production" in result.next_step


def test_secrets_are_set_or_left_out_on_purpose() -> None:
    assert check_secrets(SECRETS, SECRETS, (), options=OPTIONS).verdict == "pass"
    result = check_secrets(SECRETS[:3], SECRETS, (), options=OPTIONS)
    assert (result.verdict, result.reason) == ("fail", "not set: ALERT_WEBHOOK_URL")
    assert "npx wrangler secret put ALERT_WEBHOOK_URL --env production" in result.next_step
    result = check_secrets(SECRETS[:3], SECRETS, ("ALERT_WEBHOOK_URL",), options=OPTIONS)
    assert result.verdict == "pass"
    assert "without ALERT_WEBHOOK_URL, as wanted" in result.reason


def test_a_key_that_is_a_plain_var_forbids_a_deployment_and_other_vars_are_named() -> None:
    for secrets in (SECRETS[1:], SECRETS):
        result = check_secrets(
            secrets, SECRETS, SECRETS, options=OPTIONS, plain_variables=["API_KEYS", "REGION"]
        )
        assert result.verdict == "fail"
        assert result.reason == "plain vars of the Worker that serves, no secrets: API_KEYS"
        assert "docs/upgrade.md#keys-that-are-no-secrets" in result.next_step
    result = check_secrets(SECRETS, SECRETS, (), options=OPTIONS, plain_variables=["REGION", "X"])
    assert result.verdict == "pass"
    assert "takes away the vars REGION, X, which only" in result.reason


def test_a_wrong_setting_forbids_a_deployment_and_names_it() -> None:
    result = check_settings(["LOG_LEVEL must be one of debug, info, warn, error"])
    assert result.verdict == "fail"
    assert result.reason.startswith("misconfigured: LOG_LEVEL must be one of")
    assert "wrangler.toml" in result.next_step


def test_keys_of_the_old_format_are_told_and_forbid_nothing() -> None:
    problems = setting_problems({"API_KEYS": "plain-key-one,plain-key-two"}.get)
    result = check_settings(problems)
    assert result.verdict == "pass"
    assert result.reason.startswith("API_KEYS has the old format")
    assert "plain-key" not in result.reason
    assert check_settings([]).verdict == "pass"


def test_keys_with_another_mark_between_them_are_named() -> None:
    uuid = "11111111-2222-4333-8444-555555555555"
    result = check_settings(setting_problems({"API_KEYS": f"{uuid};{uuid}"}.get))
    assert result.verdict == "fail"
    assert "must have commas or line ends between its keys" in result.reason
    assert uuid not in result.reason
