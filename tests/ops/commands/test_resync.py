"""`ppp resync`, on a real local D1."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

from services.core.pending_leads import RELEASED
from services.sync.outbox_statements import CLAIM_PERSONS
from services.sync.suspicion import ONLY_EVENT
from tests.harness.direct import count
from tests.harness.prepared import database_file
from tests.ops import leads_in_d1 as leads
from tests.ops.running import Output, fails, ppp

CHANGED = "SELECT total(pipedrive_retry_count) FROM tracking_events"


def run(home: Path, storage: Path, *arguments: object, answer: str = "") -> Output:
    local = ("--local", "--persist-to", storage)
    return ppp("resync", *local, *arguments, home=home, answer=answer)


def test_ids_are_set_pending_and_the_others_are_named(home: Path, storage: Path) -> None:
    untouched = (leads.OVERDUE, leads.WITHOUT_EMAIL, leads.FAILED, leads.PAGE_VIEW, leads.LEASED)
    output = run(home, storage, *untouched, leads.UNKNOWN, leads.FAILED, "--yes")
    assert (output.code, output.err) == (1, "")
    assert f"no such event: {leads.UNKNOWN}\n" in output.out
    assert f"no e-mail address in it: {leads.WITHOUT_EMAIL}\n" in output.out
    assert f"no form submission: {leads.PAGE_VIEW}\n" in output.out
    assert f"being sent at this moment: {leads.LEASED}\n" in output.out
    assert "2 submissions to send again: 52 to 92 Pipedrive tokens, about 1 s" in output.out
    assert "2 submissions set pending" in output.out
    assert leads.pending(storage) == [leads.OVERDUE, leads.FAILED]


def test_a_synced_one_is_written_again_if_its_person_carries_it(home: Path, storage: Path) -> None:
    output = run(home, storage, leads.SYNCED, "--yes", "--json")
    assert output.code == 0
    assert output.json == {"found": [leads.SYNCED], "refused": [], "set_pending": [leads.SYNCED]}
    claim = {"destination": "default", "person_id": "42", "event_id": leads.SYNCED}
    with closing(sqlite3.connect(database_file(storage))) as database:
        parameters = (json.dumps({"claims": [claim]}),)
        [(_, _, claimed, written, _)] = database.execute(CLAIM_PERSONS, parameters).fetchall()
    assert written < leads.SYNCED <= claimed


def test_however_many_failed_all_are_found(home: Path, storage: Path) -> None:
    leads.write_failed(storage, 1_200)
    output = run(home, storage, "--failed", "--dry-run", "--json")
    assert output.code == 0
    assert len(set(output.json["found"])) == 1_201
    lists = [re.findall(r"IN \(([\d, ]+)\)", command) for command in output.json["commands"]]
    assert [len(ids.split(",")) for [ids] in lists] == [500, 500, 201]
    assert "31,226 to 55,246 Pipedrive tokens, about 6 min" in output.err


def test_no_more_are_sent_again_than_are_wanted(home: Path, storage: Path) -> None:
    leads.write_failed(storage, 5)
    output = run(home, storage, "--failed", "--limit", 2, "--yes", "--json")
    assert output.code == 0
    assert output.json["found"] == [leads.HELD_TOO + 5, leads.HELD_TOO + 4]
    assert sorted(output.json["set_pending"]) == leads.pending(storage)[-2:]
    assert "52 to 92 Pipedrive tokens" in output.err


def test_failed_ones_are_found_by_their_state(home: Path, storage: Path) -> None:
    output = run(home, storage, "--failed", "--dry-run")
    assert output.code == 0
    command = output.out.splitlines()[-1]
    assert command.startswith(
        f"npx wrangler d1 execute DB --local --persist-to {storage} --json "
        '--command "UPDATE tracking_events SET pipedrive_sync_status = NULL'
    )
    assert f"WHERE id IN ({leads.FAILED}) AND event_type = 'form_submit' AND" in command
    assert command.endswith('RETURNING id" --config wrangler.local.json')
    assert leads.pending(storage) == []


def test_days_limit_what_is_sent_again(home: Path, storage: Path) -> None:
    output = run(home, storage, "--not-found", "--since", 30, answer="y\n")
    assert output.code == 0
    assert "Set them pending again (local)? [y/N]:" in output.out
    assert leads.pending(storage) == [leads.NOT_FOUND]


def test_nothing_changes_without_a_yes(home: Path, storage: Path) -> None:
    before = count(storage, CHANGED)
    output = run(home, storage, "--not-found", answer="n\n")
    assert output.code == 1
    assert output.out.endswith("nothing was changed\n")
    assert "--yes" in fails(run(home, storage, "--not-found"), 2)
    assert count(storage, CHANGED) == before


def test_held_ones_are_released_all_together_or_by_their_id(home: Path, storage: Path) -> None:
    assert run(home, storage, leads.HELD, "--yes").code == 0
    assert released(storage) == [leads.HELD]
    output = run(home, storage, "--held", "--yes", "--json")
    assert output.json["set_pending"] == [leads.HELD_TOO]
    assert released(storage) == leads.pending(storage) == [leads.HELD, leads.HELD_TOO]
    assert run(home, storage, leads.HELD, "--yes").code == 0
    reasons = [ONLY_EVENT, RELEASED]
    assert suspicions(storage) == {leads.HELD: reasons, leads.HELD_TOO: reasons}


def test_who_names_a_lead_has_looked_at_it_and_who_names_a_state_has_not(
    home: Path, storage: Path
) -> None:
    assert run(home, storage, "--not-found", "--yes").code == 0
    assert released(storage) == []
    assert run(home, storage, leads.FAILED, "--yes").code == 0
    assert suspicions(storage) == {leads.FAILED: [RELEASED]}


def suspicions(storage: Path) -> dict[int, list[str]]:
    """The reasons of those that are pending."""
    with closing(sqlite3.connect(database_file(storage))) as database:
        rows = database.execute(
            "SELECT id, suspicious FROM tracking_events"
            " WHERE pipedrive_sync_status IS NULL AND suspicious IS NOT NULL"
        )
        return {event_id: json.loads(suspicious) for event_id, suspicious in rows}


def released(storage: Path) -> list[int]:
    return [event_id for event_id, reasons in suspicions(storage).items() if RELEASED in reasons]


def test_that_there_is_nothing_to_send_is_told_by_the_exit_code(
    home: Path, migrated_storage: Path
) -> None:
    output = run(home, migrated_storage, "--failed", "--yes")
    assert output.code == 1
    assert output.out.endswith("nothing to send again\n")
