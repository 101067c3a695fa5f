"""`ppp leads`, on a real local D1."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import pytest

from ops.leads.lead_queries import SUMMARY, Group, LeadFilter, lead_counts_sql, lead_rows_sql
from ops.leads.lead_states import State
from services.core.pending_leads import RELEASED
from services.sync.suspicion import ONLY_EVENT
from tests.harness.prepared import database_file
from tests.ops import leads_in_d1 as leads
from tests.ops.running import Output, ppp


def run(home: Path, storage: Path, *arguments: object) -> Output:
    return ppp("leads", "--local", "--persist-to", storage, *arguments, home=home)


def test_it_says_what_waits_and_what_failed(home: Path, storage: Path) -> None:
    output = run(home, storage)
    assert output.code == 0
    [target] = output.err.splitlines()
    assert target.startswith("local: D1 ppp-tracking-db-local in ")
    summary = output.out.splitlines()
    assert summary[0] == "pending            4  2 overdue, the oldest for 1 h 12 min"
    assert summary[1].startswith("never              1  no e-mail, refused, switched off")
    assert [line.split() for line in summary[2:5]] == [
        ["synced", "1"],
        ["not_found", "2"],
        ["error", "2"],
    ]
    assert "jane@example.com" not in output.out
    assert "\x1b" not in output.out
    head, *rows = output.out.partition("\n\n")[2].splitlines()
    assert head.split() == [*("event", "when", "(UTC)", "pixel", "state", "tries", "due", "why")]
    assert len(rows) == 6


def test_held_leads_are_shown_with_their_reasons(home: Path, storage: Path) -> None:
    output = run(home, storage, "--state", "held")
    assert output.code == 0
    assert ["held", "2"] in [line.split() for line in output.out.splitlines()]
    shown = " ".join(output.out.split())
    assert shown.count("held, because it may be forged: the visitor has no other event") == 2
    leads_of_state = run(home, storage, "--state", "held", "--json").json["leads"]
    assert [lead["id"] for lead in leads_of_state] == [leads.HELD_TOO, leads.HELD]
    assert leads_of_state[0]["suspicious"] == [ONLY_EVENT]


def test_leads_that_were_sent_though_they_may_be_forged_are_found(
    home: Path, storage: Path
) -> None:
    output = run(home, storage, "--state", "synced", "--suspicious")
    assert output.code == 0
    assert f"person 42, may be forged: {ONLY_EVENT}" in " ".join(output.out.split())
    assert run(home, storage, "--state", "error", "--suspicious").code == 1
    with closing(sqlite3.connect(database_file(storage))) as database, database:
        for suspicious in (json.dumps([ONLY_EVENT, RELEASED]), "[]", "{"):
            database.execute(
                "UPDATE tracking_events SET suspicious = ? WHERE id = ?", (suspicious, leads.SYNCED)
            )
            database.commit()
            [lead] = run(home, storage, "--state", "synced", "--json").json["leads"]
            assert lead["suspicious"] == {"[]": [], "{": None}.get(
                suspicious, [ONLY_EVENT, RELEASED]
            )
    assert listed(storage, suspicious=True) == [leads.HELD_TOO, leads.HELD, leads.SYNCED]


def test_scripts_get_the_newest_of_the_states_they_ask_for(home: Path, storage: Path) -> None:
    output = run(home, storage, "--json", "--state", "not_found", "--state", "synced", "--limit", 2)
    assert output.code == 0
    assert output.err.startswith("local: D1 ")
    assert [row["id"] for row in output.json["leads"]] == [leads.OLD_NOT_FOUND, leads.NOT_FOUND]
    assert output.json["summary"]["pending"]["leads"] == 4
    assert 72 * 60 <= output.json["summary"]["pending"]["oldest_overdue_seconds"] < 73 * 60
    assert "form_data" not in output.json["leads"][0]


def test_addresses_are_shown_on_demand(home: Path, storage: Path) -> None:
    output = run(home, storage, "--json", "--show-email", "--state", "error")
    emails = {row["id"]: row["email"] for row in output.json["leads"]}
    assert emails == {leads.FAILED: "jane@example.com", leads.FAILED_WITHOUT_EMAIL: None}


def test_a_state_that_nothing_is_in_is_told_by_the_exit_code(
    home: Path, migrated_storage: Path
) -> None:
    output = run(home, migrated_storage, "--state", "error")
    assert output.code == 1
    assert output.out.endswith("none is error\n")


def rows(storage: Path, statement: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(database_file(storage))) as database:
        database.row_factory = sqlite3.Row
        return database.execute(statement).fetchall()


def listed(storage: Path, **lead_filter: Any) -> list[int]:  # noqa: ANN401  # fields of LeadFilter
    statement = lead_rows_sql(
        list(State), 20, with_form=False, lead_filter=LeadFilter(**lead_filter)
    )
    return [row["id"] for row in rows(storage, statement)]


def counted(storage: Path, group: Group) -> dict[str, int]:
    statement = lead_counts_sql(group, [State.NOT_FOUND, State.ERROR])
    return {row["value"]: row["leads"] for row in rows(storage, statement)}


def test_all_pages_together_are_all_leads_once(home: Path, storage: Path) -> None:
    arguments = ("--state", "not_found", "--limit", 1)
    output = run(home, storage, *arguments)
    assert f"the same with --before {leads.OLD_NOT_FOUND}\n" in output.out
    second = run(home, storage, "--json", *arguments, "--before", leads.OLD_NOT_FOUND).json
    assert [lead["id"] for lead in second["leads"]] == [leads.NOT_FOUND]
    assert second["next_before"] is None


def test_leads_are_found_by_project_reason_and_age(storage: Path) -> None:
    assert listed(storage, reason="ANSWERED 50") == [leads.FAILED, leads.OVERDUE]
    assert listed(storage, older_than=30) == [leads.OLD_NOT_FOUND]
    assert leads.OLD_NOT_FOUND not in listed(storage, since=30)
    assert len(listed(storage, project="ppp-demo-project")) == 12
    assert listed(storage, project="another") == []


@pytest.mark.parametrize("text", ["x' OR '1'='1", "'; DROP TABLE pixels; --", 'ü"$(id)`', "\udcff"])
def test_what_somebody_types_is_no_sql(storage: Path, text: str) -> None:
    assert listed(storage, project=text) == listed(storage, reason=text) == []
    assert len(listed(storage)) == 12


def test_leads_are_counted_by_project_age_or_reason(home: Path, storage: Path) -> None:
    assert counted(storage, "age") == {"within an hour": 3, "older": 1}
    assert counted(storage, "project") == {"Demo": 4}
    arguments = ("--state", "not_found", "--by", "reason", "--reason", "address")
    output = run(home, storage, *arguments)
    assert output.code == 0
    head = next(line for line in output.out.splitlines() if line.startswith("leads"))
    assert head.split() == ["leads", "oldest", "(UTC)", "newest", "reason"]
    [line] = [line for line in output.out.splitlines() if "no person has this" in line]
    assert line.split()[0] == "2"


NARROWED = LeadFilter("p", "r", 1, 2, 3, suspicious=True)


@pytest.mark.parametrize(
    "statement",
    [
        SUMMARY,
        *(lead_rows_sql([state], 20, with_form=True) for state in State),
        lead_rows_sql([State.ERROR], 20, with_form=False, lead_filter=NARROWED),
        *(lead_counts_sql(group, [State.ERROR], NARROWED) for group in get_args(Group)),
    ],
)
def test_page_views_are_never_walked_through(storage: Path, statement: str) -> None:
    with closing(sqlite3.connect(database_file(storage))) as database:
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}")]
    on_events = [step for step in plan if "tracking_events" in step or "events" in step]
    assert any("tracking_events_by_sync_status" in step for step in on_events)
    assert all("INDEX" in step or "PRIMARY KEY" in step for step in on_events), plan
