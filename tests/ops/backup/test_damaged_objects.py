"""JSON in the bucket that is damaged, or of another version, ends a command with one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.backup.high_water import read_mark
from ops.backup.index import Backup, read_backup_contents, read_index
from ops.backup.manifests import read_manifest
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import Target
from ops.commands.drill import earlier_drills
from ops.deploy.deployment_log import read_log
from ops.restore.erase_again import read_erasures
from ops.terminal.errors import OpsError
from services.loss.high_water_mark import KEY, HighWaterMark
from tests.worker.test_remembered import SHAPES

TARGET = Target(None, "ppp", "0" * 32)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
BACKUP = Backup("20260501T030000Z-full", "development", NOW, verified=True, events=1, migration="1")
BUCKET = Bucket(TARGET)
READERS: dict[str, Callable[[Path], object]] = {
    "index": lambda _: read_index(BUCKET.read_json),
    "backup contents": lambda _: read_backup_contents(BUCKET.read_json, BACKUP),
    "log of deployments": lambda _: read_log(BUCKET),
    "mark": lambda _: read_mark(TARGET),
    "drills": lambda _: earlier_drills(TARGET),
    "erasures": lambda folder: read_erasures(TARGET, NOW, folder),
}
HARMLESS = {
    *(("mark", shape) for shape in SHAPES),
    *(("drills", shape) for shape in SHAPES),
    # Nothing, or JSON's null, is an object that is not there.
    *(("index", "null"), ("backup contents", "null"), ("erasures", "null")),
    ("log of deployments", "empty"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reader", READERS)
def test_an_object_of_another_shape_is_one_line_or_nothing(
    reader: str, shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Bucket, "read", lambda *_: SHAPES[shape])
    if (reader, shape) in HARMLESS:
        assert not READERS[reader](tmp_path)
        return
    with pytest.raises(OpsError) as refused:
        READERS[reader](tmp_path)
    assert len(str(refused.value).splitlines()) == 1
    assert len(str(refused.value)) < 1_000


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_a_manifest_of_another_shape_is_a_value_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_manifest(content)


def test_behind_a_mark_that_cannot_be_read_stand_the_newest_backup_and_the_fullest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def manifest(event: int, database_id: str | None) -> bytes:
        tables = {name: {"total": event} for name in ("tracking_events", "projects", "pixels")}
        finished_at = "2026-05-01T01:00:00Z"
        fields = {"format": 1, "marker": {"event": event}, "tables": tables}
        named = {"database_id": database_id, "finished_at": finished_at}
        return json.dumps({**fields, **named}).encode()

    entries = [
        {
            **dict.fromkeys(("label", "previous", "migration")),
            "id": name,
            "environment": "production",
            "kind": "full",
            "events": events,
            **dict.fromkeys(("finished_at", "verified_at"), f"2026-05-0{day}T01:00:00Z"),
        }
        for name, events, day in (("new", 3, 3), ("small", 5, 2), ("full", 900, 1))
    ]
    objects = {
        KEY: b"{",
        "backups/index.json": json.dumps({"format": 1, "backups": entries}).encode(),
        "backups/new/manifest.json": manifest(3, "b" * 32),
        "backups/full/manifest.json": manifest(900, "a" * 32),
    }
    monkeypatch.setattr(Bucket, "read", lambda _, key: objects.get(key))
    mark = rebuilt("a" * 32, 900)
    assert read_mark(TARGET) == mark
    assert "cannot be read, and the backups stand for it" in capsys.readouterr().err
    objects["backups/full/manifest.json"] = manifest(900, None)
    assert read_mark(TARGET) == rebuilt("b" * 32, 3)
    # One that is gone is no better than a damaged one.
    del objects[KEY]
    assert read_mark(TARGET) == rebuilt("b" * 32, 3)
    assert "is missing, and the backups stand for it" in capsys.readouterr().err
    # Nothing was ever backed up.
    del objects["backups/index.json"]
    assert read_mark(TARGET) is None


def rebuilt(database_id: str, rows: int) -> HighWaterMark:
    return HighWaterMark(
        *(database_id, rows, rows, rows, rows, "2026-05-01T01:00:00Z"),
        counts={"events": rows, "archive_batches": 0, "persons": 0},
        counted_at="2026-05-01 01:00:00",
    )
