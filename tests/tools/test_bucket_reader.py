"""Objects of a local bucket are fetched by a process that leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

import bucket_reader
import processes
from bucket_reader import read_objects
from tests.ops.backup_files import BUCKET, store
from tests.tools.checkout import is_alive, until


def test_no_process_is_left_of_a_reading_that_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, tmp_path / "objects", {"a": b"1", "b": b"2"})
    groups: list[int] = []

    def kill_group(process: subprocess.Popen[str]) -> None:
        groups.append(os.getpgid(process.pid))
        processes.kill_group(process)

    monkeypatch.setattr(bucket_reader, "kill_group", kill_group)
    binding = {"binding": "BACKUPS", "bucket_name": BUCKET}
    reading = read_objects(binding, tmp_path / "v3", ["a", "b", "c"], tmp_path)
    next(reading)
    del reading
    [group] = groups
    until(lambda: not is_alive(group))
