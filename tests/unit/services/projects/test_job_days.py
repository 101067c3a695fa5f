"""What a project's configuration may set for a job, and what is no setting."""

import sqlite3
from contextlib import closing

import pytest

from services.projects.job_days import ARCHIVE_DAYS, RETENTION_DAYS


def days_of(configuration: str | None) -> tuple[int | None, int | None]:
    """The days of retention and archive that a stored configuration sets."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE projects (configuration)")
        database.execute("INSERT INTO projects VALUES (?)", (configuration,))
        row: tuple[int | None, int | None] = database.execute(
            f"SELECT {RETENTION_DAYS}, {ARCHIVE_DAYS} FROM projects"
        ).fetchone()
    return row


def test_whole_days_are_a_setting() -> None:
    assert days_of('{"jobs": {"retention_days": 1, "archive_days": 3650}}') == (1, 3650)
    assert days_of('{"jobs": {"retention_days": 30}}') == (30, None)


@pytest.mark.parametrize("days", ["0", "-1", "3651", "30.5", '"30"', "null", "true", "[30]", "1e3"])
def test_what_the_check_of_a_new_configuration_refuses_is_no_setting(days: str) -> None:
    configuration = f'{{"jobs": {{"retention_days": {days}, "archive_days": {days}}}}}'
    assert days_of(configuration) == (None, None)


@pytest.mark.parametrize(
    "configuration",
    [None, "", "{", "[]", "7", '{"retention_days": 30}', '{"jobs": 30}', '{"jobs": null}'],
)
def test_no_stored_text_breaks_a_job(configuration: str | None) -> None:
    assert days_of(configuration) == (None, None)
