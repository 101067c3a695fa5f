"""What the inherited rows say: a digest of each old column, to be the same after every act."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

# By the order of their ids. Of visitors, sessions and projects what a new page view, or a cron run,
# is there to change is left out.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "tracking_events": ("*", "id <= :last_event"),
    "visitors": ("id, visitor_cookie, first_seen", "id LIKE 'visitor-%'"),
    "sessions": (
        "id, visitor_id, pixel_id, session_cookie, started_at, utm_source, utm_medium",
        "id LIKE 'session-%'",
    ),
    "pixels": ("id, project_id, name, website_url, active", "id = 'pixel-1-shop'"),
    "projects": ("id, name, webhook_url, active", "id = 'project-1'"),
}


def digest_columns(file: Path, inherited: int, old: Mapping[str, str]) -> Mapping[str, str]:
    """Return a SHA-256 of each column of the inherited rows, by `table.column`.

    Only columns that `old` has count, if it has any: later ones are not inherited.
    """
    digests: dict[str, str] = {}
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for table, (columns, condition) in COLUMNS.items():
            rows = database.execute(
                f"SELECT {columns} FROM {table} WHERE {condition} ORDER BY id",  # noqa: S608
                {"last_event": inherited},
            )
            names = [f"{table}.{column[0]}" for column in rows.description]
            hashes = [hashlib.sha256() for _ in names]
            for row in rows:
                for value, digest in zip(row, hashes, strict=True):
                    digest.update(repr(value).encode() + b"\n")
            digests |= {
                name: digest.hexdigest() for name, digest in zip(names, hashes, strict=True)
            }
    return {name: digest for name, digest in digests.items() if not old or name in old}


def changed_columns(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the columns that say something else, or are gone."""
    return [name for name, digest in old.items() if new.get(name) != digest]
