"""`make dev` with the real wrangler: what is saved is what answers, and the cron runs when told."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path

import pytest

from paths import ROOT
from pyodide_bundle import Bundle
from tests.tools.checkout import new_checkout, until

pytestmark = pytest.mark.timeout(900)
# A busy machine takes its time: it is not to be started again meanwhile.
SLOW_MACHINE = "dev.SILENT_SECONDS = worker.SILENT_SECONDS = 600"


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
    with checkout.dev(SLOW_MACHINE) as dev:
        port = dev.state()["port"]
        assert version(port) == before
        config.write_text(f"{source}\nx = (\n", encoding="utf-8")
        until(lambda: "src/config.py: '(' was never closed" in dev.said(), 60)
        assert version(port) == before
        config.write_text(source.replace(f'"{before}"', '"9.8.7"'), encoding="utf-8")
        until(lambda: version(port) == "9.8.7")


def test_the_cron_runs_by_the_block_of_the_commands_page(
    local_config: Bundle, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```sh\n(curl [^`]*/scheduled[^`]*)^```$", page, re.MULTILINE)
    checkout = new_checkout(tmp_path / "checkout")
    # No other cron run than that one.
    settings = (SLOW_MACHINE, "worker.CRON_SECONDS = 86_400")
    with checkout.dev(*settings) as dev:
        port = dev.state()["port"]
        assert '"event": "cron_run"' not in dev.said()
        output = checkout.run("sh", "-ec", block.replace("8787", str(port)))
        assert output.code == 0, output
        until(lambda: dev.said().count('"event": "cron_run"') == 1)
