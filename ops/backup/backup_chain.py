"""The chain of backups that a restore needs: a full one, and the hourly ones after it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ops.backup.index import Backup, backup_manifest_key
from ops.backup.manifests import Manifest, read_manifest
from ops.cloudflare.bucket_objects import fetch
from ops.cloudflare.target import Target
from ops.terminal.errors import OpsError


class BrokenBackupError(OpsError):
    """A backup cannot be restored; the message names the damaged part."""


def chain_ids(backups: Sequence[Backup], backup_id: str) -> Sequence[str]:
    """Return the ids of the chain that ends with a backup, by the index, the newest first."""
    previous = {backup.id: backup.previous for backup in backups}
    ids: list[str] = []
    next_id: str | None = backup_id
    while next_id is not None and next_id not in ids:
        ids.append(next_id)
        next_id = previous.get(next_id)
    return ids


def read_chain(
    target: Target, backups: Sequence[Backup], backup_id: str, folder: Path
) -> Sequence[Manifest]:
    """Fetch the manifests of the chain that ends with a backup, the oldest first.

    Raises:
        BrokenBackupError: one is missing or damaged.
        NoAnswerError: R2 does not answer.
    """
    contents = _fetch_manifests(target, chain_ids(backups, backup_id), folder)
    chain: list[Manifest] = []
    next_id: str | None = backup_id
    while next_id is not None:
        if next_id in {manifest.id for manifest in chain}:
            raise BrokenBackupError(
                f"backup {next_id} goes on from itself: its manifest is damaged"
            )
        if next_id not in contents:
            # It is not in the index.
            contents |= _fetch_manifests(target, [next_id], folder)
        chain.insert(0, _checked_manifest(next_id, contents[next_id], chain))
        next_id = chain[0].previous
    return chain


def highest_events(target: Target, ids: Sequence[str], folder: Path) -> Mapping[str, int]:
    """Read the highest event id in each backup, of those whose manifest can be read.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    highest: dict[str, int] = {}
    for backup_id, content in _fetch_manifests(target, ids, folder).items():
        try:
            highest[backup_id] = read_manifest(content or b"").marker["event"]
        except (ValueError, LookupError):
            continue
    return highest


def _fetch_manifests(target: Target, ids: Iterable[str], folder: Path) -> dict[str, bytes | None]:
    keys = {backup_manifest_key(backup_id): backup_id for backup_id in ids}
    files = fetch(target, list(keys), folder)
    return {keys[key]: file.read_bytes() if file else None for key, file in files}


def _checked_manifest(backup_id: str, content: bytes | None, after: Sequence[Manifest]) -> Manifest:
    key = backup_manifest_key(backup_id)
    needed = f", from which backup {after[0].id} goes on" if after else ""
    if content is None:
        raise BrokenBackupError(f"{key} is missing{needed}: the backup was deleted or never ended")
    try:
        manifest = read_manifest(content)
    except ValueError as error:
        raise BrokenBackupError(f"{key}{needed} cannot be read ({error}): it is damaged") from None
    if manifest.id != backup_id:
        raise BrokenBackupError(f"{key}{needed} is the manifest of {manifest.id}: it is damaged")
    if manifest.kind == "hourly" and manifest.previous is None:
        raise BrokenBackupError(f"{key} does not say from which backup it goes on: it is damaged")
    return manifest
