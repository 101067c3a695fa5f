"""Whether an uploaded Worker starts: workerd runs its top level, as Cloudflare does."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from paths import CACHE
from stand_in.account import Version

SECONDS = 120
SNAPSHOT_FLAGS = ["python_dedicated_snapshot", "python_check_rng_state"]
KINDS = {
    "text/x-python": "pythonModule",
    "text/x-python-requirement": "pythonRequirement",
    "application/javascript+module": "esModule",
    "application/octet-stream": "data",
    "text/plain": "text",
    "application/wasm": "wasm",
}
CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [{modules}],
  compatibilityDate = "{date}",
  compatibilityFlags = {flags},
  durableObjectNamespaces = [{classes}],
  durableObjectStorage = (inMemory = void),
))]);
"""
# It has no tests to run, and says so.
_NO_TESTS = re.compile(r"^.*(No tests found!|Tests failed!).*$", re.MULTILINE)
_FAILURE = re.compile(r"Uncaught|Traceback|Error:|failed to start|fatal exception", re.IGNORECASE)


class StartError(Exception):
    """A Worker does not start; the message is workerd's."""


def check_start(folder: Path, version: Version, flags: Sequence[str]) -> None:
    """Run the top level of a Worker once; what started before is known by the hash of its files.

    Raises:
        StartError: it fails.
    """
    mark = CACHE / "started" / _hash_of(folder, version, flags)
    if mark.exists():
        return
    is_python = "python_workers" in flags
    modules = [
        f'(name = "{module["name"]}", {KINDS[module["type"]]} = embed "{module["name"]}")'
        for module in version.modules
    ]
    classes = {
        entry["class_name"]
        for entry in version.bindings
        if entry["type"] == "durable_object_namespace"
    }
    config = folder / ".start.capnp"
    config.write_text(
        CONFIG.format(
            modules=", ".join(modules),
            date=version.compatibility_date,
            flags=json.dumps([*flags, *(SNAPSHOT_FLAGS if is_python else [])]),
            classes=", ".join(f'(className = "{name}", uniqueKey = "{name}")' for name in classes),
        ),
        encoding="utf-8",
    )
    with tempfile.TemporaryDirectory() as snapshots:
        options = (
            ["--python-save-snapshot", f"--python-snapshot-dir={snapshots}"] if is_python else []
        )
        output = _run([*(str(CACHE / "workerd"), "test", str(config), "--experimental"), *options])
        has_started = not is_python or any(Path(snapshots).iterdir())
    config.unlink()
    if not has_started or _FAILURE.search(output):
        raise StartError(" ".join(output.split())[:2_000] or "the Worker stored no snapshot")
    mark.parent.mkdir(exist_ok=True)
    mark.touch()


def _hash_of(folder: Path, version: Version, flags: Sequence[str]) -> str:
    digest = hashlib.sha256(json.dumps([version.compatibility_date, *flags]).encode())
    for module in version.modules:
        content = (folder / module["name"]).read_bytes()
        digest.update(json.dumps([module, len(content)]).encode() + content)
    return digest.hexdigest()


def _run(command: Sequence[str]) -> str:
    try:
        process = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StartError(f"the Worker did not start within {SECONDS} seconds") from None
    return _NO_TESTS.sub("", process.stdout)
