"""A backup put together again, as a restore does it: from R2 alone, checked part by part."""

from __future__ import annotations

import json
from typing import Any

from services.core.ndjson_parts import unpack
from tests.harness.worker import Row, Worker

KEYS = {
    "tracking_events": ("id",),
    "sessions": ("id",),
    "visitors": ("id",),
    "system_logs": ("id",),
    "projects": ("id",),
    "pixels": ("id",),
    "pipedrive_persons": ("destination", "person_id"),
    "pipedrive_accounts": ("name",),
}
Key = tuple[object, ...]


def manifest_of(worker: Worker, backup_id: str) -> dict[str, Any]:
    content = worker.stored(f"backups/{backup_id}/manifest.json")
    assert content is not None
    manifest: dict[str, Any] = json.loads(content)
    return manifest


def index_of(worker: Worker) -> list[dict[str, Any]]:
    content = worker.stored("backups/index.json")
    return json.loads(content)["backups"] if content else []


def chain_to(worker: Worker, backup_id: str) -> list[dict[str, Any]]:
    """The manifests that a backup goes on from, and its own, the oldest first."""
    manifests = [manifest_of(worker, backup_id)]
    while manifests[0]["previous"]:
        manifests.insert(0, manifest_of(worker, manifests[0]["previous"]))
    return manifests


def restored(worker: Worker, backup_id: str) -> dict[str, dict[Key, Row]]:
    """The rows of each table with a key, by their keys."""
    tables: dict[str, dict[Key, Row]] = {table: {} for table in KEYS}
    deleted: set[tuple[str, str]] = set()
    chain = chain_to(worker, backup_id)
    for manifest in chain:
        for part in manifest["parts"]:
            content = worker.stored(part["key"])
            lines = unpack(part["key"], content, part["rows"], part["sha256"])
            rows = [json.loads(line) for line in lines]
            if part["kind"] == "deleted":
                deleted |= {(row["table"], row["key"]) for row in rows}
            elif part["table"] in KEYS and (part["kind"] != "whole" or manifest is chain[-1]):
                into = tables[part["table"]]
                into.update({_key(part["table"], row): row for row in rows})
    for table, key in deleted:
        tables[table].pop((int(key) if table == "tracking_events" else key,), None)
    return tables


def live(worker: Worker) -> dict[str, dict[Key, Row]]:
    """The same rows as they are in the database."""
    return {
        table: {_key(table, row): row for row in worker.query(f"SELECT * FROM {table}")}
        for table in KEYS
    }


def _key(table: str, row: Row) -> Key:
    return tuple(row[column] for column in KEYS[table])
