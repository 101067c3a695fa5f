"""Fetches many objects of a bucket through one process of wrangler's library (objects.mjs)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from paths import NODE_BIN, ROOT, tool_environment
from processes import kill_group

SCRIPT = ROOT / "tools" / "objects.mjs"


def read_objects(
    bucket: Mapping[str, object], storage: Path, keys: Sequence[str], folder: Path
) -> Iterator[tuple[str, Path | None]]:
    """Yield each key with the file that its object was written to, or None if there is no object.

    `bucket` is the binding BACKUPS of wrangler's configuration, `storage` the folder of a local
    bucket. If wrangler fails, keys are missing at the end.
    """
    config = folder / "wrangler.json"
    settings = {"name": "ppp", "compatibility_date": "2026-11-01", "r2_buckets": [bucket]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    paths = {"config": str(config), "persist": str(storage), "folder": str(folder)}
    request_file = folder / "request.json"
    request_file.write_text(json.dumps({**paths, "keys": list(keys)}), encoding="utf-8")
    with subprocess.Popen(
        [NODE_BIN / "node", SCRIPT, request_file],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        # Its workerd must not outlive it.
        start_new_session=True,
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith('{"key"'):
                    entry = json.loads(line)
                    yield entry["key"], Path(entry["file"]) if entry["file"] else None
        finally:
            kill_group(process)
