"""Which tables a database misses."""

from __future__ import annotations

import pytest

from services.loss.schema import TABLES, has_all_tables, missing_tables
from tests.faults.outside import migrated_database

LAST = "9999_the_last.sql"


def test_the_tables_are_those_that_the_migrations_make() -> None:
    made = migrated_database().execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    names = {name for (name,) in made if not name.startswith("sqlite_")}
    assert TABLES.keys() == names | {"d1_migrations"}


@pytest.mark.parametrize("name", TABLES)
def test_each_table_is_missed(name: str) -> None:
    names = TABLES.keys() - {name}
    assert not has_all_tables(names)
    assert missing_tables(names, LAST) == [name]


def test_tables_of_others_are_no_matter() -> None:
    names = {*TABLES, "_cf_KV", "sqlite_sequence", "somebody_elses"}
    assert has_all_tables(names)
    assert missing_tables(names, LAST) == []


def test_a_table_that_no_migration_has_made_yet_is_not_missed() -> None:
    names = TABLES.keys() - {"database_identity", "failed_requests"}
    assert missing_tables(names, "0025_count_failed_requests.sql") == ["failed_requests"]
    assert missing_tables(names, None) == ["database_identity", "failed_requests"]


def test_a_database_without_any_of_them_misses_none() -> None:
    assert missing_tables({"somebody_elses"}, None) == []
