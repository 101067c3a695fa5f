"""The database as the old JavaScript Worker leaves it: its migrations, its columns, its rows."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.harness.migrating import MIGRATIONS
from tests.worker.local_d1 import LocalD1, column_of, insert

# Recorded in production under these names. 0012 holds client data and exists only there.
MIGRATIONS_OF_THIS_REPOSITORY = (
    "0001_create_initial_schema.sql",
    "0002_add_form_data_capture.sql",
    "0003_add_utm_session_fields.sql",
    "0004_add_custom_ad_parameters.sql",
    "0005_add_system_logs.sql",
    "0006_unpack_custom_utm_to_columns.sql",
    "0007_remove_custom_utm_column.sql",
    "0008_seed_initial_data.sql",
    "0009_add_performance_indexes.sql",
    "0010_add_pipedrive_sync_status.sql",
    "0011_add_retry_tracking.sql",
)
MIGRATION_OF_PRODUCTION_ONLY = "0012_add_new_projects.sql"

COLUMNS = {
    "projects": "id name webhook_url configuration created_at updated_at active",
    "pixels": "id project_id name website_url configuration created_at updated_at active",
    "visitors": "id visitor_cookie first_seen last_seen visit_count user_agent ip_address",
    "sessions": (
        "id visitor_id pixel_id session_cookie started_at last_activity page_views"
        " utm_source utm_medium utm_campaign utm_content utm_term"
        " campaign_region ad_group ad_id search_query"
    ),
    "tracking_events": (
        "id project_id pixel_id visitor_id session_id event_type"
        " utm_source utm_medium utm_campaign utm_content utm_term custom_utm"
        " page_url referrer_url page_title user_agent ip_address country region city"
        " browser_data device_data viewport_data timestamp created_at zapier_sent zapier_sent_at"
        " archived form_data campaign_region ad_group ad_id search_query"
        " gclid fbclid msclkid ttclid twclid li_fat_id sc_click_id"
        " pipedrive_sync_status pipedrive_sync_at pipedrive_person_id pipedrive_retry_count"
        " pipedrive_last_retry_at"
    ),
    "system_logs": (
        "id timestamp level category action message context event_id visitor_id pixel_id"
        " error_code processing_time ip_address user_agent"
    ),
}

# The old Worker wrote the second one and never read it.
OLD_CONFIGURATION = '{"pipedrive_enabled": false, "retention_days": 180}'
LONG_AGO = "2025-01-02 03:04:05"
LAST_ID_EVER_GIVEN = 900


def inherited_database(folder: Path) -> LocalD1:
    """0001 to 0011 applied and 0012 recorded, with rows, and with index names of its own."""
    # As one file, because wrangler starts workerd anew for each one.
    old_migrations = folder / "old_migrations"
    old_migrations.mkdir(parents=True)
    first, *later = MIGRATIONS_OF_THIS_REPOSITORY
    sql = [(MIGRATIONS / name).read_text() for name in MIGRATIONS_OF_THIS_REPOSITORY]
    (old_migrations / first).write_text("\n".join(sql))
    d1 = LocalD1(folder)
    d1.apply(old_migrations)

    database = d1.connect()
    with database:
        for name in (*later, MIGRATION_OF_PRODUCTION_ONLY):
            insert(database, "d1_migrations", name=name)
        _rename_indexes_and_triggers(database)
        _add_clients(database)
        _add_visitors(database)
        _add_sessions(database)
        _add_bytes(database)
        _add_events(database)
        _add_logs(database)
    database.close()
    return d1


def _rename_indexes_and_triggers(database: sqlite3.Connection) -> None:
    """Nobody here knows what production calls them."""
    named = database.execute(
        "SELECT type, name, sql FROM sqlite_master"
        " WHERE type IN ('index', 'trigger') AND sql IS NOT NULL"
    ).fetchall()
    for kind, name, sql in named:
        database.execute(f"DROP {kind} {name}")
        database.execute(sql.replace(name, f"production_{name}", 1))


def _add_clients(database: sqlite3.Connection) -> None:
    for number, name in enumerate(("Acme", "Globex"), start=1):
        project_id = f"project-{number}"
        insert(
            database,
            "projects",
            id=project_id,
            name=name,
            webhook_url=f"https://hooks.example.com/{number}",
            configuration=OLD_CONFIGURATION,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
            active=number % 2,
        )
        for site in ("shop", "blog"):
            insert(
                database,
                "pixels",
                id=f"pixel-{number}-{site}",
                project_id=project_id,
                name=site,
                website_url=f"https://{site}.example.com",
                created_at=LONG_AGO,
                updated_at=LONG_AGO,
            )


def _add_visitors(database: sqlite3.Connection) -> None:
    for name in ("campaign", "click", "direct", "silent", "unseen"):
        insert(
            database,
            "visitors",
            id=name,
            visitor_cookie=f"pxl_{name}",
            first_seen=LONG_AGO,
            last_seen="2025-06-07 08:09:10",
            visit_count=3,
            user_agent="Mozilla/5.0 (X11; Linux x86_64)",
            ip_address="203.0.113.7",
        )


def _add_sessions(database: sqlite3.Connection) -> None:
    of_campaign: dict[str, object] = {
        "utm_source": "google",
        "utm_medium": "none",
        "utm_campaign": "spring",
        "ad_group": "shoes",
    }
    fallback: dict[str, object] = {
        "utm_source": "direct",
        "utm_medium": "unknown",
        "utm_campaign": "none",
        "ad_group": "shoes",
    }
    for visitor, touch in (("campaign", of_campaign), ("direct", fallback), ("silent", {})):
        insert(
            database,
            "sessions",
            id=f"session-{visitor}",
            visitor_id=visitor,
            pixel_id="pixel-1-shop",
            session_cookie=f"sess_{visitor}",
            started_at=LONG_AGO,
            last_activity="2025-01-02 03:34:05",
            page_views=4,
            **touch,
        )


def _add_events(database: sqlite3.Connection) -> None:
    direct = {"utm_source": "direct", "utm_medium": "none", "utm_campaign": "none"}
    unknown = {"utm_source": "direct", "utm_medium": "unknown", "utm_campaign": "unknown"}
    empty_values = {"utm_source": "", "utm_medium": "null", "gclid": "undefined"}
    google = {"utm_source": "google", "utm_medium": "none", "utm_campaign": "spring"}
    facebook = {"utm_source": "facebook", "utm_medium": "paid", "fbclid": "IwAR"}

    _add_event(database, "campaign", **direct)
    _add_event(database, "campaign", **google, utm_term="red 'shoes'", gclid="Cj0", ad_id="7")
    _add_event(database, "campaign", **facebook)
    _add_event(database, "direct", **direct)
    _add_event(database, "direct", **unknown, ad_group="shoes")
    _add_event(database, "silent", **empty_values)
    _add_event(database, "click", **unknown, msclkid="ms-1", search_query="läufer")
    _add_event(database, "click", **google)
    _add_event(database, None, **google)
    form = '"{\\"email\\":\\"ada@example.org\\"}"'
    _add_event(database, "click", event_type="form_submit", form_data=form, archived=1)

    _add_event(
        database, "click", event_type="form_submit", form_data=form, created_at=_an_hour_ago()
    )
    # The old Worker bound the person's number as a float into a column of text.
    for person in ("77", "77.0"):
        _add_event(
            database,
            "click",
            event_type="form_submit",
            form_data=form,
            pipedrive_sync_status="synced",
            pipedrive_person_id=person,
        )

    for other_type in ("form_submission", "pageview", "click"):
        _add_event(database, "unseen", event_type=other_type, form_data=form)

    every_column = COLUMNS["tracking_events"].split()
    values: dict[str, object] = {name: f"value of {name}" for name in every_column}
    references = {
        "id": LAST_ID_EVER_GIVEN - 1,
        "project_id": "project-1",
        "pixel_id": "pixel-1-blog",
        "visitor_id": "campaign",
        "session_id": "session-campaign",
    }
    insert(database, "tracking_events", **values | references)

    insert(database, "tracking_events", id=LAST_ID_EVER_GIVEN, pixel_id="pixel-1-shop")
    database.execute("DELETE FROM tracking_events WHERE id = ?", (LAST_ID_EVER_GIVEN,))


def _add_event(database: sqlite3.Connection, visitor: str | None, **values: object) -> None:
    sessions = column_of(database, "SELECT id FROM sessions WHERE visitor_id = ?", visitor)
    insert(
        database,
        "tracking_events",
        project_id="project-1",
        pixel_id="pixel-1-shop",
        visitor_id=visitor,
        session_id=sessions[0] if sessions else None,
        page_url="https://shop.example.com/?utm_source=google",
        **{"timestamp": LONG_AGO, "created_at": LONG_AGO, **values},
    )


def _an_hour_ago() -> str:
    return (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S")


def _add_logs(database: sqlite3.Connection) -> None:
    insert(
        database,
        "system_logs",
        timestamp=LONG_AGO,
        level="WARN",
        category="tracking",
        action="insert",
        message="slow; it's fine",
        processing_time=12,
    )


def _add_bytes(database: sqlite3.Connection) -> None:
    """What D1 made of arrays that a page sent, where the old Worker bound them as they were."""
    insert(database, "visitors", id="bytes", visitor_cookie="pxl_bytes", user_agent=b"")
    insert(
        database, "sessions", id="session-bytes", visitor_id="bytes", pixel_id="pixel-1-shop",
        session_cookie="sess_bytes", utm_source="google", utm_campaign=b"", search_query=b"shoes",
        last_activity=_an_hour_ago(),
    )  # fmt: skip
    click_ids = ("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id")
    bound = ("search_query", "campaign_region", "ad_group", "ad_id", "event_type", "user_agent")
    for content in (b"", b"AB", b"\xff", b"\x07"):
        _add_event(database, "bytes", **dict.fromkeys((*click_ids, *bound), content))
    _add_event(database, "bytes", utm_source="google", page_title="Schön", gclid=b"")
