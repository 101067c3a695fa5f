"""`ppp drill`: a restore beside production, compared with it and reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.backup.choose_backup import BackupChooser, backups_in_bucket
from ops.cloudflare import new_database as named_database
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.database import Database
from ops.cloudflare.target import Env, Local, PersistTo, Target, choose_target
from ops.deploy.smoke_test import SmokeTest
from ops.restore.drill_report import (
    COMPARED_DRILLS,
    RECOVERY_POINT_OBJECTIVE,
    DrillReport,
    DrillSummary,
    is_summary,
)
from ops.restore.identity import identify_restored
from ops.restore.live_comparison import compare
from ops.restore.restore_steps import (
    PreparedRestore,
    describe,
    fill_database,
    prepare_restore,
    verify_database,
)
from ops.restore.scratch_worker import scratch_worker
from ops.terminal.errors import ExitCode, OpsError
from ops.terminal.options import AsJson
from ops.terminal.output import announce, format_duration, note, show_json
from ops.terminal.workspace import workspace
from paths import ROOT
from services.core.stored_time import parse_iso

REPORT_FOLDER = ROOT / "drills"
DRILLS_KEY = "drills/index.json"
MAX_REMEMBERED = 100

ReportFolder = Annotated[
    Path, typer.Option("--reports", metavar="DIR", help="The folder for the report.")
]

commands = typer.Typer()


@commands.command(epilog="Example: ./ppp drill --env production")
def drill(
    *,
    local: Local = False,
    env: Env = None,
    keep_scratch: Annotated[
        bool, typer.Option("--keep", help="Keep the scratch database.")
    ] = False,
    reports: ReportFolder = REPORT_FOLDER,
    as_json: AsJson = False,
    persist_to: PersistTo = None,
) -> int:
    """Rehearses a restore with a scratch database.

    Restores the newest backup, compares the result with it, and runs the Worker on it. Changes
    nothing live. The report, with RPO and RTO on top and the last three drills beside it, is
    written to a file and to the bucket, as drills/TIME.md. Exits with 1 if a check fails, or if
    more than an hour would have been lost.
    """
    live = choose_target(env, persist_to, local=local)
    announce(live, as_json=as_json)
    at = datetime.now(UTC)
    with workspace() as folder:
        backups = backups_in_bucket(live)
        chosen = BackupChooser(live, folder).choose(backups, None, None)
        prepared = prepare_restore(live, backups, chosen, folder)
        for line in describe(prepared):
            note(line)
        report = DrillReport(
            at=at,
            target=str(replace(live, remark="")),
            backup=prepared.backup.id,
            as_of=parse_iso(prepared.backup.finished_at),
            rows=prepared.content.rows,
        )
        scratch = _empty_scratch_database(live, at, folder)
        try:
            _restore_and_compare(report, live, scratch, prepared)
        finally:
            if not keep_scratch:
                named_database.delete(scratch)
                note(f"deleted {scratch}")
    drills = earlier_drills(live)
    report.earlier = drills[:COMPARED_DRILLS]
    file = _write_report(report, live, reports)
    Bucket(live).write_json(DRILLS_KEY, [report.summary(), *drills][:MAX_REMEMBERED])
    _show(report, file, as_json=as_json)
    return ExitCode.FINE if report.is_fine else ExitCode.PROBLEMS


def scratch_name(live: Target, at: datetime) -> str:
    """Name the scratch database of a drill on a day."""
    return f"{live.database}-drill-{at:%Y%m%d}"


def _empty_scratch_database(live: Target, at: datetime, folder: Path) -> Target:
    """Create the scratch database, or empty the one that an earlier drill of the day left."""
    name = scratch_name(live, at)
    database = named_database.find(live, name, folder)
    if database is None:
        return named_database.create(live, name, folder)
    named_database.drop_all_tables(Database(database))
    return database


def _restore_and_compare(
    report: DrillReport, live: Target, scratch: Target, prepared: PreparedRestore
) -> None:
    """Restore, verify, smoke-test and compare; every failure goes into the report."""
    try:
        fill_database(scratch, prepared, after=0)
        report.restored_differences = verify_database(scratch, prepared)
        identify_restored(Database(scratch), prepared.content.staging)
        report.recovery = datetime.now(UTC) - report.at
        note(f"restored and proven after {format_duration(report.recovery.total_seconds())}")
        with scratch_worker(scratch, prepared.folder) as api:
            report.smoke = SmokeTest(api).run()
    except OpsError as error:
        report.problems.append(str(error))
    try:
        report.comparisons = compare(prepared.content.staging, Database(live), prepared.backup)
    except OpsError as error:
        report.problems.append(f"the live database was not compared: {error}")


def earlier_drills(live: Target) -> Sequence[DrillSummary]:
    """Return the readable drills before this one, the newest first; none if R2 fails."""
    try:
        drills = Bucket(live).read_json(DRILLS_KEY) or []
    except OpsError as error:
        note(f"the drills before are not known: {error}")
        return []
    listed = drills if isinstance(drills, list) else []
    readable = [summary for summary in listed if is_summary(summary)]
    if readable != drills:
        note("some of the drills before cannot be read, and are left out")
    return readable


def _write_report(report: DrillReport, live: Target, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{report.name}.md"
    file.write_text(report.text(), encoding="utf-8")
    Bucket(live).write_file(f"drills/{file.name}", file)
    return file


def _show(report: DrillReport, file: Path, *, as_json: bool) -> None:
    if as_json:
        show_json({**report.as_json(), "report": str(file)})
        return
    for line in report.shown_problems():
        typer.echo(f"problem: {line}")
    if report.data_loss > RECOVERY_POINT_OBJECTIVE:
        typer.echo(
            f"problem: the backup is {format_duration(report.data_loss.total_seconds())} old: "
            "why is there no newer one? ./ppp backups, and `backup` in the log"
        )
    typer.echo(
        f"{'fine' if report.is_fine else 'NOT fine'}: {report.rows:,} rows of {report.backup}, "
        f"RPO {format_duration(report.data_loss.total_seconds())}, RTO {_recovery_text(report)}, "
        f"smoke test {report.smoke_result}; {file} and {report.target}"
    )


def _recovery_text(report: DrillReport) -> str:
    return format_duration(report.recovery.total_seconds()) if report.recovery else "not reached"
