"""`ppp leads`, on a real local D1."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ops.leads import SUMMARY, rows_in
from ops.states import State
from tests.harness.direct import database_file
from tests.ops import leads_in_d1 as leads
from tests.ops.running import Said, ppp


def run(home: Path, storage: Path, *arguments: object) -> Said:
    return ppp("leads", "--local", "--persist-to", storage, *arguments, home=home)


def test_it_says_what_waits_and_what_failed(home: Path, storage: Path) -> None:
    said = run(home, storage)
    assert (said.code, said.err) == (0, "")
    first, _, *summary = said.out.splitlines()
    assert first.startswith("local: D1 ppp-tracking-db-local in ")
    assert summary[0] == "pending            4  2 overdue, the oldest for 1 h 12 min"
    assert summary[1].startswith("never              1  no e-mail, refused, switched off")
    assert [line.split() for line in summary[2:5]] == [
        ["synced", "1"],
        ["not_found", "2"],
        ["error", "2"],
    ]
    assert "jane@example.com" not in said.out
    assert "\x1b" not in said.out
    assert max(map(len, said.out.splitlines()[1:])) <= 80


def test_scripts_get_the_newest_of_the_states_they_ask_for(home: Path, storage: Path) -> None:
    said = run(home, storage, "--json", "--state", "not_found", "--state", "synced", "--limit", 2)
    assert said.code == 0
    assert said.err.startswith("local: D1 ")
    assert [row["id"] for row in said.json["leads"]] == [leads.OLD_NOT_FOUND, leads.NOT_FOUND]
    assert said.json["summary"]["pending"]["leads"] == 4
    assert 72 * 60 <= said.json["summary"]["pending"]["oldest_overdue_seconds"] < 73 * 60
    assert "form_data" not in said.json["leads"][0]


def test_addresses_are_shown_on_demand(home: Path, storage: Path) -> None:
    said = run(home, storage, "--json", "--show-email", "--state", "error")
    emails = {row["id"]: row["email"] for row in said.json["leads"]}
    assert emails == {leads.FAILED: "jane@example.com", leads.FAILED_WITHOUT_EMAIL: None}


def test_a_state_that_nothing_is_in_is_told_by_the_exit_code(
    home: Path, migrated_storage: Path
) -> None:
    said = run(home, migrated_storage, "--state", "error")
    assert said.code == 1
    assert said.out.endswith("none is error\n")


@pytest.mark.parametrize(
    "statement", [SUMMARY, *(rows_in([state], 20, with_form=True) for state in State)]
)
def test_page_views_are_never_walked_through(storage: Path, statement: str) -> None:
    with closing(sqlite3.connect(database_file(storage))) as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
    on_events = [step for step in plan if "tracking_events" in step or "events" in step]
    assert any("tracking_events_by_sync_status" in step for step in on_events)
    assert all("INDEX" in step or "PRIMARY KEY" in step for step in on_events), plan
