"""`make dev` with the real wrangler: a source file that is saved is what answers a moment later."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from pyodide_bundle import Bundle
from tests.tools.checkout import new_checkout, until

pytestmark = pytest.mark.timeout(900)


def version(port: int) -> str:
    """The version that the Worker says it is; none while it starts again."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=60) as answer:
            return str(json.loads(answer.read())["version"])
    except (OSError, ValueError):
        return ""


def test_what_is_saved_is_what_answers(local_config: Bundle, tmp_path: Path) -> None:
    checkout = new_checkout(tmp_path / "checkout")
    config = checkout.root / "src" / "config.py"
    source = config.read_text(encoding="utf-8")
    before = source.partition('\nVERSION = "')[2].partition('"')[0]
    # A busy machine takes its time: it is not to be started again meanwhile.
    with checkout.dev("dev.SILENT_SECONDS = worker.SILENT_SECONDS = 600") as dev:
        port = dev.state()["port"]
        assert version(port) == before
        config.write_text(f"{source}\nx = (\n", encoding="utf-8")
        until(lambda: "src/config.py: '(' was never closed" in dev.said(), 60)
        assert version(port) == before
        config.write_text(source.replace(f'"{before}"', '"9.8.7"'), encoding="utf-8")
        until(lambda: version(port) == "9.8.7")
