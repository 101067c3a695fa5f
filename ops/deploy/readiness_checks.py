"""What facts beside the database mean for a deployment: backups, traffic and secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from ops.backup.index import Backup, BackupContents, newest_verified
from ops.cloudflare.versions import shares_of, whole_version
from ops.deploy.check_verdict import Finding, failed, passed
from ops.terminal.output import HOUR, spoken

NO_BACKUPS = "docs/runbook.md#there-is-no-fresh-backup"
# What a Worker of ours cannot do its whole work without.
SECRETS = ("API_KEYS", "PIPEDRIVE_API_KEY", "PIPEDRIVE_FIELDS", "ALERT_WEBHOOK_URL")


def judge_backup(
    backups: Sequence[Backup] | None,
    held: BackupContents | None,
    *,
    options: str,
    environment: str,
    now: datetime,
    most_hours: float,
) -> Finding:
    """Whether the last backup is of this environment, verified, readable and fresh."""
    make = f"./ppp backup {options}"
    last = newest_verified(backups)
    if not backups:
        return failed(
            "there is no backup",
            f"{make}; over a Worker that makes none yet: --first ({NO_BACKUPS})",
        )
    if last is None or last.finished_at is None:
        return failed(f"none of {len(backups)} backups is verified", f"{make} ({NO_BACKUPS})")
    if last.environment != environment:
        return failed(
            f"the backup {last.id} is of {last.environment}, not of {environment}",
            "mend the bucket of BACKUPS in wrangler.toml",
        )
    if held is None:
        return failed(f"the manifest of the backup {last.id} is missing", f"{make} ({NO_BACKUPS})")
    age = (now - last.finished_at).total_seconds()
    newer = "" if backups[0] is last else f"; {backups[0].id} is not verified"
    said = f"{last.id}, {spoken(age)} old, {last.events:,} events{newer}"
    if age > most_hours * HOUR:
        return failed(
            f"the last verified backup is too old ({said}, allowed are {most_hours:g} h): "
            "the nightly one did not run",
            f"{make} ({NO_BACKUPS})",
        )
    return passed(said)


def judge_first(backups: Sequence[Backup] | None, *, options: str) -> Finding:
    """Whether it can be true that no backup of ours exists yet."""
    last = newest_verified(backups)
    if last is None:
        return passed("none yet: the deployment exports the database first")
    return failed(
        f"there are backups, {last.id} is the last", f"./ppp deploy {options}, no --first"
    )


def judge_traffic(deployment: Mapping[str, Any] | None, *, options: str) -> Finding:
    """Whether one version has all traffic, so that it is clear where to go back to."""
    if deployment is None:
        return passed("no Worker is there yet, so there is none to go back to")
    whole = whole_version(deployment)
    if whole:
        return passed(f"all of it goes to {whole}")
    shares = shares_of(deployment).items()
    split = ", ".join(f"{share:g} % to {version}" for version, share in shares)
    return failed(
        f"a deployment is half-way: {split}", f"./ppp rollback {options}, or finish it by hand"
    )


def judge_secrets(
    there: Collection[str], needed: Collection[str], without: Collection[str], *, options: str
) -> Finding:
    """Whether the secrets are set, by their names."""
    missing = [name for name in needed if name not in there and name not in without]
    skipped_rows = [name for name in needed if name not in there and name in without]
    if missing:
        return failed(
            f"not set: {', '.join(missing)}",
            f"npx wrangler secret put {missing[0]} {options} (README, Deploy); "
            f"if that is wanted: --without {missing[0]}",
        )
    kept = ", ".join(name for name in needed if name in there)
    return passed(
        f"{kept} set" + (f"; without {', '.join(skipped_rows)}, as wanted" if skipped_rows else "")
    )
