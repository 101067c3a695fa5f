"""Which migrations are applied as imports, and which number of rows is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.cloudflare.database import Database
from ops.cloudflare.target import Environment, Target
from ops.cloudflare.wrangler_command import WranglerCommand
from ops.deploy import large_migrations
from ops.deploy.check_result import passed
from ops.deploy.large_migrations import (
    MAX_PROVEN_ROWS,
    SECONDS_FOR_A_MILLION,
    apply_migrations,
    check_size,
    import_migration,
)
from ops.terminal.errors import NoAnswerError
from paths import ROOT
from pyodide_bundle import Bundle
from tests.ops.deployed import local, write_events

PRODUCTION = Target(Environment.PRODUCTION, "ppp-tracking-db", "777a0ed8")
FILES = sorted(file.name for file in (ROOT / "migrations").glob("*.sql"))
COPY = "0014_rebuild_tracking_events.sql"
PERSONS = "0017_rebuild_sessions_and_visitors.sql"
SMALL = ["0019_seed_default_project.sql", "0025_add_watching.sql"]
# It changes nothing where it is applied already.
REPEATABLE = "0041_backfill_click_ids.sql"
RECORDED = "SELECT count(*) AS n FROM d1_migrations WHERE name = '0041_backfill_click_ids.sql'"
FORGET = "DELETE FROM d1_migrations WHERE name = '0041_backfill_click_ids.sql'"


def test_each_measured_migration_is_one_of_this_checkout() -> None:
    assert set(SECONDS_FOR_A_MILLION) <= set(FILES)


@pytest.mark.parametrize("table", MAX_PROVEN_ROWS)
@pytest.mark.parametrize(
    ("pending", "excess", "passes"),
    [(FILES, 0, True), (FILES, 1, False), (SMALL, 9_000_000, True), ([], 9_000_000, True)],
)
def test_more_rows_than_were_measured_are_refused_where_a_migration_grows_with_them(
    pending: list[str], excess: int, table: str, *, passes: bool
) -> None:
    rows = MAX_PROVEN_ROWS | {table: MAX_PROVEN_ROWS[table] + excess}
    result = check_size(passed("new ones"), pending, rows)
    assert (result.verdict == "pass") == passes
    if not passes:
        assert result.next_step == "docs/upgrade.md#a-large-database"
        name = "events" if table == "tracking_events" else table
        assert result.reason.startswith(f"{rows[table]:,} {name} are more than the ")


def test_a_check_that_passes_says_how_long_the_migrations_take() -> None:
    rows = {"tracking_events": 1_000_000, "sessions": 300_000, "visitors": 200_000, "pixels": 3}
    reason = check_size(passed("new ones"), FILES, rows).reason
    assert reason.startswith(
        "new ones; with 1,000,000 events, 300,000 sessions, 200,000 visitors they take some 3 min"
    )
    assert check_size(passed("new ones"), SMALL, rows) == passed("new ones")
    assert check_size(passed("new ones"), FILES, {}) == passed("new ones")


@pytest.mark.parametrize(
    ("target", "pending", "rows", "imported"),
    [
        (PRODUCTION, [COPY, *SMALL], {"tracking_events": 3_000}, []),
        (PRODUCTION, [COPY, *SMALL], {"tracking_events": 2_000_000}, [COPY, *SMALL]),
        # The old Worker's archive deleted events only.
        (PRODUCTION, [PERSONS], {"tracking_events": 1_000, "sessions": 900_000}, [PERSONS]),
        (PRODUCTION, [PERSONS], {"tracking_events": 1_000, "visitors": 900_000}, [PERSONS]),
        (PRODUCTION, SMALL, {"tracking_events": 9_000_000, "sessions": 9_000_000}, []),
        (Target(None, "ppp-local", "0"), [COPY], {"tracking_events": 2_000_000}, []),
    ],
)
def test_migrations_of_many_rows_are_imports_at_cloudflare(
    monkeypatch: pytest.MonkeyPatch,
    target: Target,
    pending: list[str],
    rows: dict[str, int],
    imported: list[str],
) -> None:
    done: list[str] = []
    commands: list[WranglerCommand] = []
    monkeypatch.setattr(large_migrations, "import_migration", lambda _, name: done.append(name))

    def note_command(command: WranglerCommand) -> None:
        commands.append(command)

    monkeypatch.setattr(WranglerCommand, "run", note_command)
    apply_migrations(target, pending, rows)
    assert done == imported
    ways = [command.arguments[:3] for command in commands]
    assert ways == ([] if imported else [("d1", "migrations", "apply")])


def test_an_import_is_recorded_as_wrangler_does(local_config: Bundle, storage: Path) -> None:
    write_events(storage)
    target = local(storage)
    Database(target).ask(FORGET)
    import_migration(target, REPEATABLE)
    assert Database(target).ask(RECORDED) == [[{"n": 1}]]


def test_an_import_that_fails_leaves_nothing(
    local_config: Bundle, storage: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "9999_bad.sql").write_text(
        "CREATE TABLE half (n);\nINSERT INTO half SELECT nowhere FROM pixels;\n", encoding="utf-8"
    )
    monkeypatch.setattr(large_migrations, "ROOT", tmp_path)
    with pytest.raises(NoAnswerError, match=r"9999_bad.sql failed, and D1 took all of it back"):
        import_migration(local(storage), "9999_bad.sql")
    [rows] = Database(local(storage)).ask("SELECT name FROM sqlite_master WHERE name = 'half'")
    assert rows == []
