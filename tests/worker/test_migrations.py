"""The database a deploy finds, a fresh one and the inherited one, after `d1 migrations apply`."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from services.core.click_ids import CLICK_DETAILS, OTHER_CLICK_IDS
from services.core.stored_time import NEVER_DUE
from services.privacy.retention import DELETE_OLD_SESSIONS, PIXELS_WITH_RETENTION
from services.privacy.statements import DELETE_EVENTS, DELETE_SESSIONS
from tests.harness.migrating import MIGRATIONS
from tests.harness.prepared import database_file, migrated_storage
from tests.worker.inherited import (
    COLUMNS,
    LAST_ID_EVER_GIVEN,
    LONG_AGO,
    MIGRATION_OF_PRODUCTION_ONLY,
    MIGRATIONS_OF_THIS_REPOSITORY,
    OLD_CONFIGURATION,
    inherited_database,
)
from tests.worker.local_d1 import LocalD1, Row, column_of, insert, rows

ALL_MIGRATIONS = tuple(sorted(file.name for file in MIGRATIONS.glob("*.sql")))
NEW_MIGRATIONS = tuple(name for name in ALL_MIGRATIONS if name >= "0013")
NEW_COLUMNS = {
    "visitors": ["first_touch", "first_touches"],
    "sessions": ["touch", "owning_project_id"],
    "tracking_events": [
        *("event_key", "touch_origin"),
        *("pipedrive_due_at", "pipedrive_lease", "pipedrive_sync_reason"),
        *("visitor_sequence", "form_outcome", "event_name", "event_data", "click_ids"),
        "suspicious",
    ],
}
NAMED_INDEXES = [
    "sessions_by_visitor",
    "tracking_events_by_form",
    "tracking_events_by_other_form",
    "tracking_events_by_pixel",
    "tracking_events_by_sync_status",
    "tracking_events_by_visitor",
]
# What SQLite makes by itself for PRIMARY KEY and UNIQUE. WITHOUT ROWID, the first is the table.
KEYS = {"projects": 2, "pixels": 2, "visitors": 2, "sessions": 2, "tracking_events": 0}

COUNT_THE_LAST = "0026_count_the_last_of_a_name.sql"
KEEP_CONFIGURATIONS = "0027_keep_old_configurations.sql"
MOVED_CONFIGURATION = '{"pipedrive_enabled":false,"legacy":{"retention_days":180}}'

_COLUMNS_OF = "SELECT name FROM pragma_table_info(?)"

Content = dict[str, list[Row]]


@dataclass(frozen=True)
class Upgrade:
    d1: LocalD1
    before: Content
    indexes_before: dict[str, object]
    output: str
    output_of_second_run: str


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    d1 = inherited_database(tmp_path_factory.mktemp("inherited"))
    database = d1.connect()
    before = _content(database)
    indexes = {
        table: column_of(
            database, "SELECT count(*) FROM pragma_index_list(?) WHERE origin = 'c'", table
        )[0]
        for table in COLUMNS
    }
    database.close()
    return Upgrade(d1, before, indexes, output=d1.apply(), output_of_second_run=d1.apply())


@pytest.fixture(scope="module")
def fresh_d1(tmp_path_factory: pytest.TempPathFactory) -> LocalD1:
    d1 = LocalD1(tmp_path_factory.mktemp("fresh"))
    d1.apply()
    return d1


@pytest.fixture
def upgraded(upgrade: Upgrade) -> Iterator[sqlite3.Connection]:
    database = upgrade.d1.copy()
    yield database
    database.close()


@pytest.fixture
def fresh(fresh_d1: LocalD1) -> Iterator[sqlite3.Connection]:
    database = fresh_d1.copy()
    yield database
    database.close()


@pytest.fixture(params=["upgraded", "fresh"])
def migrated(request: pytest.FixtureRequest) -> sqlite3.Connection:
    """Either path, with a project, a pixel and a visitor to refer to."""
    database: sqlite3.Connection = request.getfixturevalue(request.param)
    insert(database, "projects", id="project", name="Client")
    insert(database, "pixels", id="pixel-of-client", project_id="project", name="site")
    insert(database, "visitors", id="visitor", visitor_cookie="pxl_0123456789abcdef")
    return database


def test_the_names_that_production_recorded_are_kept() -> None:
    old = tuple(name for name in ALL_MIGRATIONS if name < "0013")
    assert old == MIGRATIONS_OF_THIS_REPOSITORY


def test_the_inherited_database_has_the_columns_and_the_indexes_of_production(
    upgrade: Upgrade,
) -> None:
    for table, columns in COLUMNS.items():
        assert sorted(upgrade.before[table][0]) == sorted(columns.split()), table
    assert upgrade.indexes_before == {
        "projects": 0,
        "pixels": 0,
        "visitors": 2,
        "sessions": 4,
        "tracking_events": 20,
        "system_logs": 0,
    }


def test_in_one_workerd_they_make_the_database_that_wrangler_makes(
    fresh: sqlite3.Connection,
) -> None:
    """What most tests begin with is made without wrangler (tests/harness/migrating.py)."""
    schema = (
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '_cf_%'"
        " AND name <> 'd1_migrations' AND tbl_name <> 'd1_migrations' ORDER BY type, name"
    )
    recorded = "SELECT name FROM d1_migrations ORDER BY id"
    prepared = sqlite3.connect(f"file:{database_file(migrated_storage())}?mode=ro", uri=True)
    try:
        for sql in (schema, recorded):
            assert prepared.execute(sql).fetchall() == [tuple(row) for row in fresh.execute(sql)]
    finally:
        prepared.close()


def test_an_upgrade_runs_only_the_new_migrations(
    upgrade: Upgrade, upgraded: sqlite3.Connection
) -> None:
    assert not [name for name in MIGRATIONS_OF_THIS_REPOSITORY if name in upgrade.output]
    recorded = column_of(upgraded, "SELECT name FROM d1_migrations ORDER BY id")
    assert recorded == [
        *MIGRATIONS_OF_THIS_REPOSITORY,
        MIGRATION_OF_PRODUCTION_ONLY,
        *NEW_MIGRATIONS,
    ]


def test_a_second_run_has_nothing_to_do(upgrade: Upgrade) -> None:
    assert "No migrations to apply" in upgrade.output_of_second_run


def test_an_upgrade_keeps_every_value_of_every_row(
    upgrade: Upgrade, upgraded: sqlite3.Connection
) -> None:
    upgraded.execute("DELETE FROM projects WHERE id = 'ppp-default-project'")
    after = _content(upgraded)
    for table, rows_before in upgrade.before.items():
        assert rows_before, table
        for row in after[table]:
            # Moved below `legacy`; the test below shows how.
            if row.get("configuration") == MOVED_CONFIGURATION:
                row["configuration"] = OLD_CONFIGURATION
        of_old_columns = [{name: row[name] for name in rows_before[0]} for row in after[table]]
        assert of_old_columns == [_as_text(row) for row in rows_before], table


def _as_text(row: Row) -> Row:
    """A row whose bytes became text where they are plain text."""
    text = {name: _text_of(value) for name, value in row.items() if isinstance(value, bytes)}
    return {**row, **text}


def _text_of(content: bytes) -> str | None:
    is_plain = all(0x20 <= number <= 0x7E for number in content)
    return content.decode() if content and is_plain else None


def test_old_configurations_command_nothing_but_the_switch_of_the_sync(
    upgraded: sqlite3.Connection,
) -> None:
    texts = column_of(upgraded, "SELECT configuration FROM projects WHERE name <> 'PPP'")
    assert texts == [MOVED_CONFIGURATION] * 2
    assert json.loads(MOVED_CONFIGURATION) == {
        "pipedrive_enabled": False,
        "legacy": {"retention_days": 180},
    }
    assert rows(upgraded, PIXELS_WITH_RETENTION.replace("?1", "1")) == []


@pytest.mark.parametrize(
    ("before", "project", "pixel"),
    [
        ("{}", "{}", "{}"),
        (None, None, None),
        ("", "", ""),
        ("no JSON", "no JSON", "no JSON"),
        ("[1]", "[1]", "[1]"),
        (
            '{"pipedrive_enabled":true,"a":{"b":null}}',
            '{"pipedrive_enabled":true,"legacy":{"a":{"b":null}}}',
            '{"legacy":{"pipedrive_enabled":true,"a":{"b":null}}}',
        ),
        (
            '{"retention_days":1,"allowed_domains":["a.example"]}',
            '{"legacy":{"retention_days":1,"allowed_domains":["a.example"]}}',
            '{"legacy":{"retention_days":1,"allowed_domains":["a.example"]}}',
        ),
    ],
)
def test_whatever_an_old_configuration_holds_is_kept(
    migrated: sqlite3.Connection, before: str | None, project: str | None, pixel: str | None
) -> None:
    for table in ("projects", "pixels"):
        values = {"id": "old", "name": "old", "configuration": before, "updated_at": LONG_AGO}
        owner = {"project_id": "project"} if table == "pixels" else {}
        insert(migrated, table, **values, **owner)
    migrated.executescript((MIGRATIONS / KEEP_CONFIGURATIONS).read_text())
    for table, after in (("projects", project), ("pixels", pixel)):
        [row] = rows(migrated, f"SELECT configuration, updated_at FROM {table} WHERE id = 'old'")
        assert row == {"configuration": after, "updated_at": LONG_AGO}


@pytest.mark.parametrize(
    ("names", "enabled"),
    [
        ('"pipedrive_enabled":true,"pipedrive_enabled":false', False),
        ('"pipedrive_enabled":false,"a":1,"pipedrive_enabled":true', True),
        ('"pipedrive_enabled":true,"pipedrive_enabled":true,"pipedrive_enabled":null', None),
        ('"pipedrive_enabled":true,"pipedrive_enabled":"a\\"b"', 'a"b'),
        ('"pipedrive_enabled":true,"pipedrive_enabled":{"a":[1]}', {"a": [1]}),
        ('"pipedrive_enabled":true,"pipedrive_enabled":0', 0),
        ('"pipedrive_enabled":true,"a":{"pipedrive_enabled":false}', True),
    ],
)
def test_of_a_name_that_an_old_configuration_has_twice_the_last_one_counts(
    migrated: sqlite3.Connection, names: str, enabled: object
) -> None:
    old = {"id": "old", "name": "old", "configuration": f"{{{names}}}", "updated_at": LONG_AGO}
    insert(migrated, "projects", **old)
    insert(migrated, "projects", id="odd", name="odd", configuration="no JSON")
    for file in (COUNT_THE_LAST, KEEP_CONFIGURATIONS):
        migrated.executescript((MIGRATIONS / file).read_text())
    [row] = rows(migrated, "SELECT configuration, updated_at FROM projects WHERE id = 'old'")
    assert json.loads(str(row["configuration"]))["pipedrive_enabled"] == enabled
    assert row["updated_at"] == LONG_AGO


def test_an_upgrade_does_not_touch_the_time_a_project_was_updated(
    upgraded: sqlite3.Connection,
) -> None:
    times = column_of(upgraded, "SELECT updated_at FROM projects WHERE name <> 'PPP'")
    assert times == [LONG_AGO, LONG_AGO]


def test_an_update_still_stamps_projects_and_pixels(migrated: sqlite3.Connection) -> None:
    for table in ("projects", "pixels"):
        migrated.execute(f"UPDATE {table} SET updated_at = ?", (LONG_AGO,))
        migrated.execute(f"UPDATE {table} SET active = 0")
        assert LONG_AGO not in column_of(
            migrated,
            f"SELECT updated_at FROM {table}",
        )


def test_both_paths_end_in_the_same_tables(
    upgraded: sqlite3.Connection, fresh: sqlite3.Connection
) -> None:
    tables = "SELECT name, sql FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
    assert rows(upgraded, tables) == rows(fresh, tables)


def test_the_new_columns_are_there_and_no_old_one_is_missing(
    migrated: sqlite3.Connection,
) -> None:
    for table, columns in COLUMNS.items():
        expected = columns.split() + NEW_COLUMNS.get(table, [])
        present = [str(name) for name in column_of(migrated, _COLUMNS_OF, table)]
        assert sorted(present) == sorted(expected), table


def test_only_indexes_that_serve_a_query_are_left(migrated: sqlite3.Connection) -> None:
    indexes = _indexes_of(migrated, *KEYS)
    assert sorted(name for name in indexes if not name.startswith("sqlite_")) == NAMED_INDEXES
    for table, count in KEYS.items():
        automatic = [
            name for name in _indexes_of(migrated, table) if name.startswith("sqlite_autoindex")
        ]
        assert len(automatic) == count, table


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            """
            SELECT count(*), count(DISTINCT visitor_id), count(DISTINCT session_id),
              count(DISTINCT page_url)
            FROM tracking_events WHERE pixel_id = 'p' AND timestamp >= 'a' AND timestamp < 'b'
            """,
            "COVERING INDEX tracking_events_by_pixel (pixel_id=? AND timestamp>? AND timestamp<?)",
        ),
        (
            """
            SELECT utm_source, utm_medium, utm_campaign, count(*) FROM tracking_events
            WHERE pixel_id = 'p' AND timestamp >= 'a' GROUP BY 1, 2, 3
            """,
            "COVERING INDEX tracking_events_by_pixel (pixel_id=? AND timestamp>?)",
        ),
        (
            "SELECT * FROM tracking_events WHERE visitor_id = 'v'",
            "INDEX tracking_events_by_visitor (visitor_id=?)",
        ),
        (
            """
            SELECT * FROM tracking_events
            WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL
              AND coalesce(pipedrive_due_at, '') <= 'now'
            ORDER BY coalesce(pipedrive_due_at, '') LIMIT 50
            """,
            "INDEX tracking_events_by_sync_status (pipedrive_sync_status=? AND <expr><?)",
        ),
        (
            """
            SELECT * FROM sessions WHERE visitor_id = 'v' AND owning_project_id = 'p'
            ORDER BY started_at DESC LIMIT 1
            """,
            "INDEX sessions_by_visitor (visitor_id=? AND owning_project_id=?)",
        ),
        (
            "SELECT 1 FROM tracking_events WHERE visitor_id = 'v' AND session_id = 's'",
            "INDEX tracking_events_by_visitor (visitor_id=?)",
        ),
    ],
)
def test_each_index_answers_its_query_without_sorting_or_scanning(
    fresh: sqlite3.Connection, query: str, index: str
) -> None:
    plan = [str(row["detail"]) for row in rows(fresh, f"EXPLAIN QUERY PLAN {query}")]
    assert [step for step in plan if step.endswith(index)]
    assert not [step for step in plan if "SCAN" in step or "ORDER BY" in step]


def test_a_parent_is_deleted_without_scanning_its_children(migrated: sqlite3.Connection) -> None:
    for table in ("pixels", "sessions", "tracking_events"):
        leading = {
            column_of(migrated, "SELECT name FROM pragma_index_info(?) WHERE seqno = 0", index)[0]
            for index in _indexes_of(migrated, table)
        }
        references = set(
            column_of(migrated, 'SELECT "from" FROM pragma_foreign_key_list(?)', table)
        )
        assert references <= leading, table


@pytest.mark.parametrize(
    ("visitor", "first_touch"),
    [
        (
            "campaign",
            {
                "utm_source": "google",
                "utm_campaign": "spring",
                "utm_term": "red 'shoes'",
                "gclid": "Cj0",
                "ad_id": "7",
                "origin": "inherited",
            },
        ),
        ("click", {"msclkid": "ms-1", "search_query": "läufer", "origin": "inherited"}),
        ("direct", None),
        ("silent", None),
        ("unseen", None),
    ],
)
def test_an_inherited_visitor_gets_the_first_real_touch_among_its_events(
    upgraded: sqlite3.Connection, visitor: str, first_touch: dict[str, str] | None
) -> None:
    (stored,) = column_of(upgraded, "SELECT first_touch FROM visitors WHERE id = ?", visitor)
    assert _from_json(stored) == first_touch


@pytest.mark.parametrize(
    ("session", "touch"),
    [
        (
            "session-campaign",
            {
                "utm_source": "google",
                "utm_campaign": "spring",
                "ad_group": "shoes",
                "origin": "inherited",
            },
        ),
        ("session-direct", None),
        ("session-silent", None),
    ],
)
def test_an_inherited_session_gets_its_touch_if_it_is_a_real_one(
    upgraded: sqlite3.Connection, session: str, touch: dict[str, str] | None
) -> None:
    (stored,) = column_of(upgraded, "SELECT touch FROM sessions WHERE id = ?", session)
    assert _from_json(stored) == touch


def test_an_inherited_session_that_may_go_on_gets_the_project_of_its_pixel(
    upgraded: sqlite3.Connection,
) -> None:
    sessions = rows(upgraded, "SELECT id, owning_project_id FROM sessions")
    assert {session["id"]: session["owning_project_id"] for session in sessions} == {
        **dict.fromkeys(("session-campaign", "session-direct", "session-silent")),
        # Of the last hour.
        "session-bytes": "project-1",
    }


@pytest.mark.parametrize(
    ("written", "project"),
    [
        ({"pixel_id": "pixel-of-client"}, "project"),
        ({"pixel_id": b"pixel-of-client"}, "project"),
        ({"pixel_id": "deleted"}, None),
        ({"pixel_id": None}, None),
        ({"pixel_id": "pixel-of-client", "owning_project_id": "written"}, "written"),
    ],
)
def test_a_session_of_a_worker_that_writes_no_project_gets_that_of_its_pixel(
    migrated: sqlite3.Connection, written: dict[str, object], project: str | None
) -> None:
    insert(migrated, "sessions", id="s", visitor_id="visitor", session_cookie="s", **written)
    assert column_of(migrated, "SELECT owning_project_id FROM sessions WHERE id = 's'") == [project]


def test_an_id_of_a_deleted_event_is_not_given_again(upgraded: sqlite3.Connection) -> None:
    insert(upgraded, "tracking_events", pixel_id="pixel-1-shop")
    assert column_of(upgraded, "SELECT max(id) FROM tracking_events") == [LAST_ID_EVER_GIVEN + 1]


def test_a_lead_that_the_old_worker_never_synced_is_not_sent_years_later(
    upgraded: sqlite3.Connection,
) -> None:
    (old,) = rows(
        upgraded,
        "SELECT * FROM tracking_events WHERE event_type = 'form_submit'"
        " AND pipedrive_sync_status IS NULL AND created_at = ?",
        LONG_AGO,
    )
    assert old["pipedrive_sync_status"] is None
    assert old["pipedrive_due_at"] == NEVER_DUE


def test_a_lead_of_the_last_days_is_due_at_once(upgraded: sqlite3.Connection) -> None:
    (recent,) = rows(
        upgraded,
        "SELECT * FROM tracking_events WHERE event_type = 'form_submit'"
        " AND pipedrive_sync_status IS NULL AND created_at > ?",
        LONG_AGO,
    )
    assert recent["pipedrive_due_at"] is None


def test_who_the_old_worker_wrote_is_known_with_the_newest_event(
    upgraded: sqlite3.Connection,
) -> None:
    events = rows(
        upgraded,
        "SELECT id FROM tracking_events WHERE pipedrive_sync_status = 'synced'"
        " AND event_type = 'form_submit' ORDER BY id",
    )
    newest = events[-1]["id"]
    assert rows(upgraded, "SELECT * FROM pipedrive_persons") == [
        {
            "destination": "default",
            "person_id": 77,
            "claimed_event_id": newest,
            "written_event_id": newest,
        }
    ]


def test_a_project_needs_no_webhook(migrated: sqlite3.Connection) -> None:
    assert column_of(migrated, "SELECT webhook_url FROM projects WHERE id = 'project'") == [None]


def test_an_event_that_is_sent_twice_is_refused_by_its_key(migrated: sqlite3.Connection) -> None:
    event = {"pixel_id": "pixel-of-client", "visitor_id": "visitor", "event_key": "key-1"}
    insert(migrated, "tracking_events", **event)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert(migrated, "tracking_events", **event)


def test_events_of_old_pixels_have_no_key_and_are_never_refused(
    migrated: sqlite3.Connection,
) -> None:
    event = {"pixel_id": "pixel-of-client", "visitor_id": "visitor", "event_key": None}
    insert(migrated, "tracking_events", **event)
    insert(migrated, "tracking_events", **event)


def test_the_old_worker_runs_on_the_new_tables_after_a_rollback(
    migrated: sqlite3.Connection,
) -> None:
    insert(
        migrated,
        "visitors",
        id="v-old",
        visitor_cookie="pxl_fedcba9876543210",
        user_agent="Mozilla/5.0",
        ip_address="203.0.113.8",
    )
    migrated.execute(
        "UPDATE visitors SET last_seen = datetime('now'), visit_count = visit_count + 1"
        " WHERE id = 'v-old'"
    )
    insert(
        migrated,
        "sessions",
        id="s-old",
        visitor_id="v-old",
        pixel_id="pixel-of-client",
        session_cookie="sess_old",
        started_at=LONG_AGO,
        last_activity=LONG_AGO,
        page_views=1,
        utm_source="direct",
        utm_medium="none",
        utm_campaign="none",
        utm_content=None,
        utm_term=None,
    )
    migrated.execute(
        "UPDATE sessions SET last_activity = datetime('now'), page_views = page_views + 1,"
        " utm_source = 'google' WHERE session_cookie = 'sess_old'"
    )
    insert(
        migrated,
        "tracking_events",
        project_id="project",
        pixel_id="pixel-of-client",
        visitor_id="v-old",
        session_id="s-old",
        event_type="form_submit",
        page_url="https://shop.example.com/",
        form_data='{"email":"ada@example.org"}',
    )
    migrated.execute(
        "UPDATE tracking_events SET pipedrive_sync_status = 'synced', archived = 1"
        " WHERE session_id = 's-old'"
    )
    (event,) = rows(migrated, "SELECT * FROM tracking_events WHERE archived AND visitor_id='v-old'")
    assert event["timestamp"]
    assert event["pipedrive_retry_count"] == 0
    assert event["zapier_sent"] == 0
    migrated.execute("DELETE FROM tracking_events WHERE archived = 1")


# As the old Worker's cron has them, every five minutes, with ISO strings.
OLD_CRON_MARKS = "UPDATE tracking_events SET archived = 1 WHERE created_at < ? AND archived = 0"
OLD_CRON_CLEANS = "DELETE FROM sessions WHERE last_activity < ?"
OLD_CRON_RETRIES = (
    """
    SELECT id, form_data, pipedrive_retry_count FROM tracking_events
    WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL
      AND pipedrive_retry_count < 3 AND created_at < datetime('now', '-15 minutes') LIMIT 10
    """,
    """
    UPDATE tracking_events
    SET pipedrive_retry_count = 1, pipedrive_last_retry_at = datetime('now') WHERE id = 1
    """,
    """
    UPDATE tracking_events SET pipedrive_sync_status = 'synced',
      pipedrive_sync_at = datetime('now'), pipedrive_person_id = 77.0
    WHERE id = 1
    """,
)
# As the old Worker writes it; later than every row that a test of this file writes.
ISO_NOW = "2099-01-01T00:00:00.000Z"


def test_the_old_workers_cron_deletes_no_session_that_has_events(
    upgraded: sqlite3.Connection,
) -> None:
    before = rows(upgraded, "SELECT * FROM sessions ORDER BY id")
    insert(
        upgraded, "sessions", id="aaa", visitor_id="direct", session_cookie="a", touch="{}",
        last_activity=LONG_AGO,
    )  # fmt: skip
    upgraded.commit()
    with pytest.raises(sqlite3.IntegrityError, match="a session with events stays"):
        upgraded.execute(OLD_CRON_CLEANS, (ISO_NOW,))
    # Not even the one without events, because the statement fails as a whole.
    assert column_of(upgraded, "SELECT count(*) FROM sessions") == [len(before) + 1]
    assert rows(upgraded, "SELECT * FROM sessions WHERE id <> 'aaa' ORDER BY id") == before


def test_the_other_statements_of_the_old_workers_cron_run(upgraded: sqlite3.Connection) -> None:
    numbers = column_of(upgraded, "SELECT count(*) FROM tracking_events")
    for statement in OLD_CRON_RETRIES:
        upgraded.execute(statement).fetchall()
    upgraded.execute(OLD_CRON_MARKS, (ISO_NOW,))
    assert column_of(upgraded, "SELECT count(*) FROM tracking_events WHERE archived = 0") == [0]
    assert column_of(upgraded, "SELECT count(*) FROM tracking_events") == numbers


def test_retention_and_erasure_delete_the_sessions_of_an_inherited_database(
    upgraded: sqlite3.Connection,
) -> None:
    kept = {"session": "", "last": "z", "sessions_before": ISO_NOW}
    sessions = "SELECT id FROM sessions ORDER BY id"
    everyone = column_of(upgraded, sessions)
    assert column_of(upgraded, DELETE_OLD_SESSIONS, json.dumps(kept)) == []
    upgraded.execute(DELETE_SESSIONS, (json.dumps({"ids": everyone}),))
    assert column_of(upgraded, sessions) == everyone

    ids = column_of(upgraded, "SELECT id FROM tracking_events WHERE visitor_id = 'direct'")
    parameters = json.dumps({"ids": ids, "now": LONG_AGO})
    assert upgraded.execute(DELETE_EVENTS, (parameters,)).rowcount == len(ids)
    upgraded.execute(DELETE_SESSIONS, (json.dumps({"ids": everyone}),))
    assert column_of(upgraded, sessions) == [name for name in everyone if name != "session-direct"]

    upgraded.execute("DELETE FROM tracking_events WHERE session_id = 'session-silent'")
    deleted = column_of(upgraded, DELETE_OLD_SESSIONS, json.dumps(kept))
    assert deleted == ["session-silent"]


def test_what_the_old_worker_wrote_between_the_migrations_gets_its_touch(
    upgraded: sqlite3.Connection,
) -> None:
    touches = (
        "SELECT id, touch AS touch FROM sessions"
        " UNION ALL SELECT id, first_touch FROM visitors ORDER BY id"
    )
    expected = rows(upgraded, touches)
    upgraded.execute("UPDATE sessions SET touch = NULL")
    upgraded.execute("UPDATE visitors SET first_touch = NULL")
    backfill = (MIGRATIONS / "0030_backfill_touches_again.sql").read_text()
    upgraded.executescript(backfill)
    assert rows(upgraded, touches) == expected

    upgraded.execute("UPDATE sessions SET touch = '{}'")
    upgraded.execute("UPDATE visitors SET first_touch = '{}'")
    upgraded.executescript(backfill)
    assert {row["touch"] for row in rows(upgraded, touches)} == {"{}"}


SPRING = {"utm_source": "google", "utm_campaign": "spring", "gclid": "G1"}
AUTUMN = {"utm_source": "bing", "utm_campaign": "autumn", "msclkid": "M1"}


def test_an_inherited_first_touch_is_that_of_the_project_it_was_seen_by(
    upgraded: sqlite3.Connection,
) -> None:
    for visitor in rows(upgraded, "SELECT * FROM visitors"):
        expected = {"project-1": _from_json(visitor["first_touch"])}
        touches = _from_json(visitor["first_touches"])
        assert touches == (expected if visitor["first_touch"] else None), visitor["id"]


def _visit(
    database: sqlite3.Connection, pixel: str, touch_origin: str | None, **touch: object
) -> None:
    """An event of the visitor `both`, as a Worker that knows one first touch only stored it."""
    number = column_of(database, "SELECT count(*) FROM tracking_events")[0]
    insert(
        database, "tracking_events", visitor_id="both", pixel_id=f"pixel-{pixel}",
        project_id="said by a page", session_id=f"session-{pixel}", touch_origin=touch_origin,
        timestamp=f"2026-02-{number:02}", **touch,
    )  # fmt: skip


def _touches_of_both(database: sqlite3.Connection) -> object:
    """The touches after the backfill, without their origins."""
    database.executescript((MIGRATIONS / "0032_backfill_touches_by_project.sql").read_text())
    (stored,) = column_of(database, "SELECT first_touches FROM visitors WHERE id = 'both'")
    touches = _from_json(stored)
    for touch in touches.values() if isinstance(touches, dict) else ():
        touch.pop("origin", None)
    return touches


@pytest.fixture
def shared(upgraded: sqlite3.Connection) -> sqlite3.Connection:
    """With a visitor of two projects, and without what the trigger would know of them."""
    upgraded.execute("DROP TRIGGER old_events_touch_their_visitor")
    insert(upgraded, "visitors", id="both", visitor_cookie="pxl_fedcba9876543210")
    return upgraded


def test_a_visitor_of_two_projects_gets_the_first_touch_of_each(
    shared: sqlite3.Connection,
) -> None:
    _visit(shared, "1-shop", None, utm_source="direct", utm_medium="unknown")
    _visit(shared, "1-shop", "page_url", **SPRING)
    _visit(shared, "1-blog", "page_url", **AUTUMN)
    _visit(shared, "2-shop", "visitor", **SPRING)
    assert _touches_of_both(shared) == {"project-1": SPRING}
    _visit(shared, "2-shop", None, **AUTUMN)
    assert _touches_of_both(shared) == {"project-1": SPRING, "project-2": AUTUMN}


def test_events_that_were_credited_to_another_project_lose_it(shared: sqlite3.Connection) -> None:
    events = "SELECT id, touch_origin, utm_source, gclid FROM tracking_events"
    before = rows(shared, events)
    _visit(shared, "1-shop", "page_url", **SPRING)
    _visit(shared, "1-shop", "visitor", **SPRING)
    _visit(shared, "2-shop", "visitor", **SPRING)
    _visit(shared, "2-shop", "page_url", **AUTUMN)
    _visit(shared, "2-blog", "visitor", **SPRING)
    _touches_of_both(shared)
    after = [tuple(row.values())[1:] for row in rows(shared, events)[len(before) :]]
    assert after == [
        ("page_url", "google", "G1"),
        ("visitor", "google", "G1"),
        ("visitor", "bing", None),
        ("page_url", "bing", None),
        ("visitor", "bing", None),
    ]
    assert rows(shared, events)[: len(before)] == before


def test_a_first_touch_whose_event_is_archived_is_told_by_what_is_left(
    shared: sqlite3.Connection,
) -> None:
    """An older session, or an event that was credited to it while no other project was there."""
    _visit(shared, "1-shop", "page_url", **AUTUMN)
    _visit(shared, "1-shop", "visitor", **SPRING)
    assert _touches_of_both(shared) == {"project-1": SPRING}
    session = {"visitor_id": "both", "session_cookie": "s", "touch": json.dumps(SPRING)}
    insert(shared, "sessions", id="s", pixel_id="pixel-2-blog", started_at="2026-01-01", **session)
    assert _touches_of_both(shared) == {"project-1": AUTUMN, "project-2": SPRING}
    shared.execute("UPDATE sessions SET pixel_id = 'pixel-1-blog' WHERE id = 's'")
    assert _touches_of_both(shared) == {"project-1": SPRING}


def test_a_fresh_database_holds_the_default_project_and_its_pixels(
    fresh: sqlite3.Connection,
) -> None:
    projects = rows(fresh, "SELECT id, name, webhook_url, configuration, active FROM projects")
    assert projects == [
        {
            "id": "ppp-default-project",
            "name": "PPP",
            "webhook_url": None,
            "configuration": "{}",
            "active": 1,
        }
    ]
    pixels = rows(fresh, "SELECT id, project_id, name, website_url FROM pixels ORDER BY id")
    assert [tuple(pixel.values()) for pixel in pixels] == [
        ("ppp-website-1", "ppp-default-project", "website1", None),
        ("ppp-website-2", "ppp-default-project", "website2", None),
        ("ppp-website-3", "ppp-default-project", "website3", None),
    ]


def test_an_inherited_database_gets_the_default_project_beside_its_own(
    upgraded: sqlite3.Connection,
) -> None:
    names = column_of(upgraded, "SELECT name FROM projects ORDER BY name")
    assert names == ["Acme", "Globex", "PPP"]


def test_the_seed_adds_nothing_twice(fresh: sqlite3.Connection) -> None:
    before = _content(fresh)
    _seed(fresh)
    assert _content(fresh) == before


def test_the_seed_leaves_an_existing_project_with_a_pixel_alone(
    fresh: sqlite3.Connection,
) -> None:
    fresh.execute("DELETE FROM projects")
    insert(fresh, "projects", id="own", name="PPP")
    insert(fresh, "pixels", id="own-pixel", project_id="own", name="website2")
    before = _content(fresh)
    _seed(fresh)
    assert _content(fresh) == before


def test_the_seed_gives_pixels_to_an_existing_project_that_has_none(
    fresh: sqlite3.Connection,
) -> None:
    fresh.execute("DELETE FROM projects")
    insert(fresh, "projects", id="own", name="PPP")
    _seed(fresh)
    assert column_of(fresh, "SELECT id FROM projects") == ["own"]
    assert column_of(fresh, "SELECT name FROM pixels WHERE project_id = 'own'") == [
        "website1",
        "website2",
        "website3",
    ]


CLICKED_PAGES = [
    ("?gbraid=0A%2D1&gad_source=1", None, {"gbraid": "0A-1", "gad_source": "1"}, "page_url"),
    ("?utm_id=7&utm_source_platform=Google%20Ads", "page_url",
     {"utm_id": "7", "utm_source_platform": "Google Ads"}, "page_url"),
    ("?a=1&amp;Rdt_Cid=r1&rdt_cid=r2#x", None, {"rdt_cid": "r1"}, "page_url"),
    ("?utm_id=7", None, None, None),
    ("?wbraid=", None, None, None),
    ("?my_gbraid=1&wbraids=2", None, None, None),
    ("?wbraid=w", "session", None, "session"),
    ("?wbraid=w", "visitor", None, "visitor"),
    ("?wbraid=w", "referrer", None, "referrer"),
    ("", None, None, None),
]  # fmt: skip


def test_stored_pages_give_their_click_ids_to_their_events(upgraded: sqlite3.Connection) -> None:
    insert(upgraded, "visitors", id="clicker", visitor_cookie="pxl_fedcba9876543211")
    before = rows(upgraded, "SELECT * FROM tracking_events")
    for number, (query, origin, *_) in enumerate(CLICKED_PAGES):
        insert(
            upgraded, "tracking_events", visitor_id="clicker", event_key=f"click-{number}",
            project_id="project-1", pixel_id="pixel-1-shop", touch_origin=origin,
            page_url=f"https://a.example/{query}", timestamp="2026-02-01 00:00:00",
        )  # fmt: skip
    for _ in range(2):
        backfill = (MIGRATIONS / "0041_backfill_click_ids.sql").read_text()
        upgraded.executescript(backfill)
        clicked = rows(
            upgraded,
            "SELECT click_ids, touch_origin FROM tracking_events"
            " WHERE visitor_id = 'clicker' ORDER BY id",
        )
        assert [(_from_json(row["click_ids"]), row["touch_origin"]) for row in clicked] == [
            (click_ids, origin) for _, _, click_ids, origin in CLICKED_PAGES
        ]
    others = "SELECT * FROM tracking_events WHERE visitor_id IS NOT 'clicker'"
    assert rows(upgraded, others) == before


def test_the_backfill_knows_the_names_that_the_code_reads() -> None:
    sql = (MIGRATIONS / "0041_backfill_click_ids.sql").read_text()
    listed = [re.findall("'([a-z_]+)'", names) for names in re.findall(r"name IN \(([^)]*)\)", sql)]
    # The code reads these two since, and rows from before keep them in their page's address only.
    details = [name for name in CLICK_DETAILS if name not in {"hsa_la", "hsa_ol"}]
    assert listed == [[*OTHER_CLICK_IDS, *details], [*OTHER_CLICK_IDS]]


def test_the_database_is_sound(migrated: sqlite3.Connection) -> None:
    assert rows(migrated, "PRAGMA foreign_key_check") == []
    assert column_of(migrated, "PRAGMA integrity_check") == ["ok"]


@pytest.mark.parametrize("name", ALL_MIGRATIONS)
def test_a_migration_is_written_so_that_the_remote_d1_splits_it_rightly(name: str) -> None:
    """It splits by itself, unlike the local one, and stumbles over valid SQL.

    https://github.com/cloudflare/workers-sdk/issues/4998, /4727, /14991
    """
    sql = (MIGRATIONS / name).read_bytes().decode()
    assert "\r" not in sql
    assert not re.search(r"\bCASE\b", sql, re.IGNORECASE)
    comments = re.findall("--(.*)", sql)
    assert not [comment for comment in comments if re.search("[;'\"`]", comment)]
    for line in sql.splitlines():
        if "CREATE TRIGGER" in line and not line.startswith("--"):
            assert " BEGIN " in line
            assert line.endswith(" END;")


def _content(database: sqlite3.Connection) -> Content:
    return {table: rows(database, f"SELECT * FROM {table} ORDER BY id") for table in COLUMNS}


def _indexes_of(database: sqlite3.Connection, *tables: str) -> list[str]:
    return [
        str(name)
        for table in tables
        for name in column_of(database, "SELECT name FROM pragma_index_list(?)", table)
    ]


def _from_json(stored: object) -> object:
    return None if stored is None else json.loads(str(stored))


def _seed(database: sqlite3.Connection) -> None:
    database.executescript((MIGRATIONS / "0019_seed_default_project.sql").read_text())


_IDENTITY = "SELECT id, generation FROM database_identity"


def test_every_database_has_one_identity_of_its_own(
    fresh: sqlite3.Connection, upgraded: sqlite3.Connection
) -> None:
    identities = [rows(database, _IDENTITY) for database in (fresh, upgraded)]
    values = [str(value) for [identity] in identities for value in identity.values()]
    assert all(re.fullmatch("[0-9a-f]{32}", value) for value in values)
    assert len(set(values)) == 4


def test_a_database_cannot_have_two_identities(migrated: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(migrated, "database_identity", id="a", generation="b")
