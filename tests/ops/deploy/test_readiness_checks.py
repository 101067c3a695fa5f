"""Backups, traffic and secrets: what else must be right before a deployment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ops.backup.index import Backup, BackupContents
from ops.deploy.check_verdict import Finding
from ops.deploy.readiness_checks import (
    SECRETS,
    judge_backup,
    judge_first,
    judge_secrets,
    judge_traffic,
)
from tests.ops.deploy.test_database_checks import BACKUP, HELD

NIGHT = datetime(2026, 11, 21, 3, tzinfo=UTC)
OPTIONS = "--env production"
UNVERIFIED = replace(BACKUP, id="20261121T040000Z-hourly", verified=False)


def judged(
    backups: Sequence[Backup] | None, held: BackupContents | None = HELD, hours: float = 2
) -> Finding:
    return judge_backup(
        backups,
        held,
        options=OPTIONS,
        environment="production",
        now=NIGHT + timedelta(hours=hours),
        most_hours=26,
    )


def test_a_fresh_verified_backup_is_told_with_its_age() -> None:
    found = judged([BACKUP])
    assert (found.verdict, found.why) == ("pass", f"{BACKUP.id}, 2 h 0 min old, 1,200 events")
    assert judged([BACKUP], hours=25.9).verdict == "pass"


def test_the_last_verified_one_counts_and_a_newer_unfinished_one_is_named() -> None:
    found = judged([UNVERIFIED, BACKUP])
    assert found.verdict == "pass"
    assert "20261121T040000Z-hourly is not verified" in found.why


@pytest.mark.parametrize(
    ("backups", "held", "hours", "why"),
    [
        (None, None, 2, "there is no backup"),
        ([], None, 2, "there is no backup"),
        ([UNVERIFIED], None, 2, "none of 1 backups is verified"),
        ([BACKUP], None, 2, f"the manifest of the backup {BACKUP.id} is missing"),
        ([BACKUP], HELD, 26.1, "too old (20261121T030000Z-full, 1 d 2 h old"),
        ([replace(BACKUP, environment="staging")], HELD, 2, "is of staging, not of production"),
    ],
)
def test_any_other_backup_stops_the_deployment(
    backups: Sequence[Backup] | None, held: BackupContents | None, hours: float, why: str
) -> None:
    found = judged(backups, held, hours)
    assert found.verdict == "fail"
    assert why in found.why
    assert found.next_step.startswith(("./ppp backup --env production", "mend the bucket"))


def test_the_first_deployment_is_one_without_backups() -> None:
    assert judge_first(None, options=OPTIONS).verdict == "pass"
    assert judge_first([UNVERIFIED], options=OPTIONS).verdict == "pass"
    found = judge_first([BACKUP], options=OPTIONS)
    assert (found.verdict, found.next_step) == ("fail", "./ppp deploy --env production, no --first")


def deployment(**shares: float) -> dict[str, object]:
    versions = [{"version_id": name, "percentage": share} for name, share in shares.items()]
    return {"id": "d", "versions": versions}


def test_traffic_is_with_one_version() -> None:
    assert judge_traffic(deployment(old=100), options=OPTIONS).why == "all of it goes to old"
    assert judge_traffic(None, options=OPTIONS).verdict == "pass"
    found = judge_traffic(deployment(new=10, old=90), options=OPTIONS)
    assert found.verdict == "fail"
    assert "10 % to new, 90 % to old" in found.why
    assert "./ppp rollback --env production" in found.next_step


def test_secrets_are_set_or_left_out_on_purpose() -> None:
    assert judge_secrets(SECRETS, SECRETS, (), options=OPTIONS).verdict == "pass"
    found = judge_secrets(SECRETS[:3], SECRETS, (), options=OPTIONS)
    assert (found.verdict, found.why) == ("fail", "not set: ALERT_WEBHOOK_URL")
    assert "npx wrangler secret put ALERT_WEBHOOK_URL --env production" in found.next_step
    found = judge_secrets(SECRETS[:3], SECRETS, ("ALERT_WEBHOOK_URL",), options=OPTIONS)
    assert found.verdict == "pass"
    assert "without ALERT_WEBHOOK_URL, as wanted" in found.why
