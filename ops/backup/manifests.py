"""What backups say about themselves in R2: the manifest of each, and the chain that it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from ops.backup.index import FORMAT

PartKind = Literal["walk", "changes", "whole", "deleted"]


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a backup."""

    key: str
    table: str
    kind: PartKind
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup. `totals` are the rows of every table in the database that it was made of.

    `marker` says how far it reaches: the highest `event`, `change` and `log`.
    """

    id: str
    kind: str
    migration: str
    previous: str | None
    started_at: str
    finished_at: str
    marker: Mapping[str, int]
    totals: Mapping[str, int]
    parts: Sequence[Part]


def manifest_key(backup_id: str) -> str:
    """Where a backup's manifest lies."""
    return f"backups/{backup_id}/manifest.json"


def read_manifest(content: bytes) -> Manifest:
    """Reads what lies there.

    Raises:
        ValueError: it is no manifest of this format.
    """
    said = json.loads(content)
    try:
        if said["format"] != FORMAT:
            raise ValueError(f"it has format {said['format']}, this code reads {FORMAT}")
        return Manifest(
            **{each: said[each] for each in ("id", "kind", "migration", "previous")},
            **{each: said[each] for each in ("started_at", "finished_at", "marker")},
            totals={name: table["total"] for name, table in said["tables"].items()},
            parts=[_part(each) for each in said["parts"]],
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from None


def _part(said: Mapping[str, Any]) -> Part:
    return Part(**{each.name: said[each.name] for each in fields(Part)})
