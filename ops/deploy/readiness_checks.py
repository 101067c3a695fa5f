"""Checks before a deployment beside the database: backups, traffic and secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from config import unusable
from ops.backup.index import Backup, BackupContents, newest_verified
from ops.cloudflare.versions import sole_version, traffic_shares
from ops.deploy.check_result import CheckResult, failed, passed
from ops.terminal.output import HOUR, format_duration

NO_BACKUPS_HELP = "docs/runbook.md#there-is-no-fresh-backup"
# The Worker starts without them, but does not do all of its work.
SECRETS = ("API_KEYS", "PIPEDRIVE_API_KEY", "PIPEDRIVE_FIELDS", "ALERT_WEBHOOK_URL")


def check_backup(
    backups: Sequence[Backup] | None,
    contents: BackupContents | None,
    *,
    options: str,
    environment: str,
    now: datetime,
    max_hours: float,
) -> CheckResult:
    """Check that the last backup is of this environment, verified, readable and fresh."""
    backup_command = f"./ppp backup {options}"
    last = newest_verified(backups)
    if not backups:
        return failed(
            "there is no backup",
            f"{backup_command}; over a Worker that makes none yet: --first ({NO_BACKUPS_HELP})",
        )
    if last is None or last.finished_at is None:
        return failed(
            f"none of {len(backups)} backups is verified", f"{backup_command} ({NO_BACKUPS_HELP})"
        )
    if last.environment != environment:
        return failed(
            f"the backup {last.id} is of {last.environment}, not of {environment}",
            "mend the bucket of BACKUPS in wrangler.toml",
        )
    if contents is None:
        return failed(
            f"the manifest of the backup {last.id} is missing",
            f"{backup_command} ({NO_BACKUPS_HELP})",
        )
    age = (now - last.finished_at).total_seconds()
    newer = "" if backups[0] is last else f"; {backups[0].id} is not verified"
    summary = f"{last.id}, {format_duration(age)} old, {last.events:,} events{newer}"
    if age > max_hours * HOUR:
        return failed(
            f"the last verified backup is too old ({summary}, allowed are {max_hours:g} h): "
            "the nightly one did not run",
            f"{backup_command} ({NO_BACKUPS_HELP})",
        )
    return passed(summary)


def check_first_deployment(
    backups: Sequence[Backup] | None, *, is_over_another_worker: bool, options: str
) -> CheckResult:
    """Check that the Worker that serves makes no backups, as --first says."""
    last = newest_verified(backups)
    if last is None:
        return passed("none yet: the deployment exports the database first")
    if is_over_another_worker:
        return passed(
            f"{last.id} is the last, and the Worker that serves makes none: "
            "the deployment exports the database first"
        )
    return failed(
        f"there are backups, {last.id} is the last", f"./ppp deploy {options}, no --first"
    )


def check_traffic(deployment: Mapping[str, Any] | None, *, options: str) -> CheckResult:
    """Check that one version has all traffic, so that a rollback has one destination."""
    if deployment is None:
        return passed("no Worker is there yet, so there is none to go back to")
    version = sole_version(deployment)
    if version:
        return passed(f"all of it goes to {version}")
    shares = traffic_shares(deployment).items()
    split = ", ".join(f"{share:g} % to {version}" for version, share in shares)
    return failed(
        f"a deployment is half-way: {split}", f"./ppp rollback {options}, or finish it by hand"
    )


def check_settings(problems: Sequence[str]) -> CheckResult:
    """Check that every setting can be used; keys of the old format can, and should be replaced."""
    wrong = unusable(problems)
    if wrong:
        return failed(
            f"misconfigured: {'; '.join(wrong)} (a safe default is used, or the job waits)",
            "correct it in wrangler.toml, or a secret with npx wrangler secret put",
        )
    return passed("; ".join(problems) or "every setting that can be read here can be used")


def check_secrets(
    existing: Collection[str],
    required: Collection[str],
    optional: Collection[str],
    *,
    options: str,
    plain_variables: Collection[str] = (),
) -> CheckResult:
    """Check that every required secret exists that is not given with --without.

    `plain_variables` are the vars of the Worker that serves that are no secrets and that this
    checkout does not set: a deployment takes them away.
    """
    plain = [name for name in required if name in plain_variables]
    if plain:
        # A secret of that name is refused (10053), and this deployment takes the var away.
        return failed(
            f"plain vars of the Worker that serves, no secrets: {', '.join(plain)}",
            "make secrets of them first, or nobody's key opens anything after the deployment: "
            "docs/upgrade.md#keys-that-are-no-secrets",
        )
    absent = [name for name in required if name not in existing]
    missing = [name for name in absent if name not in optional]
    omitted = [name for name in absent if name in optional]
    if missing:
        return failed(
            f"not set: {', '.join(missing)}",
            f"npx wrangler secret put {missing[0]} {options} (README, Deploy); "
            f"if that is wanted: --without {missing[0]}",
        )
    present = ", ".join(name for name in required if name in existing)
    notes = [
        f"; without {', '.join(omitted)}, as wanted" if omitted else "",
        f"; the deployment takes away the vars {', '.join(plain_variables)}, which only the "
        "checkout of the way back can bring again (docs/upgrade.md, step 2)"
        if plain_variables
        else "",
    ]
    return passed(f"{present} set{''.join(notes)}")
