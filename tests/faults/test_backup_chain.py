"""Every backup that counts as verified can be restored, whatever was lost in R2 or in D1."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.backup.manifests import Manifest, read_manifest
from ops.restore.assembly import assemble
from ops.restore.staging_database import open_staging
from tests.faults.outside import OUTSIDE, new_outside
from tests.faults.story import Story


@pytest.fixture
def story() -> Story:
    """Forty events, of which four are forms, and a verified full backup."""
    new_outside()
    story = Story()
    for number in range(40):
        send(story, number)
    for _ in range(4):
        story.run_cron()
    assert kinds() == ["full"]
    return story


def send(story: Story, number: int) -> None:
    visitor, key = f"{number % 16:016x}", f"event-{number:08}"
    if number % 10:
        story.view(visitor, key)
    else:
        story.submit(visitor, key, f"p{number}@client.example")


def let_hours_pass(story: Story, hours: int = 2) -> None:
    for run in range(12 * hours):
        if run % 6 == 0:
            send(story, 1_000 + run)
        story.run_cron()


def kinds() -> list[str]:
    """The kinds of verified backups, the oldest first."""
    rows = OUTSIDE.rows("SELECT kind FROM backups WHERE state = 'verified' ORDER BY finished_at")
    return [str(row["kind"]) for row in rows]


def restored_rows(folder: Path, backup_id: str) -> dict[str, int]:
    """The rows of each table after a restore of a backup."""
    chain: list[Manifest] = []
    previous: str | None = backup_id
    while previous:
        chain.insert(0, read_manifest(OUTSIDE.objects[f"backups/{previous}/manifest.json"]))
        previous = chain[0].previous
    files = {}
    for part in (part for manifest in chain for part in manifest.parts):
        files[part.key] = folder / part.key.replace("/", "_")
        files[part.key].write_bytes(OUTSIDE.objects[part.key])
    staging = open_staging(folder / f"{backup_id}.sqlite")
    return dict(assemble(chain, files, [], staging, lambda: None).staging.row_counts())


def verified_since(moment: str) -> list[str]:
    rows = OUTSIDE.rows(
        "SELECT id FROM backups WHERE state = 'verified' AND started_at >= ?", moment
    )
    return [str(row["id"]) for row in rows]


def alerts(problem: str) -> list[str]:
    texts = [str(json.loads(alert)["text"]) for alert in OUTSIDE.alerts]
    return [text for text in texts if problem in text]


def delete_objects(matches: Callable[[str], bool]) -> None:
    for key in [key for key in OUTSIDE.objects if matches(key)]:
        del OUTSIDE.objects[key]


def is_backup_object(key: str) -> bool:
    return key.startswith("backups/")


def is_object_of_full_backup(key: str) -> bool:
    return "-full/" in key


def is_first_part_of_full_backup(key: str) -> bool:
    return "-full/00001-" in key


LOSSES_IN_R2: list[Any] = [
    is_backup_object,
    is_object_of_full_backup,
    is_first_part_of_full_backup,
    bool,
]


@pytest.mark.parametrize("matches", LOSSES_IN_R2)
def test_where_objects_of_the_chain_are_gone_a_full_backup_begins_and_an_alarm_says_so(
    matches: Callable[[str], bool], story: Story, tmp_path: Path
) -> None:
    let_hours_pass(story, 1)
    delete_objects(matches)
    start = f"{OUTSIDE.now:%Y-%m-%d %H:%M:%S}"
    let_hours_pass(story)
    assert kinds()[:4] == ["full", "hourly", "full", "hourly"]
    for backup_id in verified_since(start):
        restored_rows(tmp_path, backup_id)
    alarm, end = alerts("backup_chain_broken")
    assert "objects of backup" in alarm
    assert "gone from R2" in alarm
    assert "P2" in alarm
    assert "over" in end.lower() or "resolved" in end.lower()


LOSSES_IN_D1 = {
    "an event without a trigger": (
        "DROP TRIGGER tracking_events_deleted; DELETE FROM tracking_events WHERE id IN (3, 4, 5)",
        "the trigger tracking_events_deleted is missing",
    ),
    "a trigger of changes": (
        "DROP TRIGGER tracking_events_changed; UPDATE tracking_events SET page_title = 'Changed'",
        "the trigger tracking_events_changed is missing",
    ),
    "a trigger for a while": (
        """
CREATE TABLE kept AS SELECT sql FROM sqlite_master WHERE name = 'tracking_events_deleted';
DROP TRIGGER tracking_events_deleted;
DELETE FROM tracking_events WHERE id IN (3, 4, 5)
""",
        "tracking_events has 37 rows of before, and should have 40",
    ),
    "the log of changes": (
        "DELETE FROM tracking_events WHERE id IN (3, 4, 5); DELETE FROM row_changes",
        "rows of the table row_changes are gone",
    ),
    "some of the log of changes": (
        """
UPDATE tracking_events SET page_title = 'Changed' WHERE id < 10;
DELETE FROM row_changes WHERE seq = (SELECT max(seq) - 3 FROM row_changes)
""",
        "rows of the table row_changes are gone",
    ),
}


@pytest.mark.parametrize("name", LOSSES_IN_D1)
def test_where_deletions_or_changes_are_not_known_a_full_backup_begins_and_an_alarm_says_so(
    name: str, story: Story, tmp_path: Path
) -> None:
    statements, reason = LOSSES_IN_D1[name]
    OUTSIDE.database.executescript(statements)
    if name == "a trigger for a while":
        [[trigger]] = OUTSIDE.database.execute("SELECT sql FROM kept").fetchall()
        OUTSIDE.database.executescript(f"{trigger}; DROP TABLE kept")
    start = f"{OUTSIDE.now:%Y-%m-%d %H:%M:%S}"
    let_hours_pass(story)
    verified = verified_since(start)
    assert verified
    for backup_id in verified:
        rows = restored_rows(tmp_path, backup_id)
    [[live]] = OUTSIDE.database.execute("SELECT count(*) FROM tracking_events").fetchall()
    assert abs(rows["tracking_events"] - live) <= 2  # of after the last one
    assert reason in alerts("backup_chain_broken")[0]
    assert "full" in kinds()[1:]


def test_logs_of_the_old_worker_expire_and_hourly_backups_go_on(
    story: Story, tmp_path: Path
) -> None:
    OUTSIDE.database.execute(
        "INSERT INTO system_logs (timestamp, level, category, action, message)"
        " VALUES (datetime('now'), 'INFO', 'sync', 'sync', 'old')"
    )
    let_hours_pass(story)
    assert restored_rows(tmp_path, verified_since("")[-1])["system_logs"] == 1
    OUTSIDE.database.execute("UPDATE system_logs SET timestamp = '2020-01-01 00:00:00'")
    let_hours_pass(story)
    assert restored_rows(tmp_path, verified_since("")[-1])["system_logs"] == 0
    assert set(kinds()[1:]) == {"hourly"}


def test_nothing_is_broken_by_changes_deletions_and_erasures(story: Story, tmp_path: Path) -> None:
    for number in range(4):
        OUTSIDE.database.execute("DELETE FROM tracking_events WHERE id = ?", (3 + number,))
        story.erase(f"p{number * 10}@client.example")
        let_hours_pass(story, 1)
    assert set(kinds()[1:]) == {"hourly"}
    assert not alerts("backup_chain_broken")
    restored_rows(tmp_path, verified_since("")[-1])
