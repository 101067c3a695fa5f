"""The manifests of backups: each lists the parts of one backup and names the previous one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ops.backup.index import require_format

PartKind = Literal["walk", "changes", "whole", "deleted"]


@dataclass(frozen=True, slots=True)
class BackupPart:
    """One object of a backup: rows of one table as JSON lines, compressed."""

    key: str
    table: str
    kind: PartKind
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. `totals` are the row counts of the tables in the database behind it.

    `marker` holds the highest ids that it includes: `event`, `change` and `log`.
    """

    id: str
    kind: str
    migration: str
    previous: str | None
    started_at: str
    finished_at: str
    marker: Mapping[str, int]
    totals: Mapping[str, int]
    parts: Sequence[BackupPart]


def read_manifest(content: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ValueError: it is damaged, or of another format.
    """
    try:
        manifest = json.loads(content)
        require_format(manifest)
        return Manifest(
            **{name: manifest[name] for name in ("id", "kind", "migration", "previous")},
            **{name: manifest[name] for name in ("started_at", "finished_at", "marker")},
            totals={name: table["total"] for name, table in manifest["tables"].items()},
            parts=[_part(part) for part in manifest["parts"]],
        )
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from None


def _part(entry: Mapping[str, Any]) -> BackupPart:
    return BackupPart(**{field.name: entry[field.name] for field in fields(BackupPart)})
