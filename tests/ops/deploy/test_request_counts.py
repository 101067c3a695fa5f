"""Failed requests since a rollout began, as a rate of the new version's requests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ops.cloudflare.database import Database
from ops.deploy.request_counts import RequestCounter, RequestCounts, describe_failures
from ops.terminal.errors import NoAnswerError
from pyodide_bundle import Bundle
from tests.harness.prepared import database_file
from tests.ops.deployed import local, write_events

CALM = RequestCounts(failed=0, stored=1_000)


@pytest.mark.parametrize(
    ("usual", "now", "share"),
    [
        (CALM, RequestCounts(0, 500), 100),
        (CALM, RequestCounts(2, 0), 100),
        (CALM, RequestCounts(5, 1_000), 100),
        (CALM, RequestCounts(0, 0), 10),
        (RequestCounts(0, 0), RequestCounts(0, 0), 10),
        (RequestCounts(50, 950), RequestCounts(5, 95), 100),
        (RequestCounts(50, 950), RequestCounts(5, 95), 10),
    ],
    ids=["none", "few", "half a percent", "asleep", "new", "as usual", "as usual at ten percent"],
)
def test_a_version_is_not_blamed(usual: RequestCounts, now: RequestCounts, share: int) -> None:
    assert describe_failures(usual, now, share) is None


@pytest.mark.parametrize(
    ("usual", "now", "share", "expected"),
    [
        (CALM, RequestCounts(5, 95), 100, "5 of 100 requests were answered 5xx, about 5.0 %"),
        (CALM, RequestCounts(5, 995), 10, "about 5.0 % of the new version's; usual are 0.0 %"),
        (CALM, RequestCounts(10, 0), 10, "about 100.0 %"),
        (RequestCounts(10, 990), RequestCounts(10, 90), 100, "usual are 1.0 %"),
    ],
    ids=["five percent", "five percent of a tenth", "all", "more than usual"],
)
def test_a_version_that_answers_5xx_is_blamed(
    usual: RequestCounts, now: RequestCounts, share: int, expected: str
) -> None:
    assert expected in (describe_failures(usual, now, share) or "")


def test_only_requests_since_the_start_count(local_config: Bundle, storage: Path) -> None:
    write_events(storage)
    _fail(storage, 7)
    counter = RequestCounter.start(Database(local(storage)))
    assert counter.usual.failed == 7
    assert counter.usual.stored >= 30
    assert counter.describe_failures(10) is None
    _fail(storage, 5)
    assert "5 of 5 requests" in (counter.describe_failures(10) or "")


def _fail(storage: Path, number: int) -> None:
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        database.execute(
            "INSERT INTO failed_requests (minute, number)"
            " VALUES (strftime('%Y-%m-%d %H:%M:00', 'now'), ?)"
            " ON CONFLICT (minute) DO UPDATE SET number = number + excluded.number",
            (number,),
        )


def test_a_read_that_fails_once_is_made_again(
    local_config: Bundle, storage: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter = RequestCounter.start(Database(local(storage)))
    answers: list[list[list[dict[str, int]]] | None] = [None, [[{"failed": 0, "stored": 1}]]]

    def ask(_database: Database, *_statements: str) -> list[list[dict[str, int]]]:
        answer = answers.pop(0)
        if answer is None:
            raise NoAnswerError("the database did not answer: fetch failed")
        return answer

    monkeypatch.setattr(Database, "ask", ask)
    assert counter.describe_failures(10) is None
    assert not answers
