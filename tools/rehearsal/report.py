"""The report of a rehearsal, as a dated page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from rehearsal.stage import Step


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


def write_report(folder: Path, reports: Sequence[ActReport], events: int, now: datetime) -> Path:
    """Write the page and return its path."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{now:%Y%m%dT%H%M%SZ}.md"
    file.write_text(format_report(reports, events, now), encoding="utf-8")
    return file


def format_report(reports: Sequence[ActReport], events: int, now: datetime) -> str:
    """Return the page: a table of the acts, then what failed."""
    failures = [report for report in reports if report.failure]
    verdict = f"{len(failures)} of {len(reports)} acts failed" if failures else "all went well"
    rows = [
        f"| {act.name} | {act.seconds:.0f} s | {'FAILED' if act.failure else act.proof} |"
        for act in reports
    ]
    lines = [
        f"# Rehearsal of {now:%Y-%m-%d %H:%M} UTC: {verdict}",
        "",
        f"Played on the stand-in for Cloudflare (tools/stand_in) with {events:,} events.",
        "",
        "| act | took | afterwards |",
        "| --- | --- | --- |",
        *rows,
        *_row_table(reports),
    ]
    for report in reports:
        if report.steps:
            lines += ["", f"## {report.name}, step by step", "", *_step_table(report.steps)]
    for report in failures:
        lines += ["", f"## {report.name}", "", "```", report.failure, "```"]
    return "\n".join(lines) + "\n"


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
        f"| after | {' | '.join(names)} |",
        f"| --- |{' --- |' * len(names)}",
        *(
            f"| {act.name} | {' | '.join(f'{act.rows[name]:,}' for name in names)} |"
            for act in counted
        ),
    ]


def _step_table(steps: Sequence[Step]) -> list[str]:
    """Return the commands of an act; a bar would end a cell."""
    return [
        "| command | took | exit code | its last line |",
        "| --- | --- | --- | --- |",
        *(
            "| `{}` | {:.0f} s | {} | {} |".format(
                step.command.replace("|", "\\|").replace("`", "'"),
                step.seconds,
                step.code,
                step.last_line.replace("|", "\\|"),
            )
            for step in steps
        ),
    ]
