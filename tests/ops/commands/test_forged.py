"""`ppp forged`, on a real local D1."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.harness.prepared import database_file
from tests.ops import leads_in_d1 as leads
from tests.ops.running import Output, fails, ppp


def run(home: Path, storage: Path, *arguments: object, answer: str = "") -> Output:
    local = ("--local", "--persist-to", storage)
    return ppp("forged", *local, *arguments, home=home, answer=answer)


def forged(storage: Path) -> dict[int, str]:
    """The submissions that ended as forged, and why."""
    with closing(sqlite3.connect(database_file(storage))) as database:
        return dict(
            database.execute(
                "SELECT id, pipedrive_sync_reason FROM tracking_events"
                " WHERE pipedrive_sync_status = 'forged'"
            ).fetchall()
        )


def test_held_ones_end_and_the_others_are_named(home: Path, storage: Path) -> None:
    output = run(home, storage, leads.HELD, leads.SYNCED, leads.UNKNOWN, answer="y\n")
    assert output.code == 1
    assert f"left out, not held: {leads.SYNCED}, {leads.UNKNOWN}\n" in output.out
    assert "End them as forged (local)? [y/N]:" in output.out
    assert output.out.endswith("1 submission ended as forged\n")
    assert forged(storage) == {leads.HELD: "a person said that it is forged"}


def test_all_that_are_held_end_at_once(home: Path, storage: Path) -> None:
    both = [leads.HELD, leads.HELD_TOO]
    plan = run(home, storage, "--all", "--dry-run", "--json")
    assert (plan.code, plan.json) == (0, {"held": both, "not_held": [], "forged": []})
    assert forged(storage) == {}
    output = run(home, storage, "--all", "--yes", "--json")
    assert (output.code, output.json["forged"]) == (0, both)
    assert sorted(forged(storage)) == both
    again = run(home, storage, "--all", "--yes")
    assert (again.code, again.out.splitlines()[-1]) == (1, "none is held")


def test_nothing_changes_without_a_yes(home: Path, storage: Path) -> None:
    output = run(home, storage, "--all", answer="n\n")
    assert (output.code, forged(storage)) == (1, {})
    assert "say which" in fails(run(home, storage, "--yes"), 2)
    assert "say which" in fails(run(home, storage, "--all", leads.HELD, "--yes"), 2)


def test_one_that_is_real_after_all_is_sent(home: Path, storage: Path) -> None:
    assert run(home, storage, leads.HELD, "--yes").code == 0
    sent = ppp(
        "resync", "--local", "--persist-to", storage, leads.HELD, "--yes", home=home, answer=""
    )
    assert sent.code == 0
    assert leads.pending(storage) == [leads.HELD]
