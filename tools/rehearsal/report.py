"""The report of a rehearsal, as a dated page."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from paths import ROOT
from rehearsal.stage import Step

NOT_SHOWN = (
    "Not shown here: how long D1 answers nobody while it exports and migrates (this one is a file,"
    " and quick); the real JavaScript Worker with its cron, its leads and its archive (a small one"
    " of ours stands for it, and sends no lead); Cloudflare's rules for `/p.js` and `/e`, its"
    " caches, limits and speed. What the stand-in is not: docs/decisions.md."
)
ADDED_ROWS = (
    "Beside those of the clients: the projects `PPP` (made by a migration, with its pixels),"
    " `Deployment checks` (the smoke tests: one visitor in all, one page view each) and"
    " `switched off` (with one pixel, on which the way back is tried)."
)


@dataclass(frozen=True, slots=True)
class ActReport:
    """How one act ended; a `failure` is empty where it went well."""

    name: str
    seconds: float
    proof: str
    failure: str
    steps: Sequence[Step] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    """How many each of the old tables has afterwards."""


@dataclass(frozen=True, slots=True)
class Origin:
    """When a rehearsal began, and what was played."""

    start: datetime
    commit: str
    wrangler: str


def read_origin(start: datetime) -> Origin:
    """Read what is played: the commit of this checkout, and its wrangler."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    package = ROOT / "node_modules" / "wrangler" / "package.json"
    version = json.loads(package.read_text(encoding="utf-8"))["version"]
    return Origin(start, described.stdout.strip() or "no commit", version)


def write_report(folder: Path, reports: Sequence[ActReport], events: int, origin: Origin) -> Path:
    """Write the page and return its path."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.md"
    file.write_text(format_report(reports, events, origin), encoding="utf-8")
    return file


def format_report(reports: Sequence[ActReport], events: int, origin: Origin) -> str:
    """Return the page: a table of the acts, then what failed."""
    failures = [report for report in reports if report.failure]
    verdict = f"{len(failures)} of {len(reports)} acts failed" if failures else "all went well"
    rows = [
        f"| {act.name} | {act.seconds:.0f} s | {'FAILED' if act.failure else act.proof} |"
        for act in reports
    ]
    lines = [
        f"# Rehearsal of {origin.start:%Y-%m-%d %H:%M} UTC: {verdict}",
        "",
        _describe(origin, events),
        "",
        NOT_SHOWN,
        "",
        "| act | took | afterwards |",
        "| --- | --- | --- |",
        *rows,
        *_row_table(reports),
    ]
    for report in reports:
        if report.steps:
            lines += ["", f"## {report.name}, step by step", "", *_step_table(report)]
    for report in failures:
        lines += ["", f"## {report.name}", "", "```", report.failure, "```"]
    return "\n".join(lines) + "\n"


def _describe(origin: Origin, events: int) -> str:
    return (
        f"Played on the stand-in for Cloudflare (tools/stand_in) with {events:,} events, from"
        f" {origin.start:%H:%M:%S} UTC on: commit {origin.commit}, wrangler {origin.wrangler}."
    )


def _row_table(reports: Sequence[ActReport]) -> list[str]:
    """Return how many rows the old tables have after each act."""
    counted = [report for report in reports if report.rows]
    if not counted:
        return []
    names = [*counted[0].rows]
    return [
        "",
        "## Rows of the old tables",
        "",
        ADDED_ROWS,
        "",
        f"| after | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
        *(
            f"| {act.name} | {' | '.join(f'{act.rows[name]:,}' for name in names)} |"
            for act in counted
        ),
    ]


def _step_table(report: ActReport) -> list[str]:
    """Return the commands of an act; a bar would end a cell.

    Another exit code than the one that belongs there makes the act fail.
    """
    refused = "" if report.failure else ", as it should"
    return [
        "| command | took | exit code | its last line |",
        "| --- | --- | --- | --- |",
        *(
            "| `{}` | {:.0f} s | {} | {} |".format(
                step.command.replace("|", "\\|").replace("`", "'"),
                step.seconds,
                f"{step.code}{refused if step.code else ''}",
                step.last_line.replace("|", "\\|"),
            )
            for step in report.steps
        ),
    ]
