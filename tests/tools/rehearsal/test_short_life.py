"""The short cut of `make rehearse`: docs/upgrade.md is followed, over the old Worker."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paths import ROOT
from rehearsal.report import ActReport, Origin, format_report
from rehearsal.stage import RehearsalError, Step
from rehearsal.upgrade import block_with


@pytest.mark.timeout(3_600)
def test_the_upgrade_as_its_document_has_it_replaces_the_old_worker_and_loses_nothing(
    tmp_path: Path,
) -> None:
    folders = ("--folder", tmp_path / "played", "--reports", tmp_path / "reports")
    process = subprocess.run(
        [sys.executable, ROOT / "tools" / "rehearsal", "--short", *folders],
        capture_output=True,
        text=True,
        check=False,
    )
    log = tmp_path / "played" / "commands.log"
    commands = log.read_text(encoding="utf-8") if log.exists() else ""
    assert process.returncode == 0, process.stdout + process.stderr + commands[-6_000:]
    assert "3,000 old and" in process.stdout
    [report] = (tmp_path / "reports").glob("*.md")
    text = report.read_text(encoding="utf-8")
    assert text.startswith("# Rehearsal of ")
    assert ": all went well\n" in text
    assert "`./ppp answers save" in text
    assert re.search(r"of which [0-9,]+ were due and are in Pipedrive, each once;", text)
    assert re.search(r"no value in [0-9]+ old columns of the old rows is another one", text)
    assert "20 of the old visitors came again" in text
    assert "every answer has all that it had before" in text
    assert re.search(r"[0-9,]+ visitors, [0-9,]+ sessions; the old Worker serves", text)
    assert "docs/upgrade.md, to this Worker again" in text
    assert re.search(r"\| before \| \d+ \| \d+ \| 300 \| 300 \| 3,000 \|", text)


@pytest.mark.parametrize("command", ["./ppp preflight", "./ppp leads", "./ppp rollback", "gunzip"])
def test_a_block_of_the_document_is_found_by_its_command(command: str) -> None:
    assert command in block_with(command)


def test_a_block_that_is_not_there_once_is_an_error() -> None:
    for command in ("./ppp restore", "curl"):
        with pytest.raises(RehearsalError, match=r"docs/upgrade\.md has"):
            block_with(command)


def test_a_report_says_what_failed_first() -> None:
    steps = [Step("curl | jq", 2.6, 0, "a | b")]
    rows = {"visitors": 1_000, "sessions": 2}
    acts = [
        ActReport("one", 61.4, "nothing lost", "", steps, rows),
        ActReport("two", 3, "", "it broke"),
    ]
    start = datetime(2026, 11, 29, 18, 17, tzinfo=UTC)
    origin = Origin(start, "abc1234", "4.1.0")
    report = format_report(acts, 200_000, origin)
    assert report.startswith("# Rehearsal of 2026-11-29 18:17 UTC: 1 of 2 acts failed\n")
    assert "with 200,000 events, from 18:17:00 UTC on: commit abc1234, wrangler 4.1.0." in report
    assert "Not shown here: " in report
    assert "| one | 61 s | nothing lost |" in report
    assert "| two | 3 s | FAILED |" in report
    assert "| after | visitors | sessions |\n| --- | --- | --- |\n| one | 1,000 | 2 |\n" in report
    assert "## one, step by step" in report
    assert "| `curl \\| jq` | 3 s | 0 | a \\| b |" in report
    assert report.endswith("## two\n\n```\nit broke\n```\n")
