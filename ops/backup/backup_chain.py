"""The chain of backups that a restore needs: a whole one, and the hourly ones after it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ops.backup.index import Backup
from ops.backup.manifests import Manifest, manifest_key, read_manifest
from ops.cloudflare.bucket_objects import fetch
from ops.cloudflare.target import Target
from ops.terminal.errors import OpsError


class BrokenBackupError(OpsError):
    """A backup cannot be restored; the message says what is wrong with which part of it."""


def ids_of_chain(backups: Sequence[Backup], backup_id: str) -> Sequence[str]:
    """The ids of a chain as the index knows them, the newest first."""
    previous = {each.id: each.previous for each in backups}
    ids: list[str] = []
    link: str | None = backup_id
    while link is not None and link not in ids:
        ids.append(link)
        link = previous.get(link)
    return ids


def read_chain(
    target: Target, backups: Sequence[Backup], backup_id: str, folder: Path
) -> Sequence[Manifest]:
    """The manifests of a chain, the oldest first.

    Raises:
        BrokenBackupError: one is missing or damaged.
        NoAnswerError: R2 does not answer.
    """
    found = _fetched(target, ids_of_chain(backups, backup_id), folder)
    chain: list[Manifest] = []
    link: str | None = backup_id
    while link is not None:
        if link in {each.id for each in chain}:
            raise BrokenBackupError(f"backup {link} goes on from itself: its manifest is damaged")
        if link not in found:
            # The index does not know it.
            found |= _fetched(target, [link], folder)
        chain.insert(0, _manifest(link, found[link], chain))
        link = chain[0].previous
    return chain


def _fetched(target: Target, ids: Iterable[str], folder: Path) -> dict[str, bytes | None]:
    keys = {manifest_key(each): each for each in ids}
    files = fetch(target, list(keys), folder)
    return {keys[key]: file.read_bytes() if file else None for key, file in files}


def _manifest(backup_id: str, content: bytes | None, after: Sequence[Manifest]) -> Manifest:
    key = manifest_key(backup_id)
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
