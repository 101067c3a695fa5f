"""Backups of a SQLite database as the Worker writes them, for tests of what reads them."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ops.backup.manifests import BackupPart, Manifest, PartKind, read_manifest
from paths import NODE_BIN, ROOT, tool_environment
from services.core.ndjson_parts import pack

GROWING = ("tracking_events", "sessions", "visitors", "system_logs")
EXCLUDED_TABLES = ("backups", "row_changes", "metadata")
BUCKET = "ppp-pixel-backups-local"
Objects = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Written:
    """A backup: its manifest, its line of the index, and its objects by key."""

    manifest: Manifest
    entry: Mapping[str, object]
    objects: Objects


def write_backup(
    database: sqlite3.Connection,
    backup_id: str,
    previous: Written | None = None,
    rows_of_a_part: int = 1_000,
) -> Written:
    """A whole backup, or the changes since `previous`."""
    database.row_factory = sqlite3.Row
    marker = _marker(database)
    parts: list[BackupPart] = []
    objects: Objects = {}

    def put(table: str, kind: PartKind, lines: Sequence[str]) -> None:
        for start in range(0, len(lines), rows_of_a_part):
            packed = pack(lines[start : start + rows_of_a_part])
            key = f"backups/{backup_id}/{len(parts) + 1:05}-{table}.ndjson.gz"
            size = len(packed.content)
            parts.append(BackupPart(key, table, kind, packed.rows, size, packed.sha256))
            objects[key] = packed.content

    if previous is None:
        for table in GROWING:
            put(table, "walk", [*_lines(database, f"SELECT * FROM {table}")])
    else:
        for table, kind, lines in _changes(database, previous.manifest.marker):
            put(table, kind, lines)
    tables = [name for name in _tables(database) if name not in EXCLUDED_TABLES]
    for table in tables:
        if table not in GROWING:
            put(table, "whole", [*_lines(database, f"SELECT * FROM {table}")])
    [migration] = database.execute("SELECT max(name) FROM d1_migrations").fetchone()
    finished = _time_of(backup_id)
    summary = {
        "format": 1,
        "id": backup_id,
        "kind": backup_id.rpartition("-")[2],
        "label": None,
        "environment": "development",
        "migration": migration,
        "base": (previous.entry["base"] or previous.manifest.id) if previous else None,
        "previous": previous.manifest.id if previous else None,
        "finished_at": finished,
        "verified_at": finished,
        "rows": sum(part.rows for part in parts),
        "bytes": sum(part.bytes for part in parts),
    }
    counts = {
        table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables
    }
    manifest = {
        **summary,
        "started_at": finished,
        "since": None,
        "marker": marker,
        "tables": {table: {"rows": 0, "total": total} for table, total in counts.items()},
        "parts": [asdict(part) for part in parts],
    }
    content = json.dumps(manifest).encode()
    objects[f"backups/{backup_id}/manifest.json"] = content
    entry = {**summary, "events": counts["tracking_events"]}
    return Written(read_manifest(content), entry, objects)


def index_of(*backups: Written) -> Objects:
    """The index of backups, the newest first."""
    index = {"format": 1, "backups": [backup.entry for backup in backups]}
    return {"backups/index.json": json.dumps(index).encode()}


def store(storage: Path, folder: Path, objects: Objects, deleted: Sequence[str] = ()) -> None:
    """Puts objects into the local bucket of a storage, and takes others out."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, (key, content) in enumerate(objects.items()):
        files[key] = str(folder / f"object-{number}")
        Path(files[key]).write_bytes(content)
    bucket = {"binding": "BACKUPS", "bucket_name": BUCKET}
    config = {"name": "ppp", "compatibility_date": "2026-11-01", "r2_buckets": [bucket]}
    (folder / "config.json").write_text(json.dumps(config))
    request = {"config": str(folder / "config.json"), "persist": str(storage / "v3")}
    (folder / "asked.json").write_text(json.dumps({**request, "put": files, "gone": list(deleted)}))
    script = ROOT / "tests" / "harness" / "put_objects.mjs"
    subprocess.run(
        [NODE_BIN / "node", script, folder / "asked.json"],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        check=True,
    )


def _marker(database: sqlite3.Connection) -> dict[str, int]:
    def highest(column: str, table: str) -> int:
        # Before migration 0022 there are no changes to read.
        exists = table in _tables(database)
        highest_row = (
            database.execute(f"SELECT max({column}) FROM {table}").fetchone() if exists else (0,)
        )
        return int(highest_row[0] or 0)

    return {
        "event": highest("id", "tracking_events"),
        "change": highest("seq", "row_changes"),
        "log": highest("id", "system_logs"),
    }


def _changes(
    database: sqlite3.Connection, since: Mapping[str, int]
) -> Iterator[tuple[str, PartKind, Sequence[str]]]:
    changes = f"FROM row_changes WHERE seq > {since['change']}"
    deleted = database.execute(f"SELECT table_name, key {changes} AND deleted").fetchall()
    yield (
        "row_changes",
        "deleted",
        [json.dumps({"table": row[0], "key": row[1]}) for row in deleted],
    )
    new = f"FROM tracking_events WHERE id > {since['event']}"
    changed = f"SELECT CAST(key AS INTEGER) {changes} AND table_name = 'tracking_events'"
    for table, ids in {
        "tracking_events": f"SELECT id {new} UNION {changed} AND NOT deleted",
        "sessions": f"SELECT session_id {new}",
        "visitors": f"SELECT visitor_id {new}",
        "system_logs": f"SELECT id FROM system_logs WHERE id > {since['log']}",
    }.items():
        rows = f"SELECT * FROM {table} WHERE id IN ({ids})"
        yield table, "changes", [*_lines(database, rows)]


def _lines(database: sqlite3.Connection, sql: str) -> Iterable[str]:
    for row in database.execute(sql):
        yield json.dumps(dict(row), ensure_ascii=False)


def _tables(database: sqlite3.Connection) -> Sequence[str]:
    rows = database.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'"
        " AND (name = 'sqlite_sequence' OR name NOT LIKE 'sqlite%') ORDER BY name"
    )
    return [row[0] for row in rows]


def _time_of(backup_id: str) -> str:
    digits = backup_id.partition("-")[0]
    day, clock = digits[:8], digits[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"
