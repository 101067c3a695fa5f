"""Fetches many objects of a bucket through one process of wrangler's library (objects.mjs)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from paths import NODE_BIN, ROOT, tool_environment

SCRIPT = ROOT / "tools" / "objects.mjs"


def read_objects(
    bucket: Mapping[str, object], storage: Path, keys: Sequence[str], folder: Path
) -> Iterator[tuple[str, Path | None]]:
    """Gives each key with the file that it was written to, or None where there is no object.

    `bucket` is its binding BACKUPS as wrangler's configuration says it, `storage` where it lies if
    it is on this machine. Fewer than asked for come where wrangler fails.
    """
    config = folder / "wrangler.json"
    settings = {"name": "ppp", "compatibility_date": "2026-11-01", "r2_buckets": [bucket]}
    config.write_text(json.dumps(settings), encoding="utf-8")
    said = {"config": str(config), "persist": str(storage), "folder": str(folder)}
    asked = folder / "asked.json"
    asked.write_text(json.dumps({**said, "keys": list(keys)}), encoding="utf-8")
    with subprocess.Popen(
        [NODE_BIN / "node", SCRIPT, asked],
        cwd=ROOT,
        env=tool_environment() | {"CI": "true"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            for line in process.stdout or ():
                if line.startswith('{"key"'):
                    found = json.loads(line)
                    yield found["key"], Path(found["file"]) if found["file"] else None
        finally:
            process.kill()
