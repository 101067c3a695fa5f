"""Which database a deployment would touch, and whether it is whole."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ops.backup.index import Backup, BackupContents
from ops.deploy.database_checks import (
    EMPTIED_DATABASE_HELP,
    LATE_MIGRATIONS,
    LOST_MIGRATIONS_HELP,
    ConfiguredDatabase,
    Schema,
    check_database,
    check_loss,
    check_migrations,
    check_rows,
    describe_missing_rows,
    outside_observations,
    shrunken_tables,
)
from ops.deploy.deployment_log import DeploymentEntry
from ops.deploy.readiness_checks import NO_BACKUPS_HELP
from paths import ROOT
from services.loss.contents import DatabaseContents
from services.loss.high_water_mark import HighWaterMark

ID, OTHER = "777a0ed8", "99999999"
CONFIGURED = ConfiguredDatabase("ppp-tracking-db", ID, "production")
ACCEPTED = ConfiguredDatabase("ppp-tracking-db", ID, "production", accepted_id=ID)
DATABASE = {"uuid": ID, "name": "ppp-tracking-db"}
MIGRATIONS = tuple(sorted(file.name for file in (ROOT / "migrations").glob("*.sql")))
FILES = ("0001_create.sql", "0002_add.sql", "0003_index.sql")
BACKUP = Backup(
    id="20261121T030000Z-full",
    environment="production",
    finished_at=datetime(2026, 11, 21, 3, tzinfo=UTC),
    verified=True,
    events=1_200,
    migration="0002_add",
)
CONTENTS = BackupContents(
    {"projects": 1, "pixels": 3, "visitors": 400, "tracking_events": 1_200}, 1_300
)
DEPLOYED: DeploymentEntry = {
    "id": "20261120",
    "database_id": ID,
    "rows": {"visitors": 390},
    "highest_event": 7,
}
TABLES = ("projects", "tracking_events")
RESTORE = "./ppp restore --env production"


MARK = HighWaterMark("a" * 32, 1_300, 1_200, 1, 3, "2026-11-21T03:00:00Z")
COMPLETE = DatabaseContents("a" * 32, 1_300, 1, 3)


@pytest.mark.parametrize(
    ("mark", "contents", "expected"),
    [
        (None, DatabaseContents(), "no high-water mark yet"),
        (MARK, COMPLETE, "highest event 1,300, and was 1,300"),
    ],
)
def test_a_database_that_holds_what_it_held_passes(
    mark: HighWaterMark | None, contents: DatabaseContents, expected: str
) -> None:
    result = check_loss(CONFIGURED, mark, contents)
    assert (result.verdict, expected in result.reason) == ("pass", True)


@pytest.mark.parametrize(
    "contents",
    [
        DatabaseContents(),
        replace(COMPLETE, database_id="b" * 32),
        replace(COMPLETE, highest_event=3),
    ],
    ids=["no tables", "re-created, with an event", "set back"],
)
def test_a_lost_database_passes_only_if_somebody_accepts_it(contents: DatabaseContents) -> None:
    result = check_loss(CONFIGURED, MARK, contents)
    assert result.verdict == "fail"
    assert RESTORE in result.next_step
    assert "./ppp accept-database --env production" in result.next_step
    is_older = contents.database_id == MARK.database_id
    assert check_loss(ACCEPTED, MARK, contents).verdict == ("pass" if is_older else "fail")


SET_BACK = BackupContents({**CONTENTS.rows, "tracking_events": 1_000}, 1_100)


@pytest.mark.parametrize(
    ("database", "verdict"),
    [
        (CONFIGURED, "fail"),
        (ACCEPTED, "fail"),
        (replace(ACCEPTED, has_identity=True), "pass"),
        (replace(CONFIGURED, accepted_at=datetime(2026, 11, 21, 4, tzinfo=UTC)), "pass"),
        (replace(CONFIGURED, accepted_at=datetime(2026, 11, 21, 2, tzinfo=UTC)), "fail"),
    ],
    ids=[
        "not accepted",
        "another by the option",
        "restored, by the option",
        "after the backup",
        "before the backup",
    ],
)
def test_an_older_state_can_be_deployed_once_it_is_accepted(
    database: ConfiguredDatabase, verdict: str
) -> None:
    observations = outside_observations(BACKUP, CONTENTS, None)
    assert check_rows(database, SET_BACK, observations).verdict == verdict
    older = Schema(TABLES, FILES[:1])
    assert check_migrations(database, older, FILES, BACKUP).verdict == verdict


def test_the_configured_database_is_the_one_that_was_deployed_on() -> None:
    assert check_database(CONFIGURED, [DATABASE], DEPLOYED).verdict == "pass"
    assert check_database(CONFIGURED, [DATABASE], None).verdict == "pass"


def test_a_database_that_was_created_anew_is_seen_by_its_id() -> None:
    result = check_database(CONFIGURED, [{"uuid": OTHER, "name": CONFIGURED.name}], DEPLOYED)
    assert result.verdict == "fail"
    assert f"has the id {OTHER} at Cloudflare, not the configured {ID}" in result.reason
    assert RESTORE in result.next_step


def test_a_database_of_another_account_or_name_is_seen() -> None:
    absent = check_database(CONFIGURED, [], DEPLOYED)
    assert absent.verdict == "fail"
    assert "npx wrangler whoami" in absent.next_step
    renamed = check_database(CONFIGURED, [{"uuid": ID, "name": "staging"}], DEPLOYED)
    assert "is called staging" in renamed.reason


def test_a_new_id_in_the_configuration_needs_somebody_who_vouches_for_it() -> None:
    deployed = DEPLOYED | {"database_id": OTHER}
    result = check_database(CONFIGURED, [DATABASE], deployed)
    assert result.verdict == "fail"
    assert f"the last deployment was on the database {OTHER}" in result.reason
    assert RESTORE in result.next_step
    assert f"--accept-database {ID}" in result.next_step
    assert check_database(ACCEPTED, [DATABASE], deployed).verdict == "pass"
    wrong = ConfiguredDatabase(CONFIGURED.name, ID, "production", accepted_id=OTHER)
    assert check_database(wrong, [DATABASE], deployed).verdict == "fail"


# ---- migrations --------------------------------------------------------------------------------


@pytest.mark.parametrize("applied", [None, ()])
def test_lost_records_would_run_everything_again_over_the_data(
    applied: tuple[str, ...] | None,
) -> None:
    for named in (CONFIGURED, ACCEPTED):
        result = check_migrations(named, Schema(TABLES, applied), FILES, None)
        assert result.verdict == "fail"
        assert "every migration would run again, over the data" in result.reason
        assert "docs/runbook.md#the-record-of-migrations-is-lost" in result.next_step


def test_an_empty_database_is_not_new_where_a_backup_knows_it() -> None:
    for named in (CONFIGURED, ACCEPTED):
        result = check_migrations(named, Schema((), None), FILES, BACKUP)
        assert result.verdict == "fail"
        assert "the last backup was at 0002_add: the database was created anew" in result.reason
        assert RESTORE in result.next_step


def test_an_empty_database_that_nobody_knows_is_new_only_by_word() -> None:
    result = check_migrations(CONFIGURED, Schema((), None), FILES, None)
    assert result.verdict == "fail"
    assert result.next_step == f"./ppp preflight --env production --accept-database {ID}"
    assert check_migrations(ACCEPTED, Schema((), None), FILES, None).verdict == "pass"


def test_what_is_new_may_be_applied() -> None:
    result = check_migrations(CONFIGURED, Schema(TABLES, FILES[:2]), FILES, BACKUP)
    assert (result.verdict, result.reason) == ("pass", "1 migration to apply: 0003_index.sql")
    result = check_migrations(CONFIGURED, Schema(TABLES, FILES), FILES, BACKUP)
    assert (result.verdict, result.reason) == ("pass", "all are applied, up to 0003_index.sql")


def test_a_file_that_may_run_late_is_applied_behind_younger_ones() -> None:
    late = set(LATE_MIGRATIONS)
    assert late < set(MIGRATIONS)
    applied = tuple(name for name in MIGRATIONS if name not in late)
    result = check_migrations(CONFIGURED, Schema(TABLES, applied), MIGRATIONS, None)
    names = ", ".join(LATE_MIGRATIONS)
    assert (result.verdict, result.reason) == ("pass", f"2 migrations to apply: {names}")
    result = check_migrations(CONFIGURED, Schema(TABLES, applied[-1:]), MIGRATIONS, None)
    assert (result.verdict, result.next_step) == ("fail", LOST_MIGRATIONS_HELP)


def test_a_record_of_production_without_a_file_here_is_tolerated() -> None:
    applied = (*FILES[:2], "0002_clients.sql")
    assert check_migrations(CONFIGURED, Schema(TABLES, applied), FILES, BACKUP).verdict == "pass"


@pytest.mark.parametrize(
    ("applied", "reason"),
    [
        (FILES[2:], "but 0001_create.sql, 0002_add.sql would run now"),
        ((*FILES, "0004_newer.sql"), "this checkout ends at 0003_index.sql"),
        (FILES[:1], "the backup 20261121T030000Z-full was at 0002_add: it is another database"),
    ],
)
def test_a_record_that_does_not_fit_stops_the_deployment(
    applied: tuple[str, ...], reason: str
) -> None:
    result = check_migrations(CONFIGURED, Schema(TABLES, applied), FILES, BACKUP)
    assert result.verdict == "fail"
    assert reason in result.reason
    assert result.next_step


# ---- rows --------------------------------------------------------------------------------------


def checked(
    now: BackupContents,
    named: ConfiguredDatabase = CONFIGURED,
    deployed: DeploymentEntry | None = DEPLOYED,
) -> tuple[str, str]:
    result = check_rows(named, now, outside_observations(BACKUP, CONTENTS, deployed))
    assert (RESTORE in result.next_step) == (result.verdict == "fail")
    return result.verdict, result.reason


def test_rows_may_become_fewer_by_the_archive_but_ids_never_go_back() -> None:
    archived = BackupContents({**CONTENTS.rows, "tracking_events": 10}, 1_300)
    assert checked(archived)[0] == "pass"
    recovered = BackupContents({**CONTENTS.rows, "tracking_events": 1_250}, 1_250)
    verdict, reason = checked(recovered, ACCEPTED)
    assert verdict == "fail"
    assert "the newest event is number 1,250, and was 1,300" in reason
    assert "by the backup 20261121T030000Z-full" in reason


@pytest.mark.parametrize("table", ["projects", "pixels", "visitors", "tracking_events"])
def test_a_table_that_became_empty_or_is_gone_stops_the_deployment(table: str) -> None:
    for rows in (
        {**CONTENTS.rows, table: 0},
        {k: v for k, v in CONTENTS.rows.items() if k != table},
    ):
        verdict, reason = checked(BackupContents(rows, 1_300), ACCEPTED)
        assert verdict == "fail"
        assert f"{table} has no row, and had {CONTENTS.rows[table]:,}" in reason


def test_the_log_of_deployments_knows_what_was_there_when_no_backup_does() -> None:
    observed = {**DEPLOYED, "highest_event": 2_000}
    result = check_rows(CONFIGURED, CONTENTS, outside_observations(None, None, observed))
    assert result.verdict == "fail"
    assert "by the deployment 20261120" in result.reason


def test_nothing_to_compare_with_and_no_event_needs_a_word() -> None:
    empty = BackupContents({"projects": 1, "tracking_events": 0}, 0)
    result = check_rows(CONFIGURED, empty, [])
    assert result.verdict == "fail"
    assert "neither a backup nor a deployment to compare with" in result.reason
    assert check_rows(ACCEPTED, empty, []).verdict == "pass"
    assert check_rows(CONFIGURED, CONTENTS, []).verdict == "pass"


def test_a_shrunken_table_is_named_with_both_numbers() -> None:
    assert shrunken_tables(CONTENTS, CONTENTS) == []
    assert shrunken_tables(CONTENTS, BackupContents({**CONTENTS.rows, "visitors": 399}, 1_300)) == [
        "visitors 400 → 399"
    ]
    assert (
        shrunken_tables(CONTENTS, BackupContents({**CONTENTS.rows, "visitors": 401}, 1_300)) == []
    )
    assert shrunken_tables(BackupContents({"pixels": 3}, 0), BackupContents({}, 0)) == [
        "pixels 3 → 0"
    ]


def test_retention_may_take_rows_but_a_migration_may_not() -> None:
    fewer = BackupContents({**CONTENTS.rows, "visitors": 399}, 1_300)
    assert describe_missing_rows(CONTENTS, fewer, exact=False) is None
    assert describe_missing_rows(CONTENTS, fewer, exact=True) == "visitors 400 → 399"
    assert describe_missing_rows(CONTENTS, CONTENTS, exact=True) is None
    for exact in (True, False):
        emptied = describe_missing_rows(
            CONTENTS, BackupContents({**CONTENTS.rows, "visitors": 0}, 1_300), exact=exact
        )
        assert emptied == "visitors has no row, and had 400"


@pytest.mark.parametrize("step", [EMPTIED_DATABASE_HELP, LOST_MIGRATIONS_HELP, NO_BACKUPS_HELP])
def test_the_next_step_is_in_the_runbook(step: str) -> None:
    file, _, anchor = step.partition("#")
    headings = re.findall(r"^#+ (.*)", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
    assert anchor in {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings
    }


def test_the_next_command_keeps_the_option_of_a_first_deployment() -> None:
    first = ConfiguredDatabase("ppp-tracking-db", ID, "production", is_first=True)
    assert first.accept_step() == f"./ppp preflight --env production --first --accept-database {ID}"
