"""Every query that runs with each request finds its rows by index."""

from __future__ import annotations

import json
import re

import pytest

from services.archive.archive_run import FIND_DUE_PIXELS, READ_LAST_CHANGE, READ_PART
from services.archive.batches import (
    COUNT_ARCHIVED_OF_PIXEL,
    COUNT_ARCHIVED_OF_PROJECT,
    COUNT_ARCHIVED_SINCE,
    DELETE_ARCHIVED,
    DELETE_BATCHES_BEFORE,
    DELETE_EMPTY_BATCH,
    FIND_BATCHES,
    RECORD_BATCH,
    RECOUNT_BATCH,
)
from services.core.job_runs import BEGIN_RUN, RENEW_RUN
from services.monitoring.checks import COUNT_USUAL_DAYS
from services.monitoring.checks_run import LAST_RUN
from services.monitoring.metrics import (
    CALLS_TODAY,
    FAILED_REQUESTS,
    LAST_EVENT,
    LAST_RUNS,
    PENDING,
    RECENT_ACTIVITY,
    SYNC_ERRORS,
)
from services.privacy import statements as personal_rows
from services.privacy.request_table import (
    DELETE_OLD_REQUESTS,
    FIND_REQUEST,
    RECEIPT_PAGE,
    SAVE_REQUEST,
)
from services.privacy.retention import (
    DELETE_OLD_EVENTS,
    DELETE_OLD_LOGS,
    DELETE_OLD_SESSIONS,
    DELETE_OLD_VISITORS,
    END_OF_SESSION_STRETCH,
    END_OF_VISITOR_STRETCH,
    OLD_EVENTS,
    PIXELS_WITH_RETENTION,
    READ_WALK_POSITIONS,
)
from services.projects.entry_kinds import PIXEL_KIND, PROJECT_KIND, PROJECT_OF_PIXELS
from services.projects.legacy_register import (
    CHANGE_PIXEL,
    CHANGE_PROJECT,
    CREATE_PIXEL,
    CREATE_PROJECT,
    LIST_PROJECTS,
    PIXELS_OF_PROJECT,
    READ_PIXEL,
    READ_PROJECT,
    SWITCH_OFF_PIXEL,
    SWITCH_OFF_PIXELS,
    SWITCH_OFF_PROJECT,
)
from services.projects.pixel_cache import FIND_PIXEL
from services.reports.attribution_models import SHARES
from services.reports.breakdowns import BREAKDOWNS
from services.reports.export_pages import (
    CSV_BY_ID,
    END_OF_PART,
    FORMATS_WITHOUT_PERSONS,
    JSON_BY_ID,
    LEGACY_FORMATS,
    LEGACY_FORMATS_WITHOUT_PERSONS,
    PAGE_OF_CSV,
    PAGE_OF_JSON,
    SIZE_OF_PART,
)
from services.reports.export_with_archive import STORED_AMONG_ARCHIVED
from services.reports.legacy_statistics import (
    ACTIVE_PIXELS,
    CREDITED_RECENT_EVENTS,
    LEGACY_PROJECT_SUMMARY,
    PAGES_OF_ALL_EVENTS,
    SOURCES_ALONE,
)
from services.reports.legacy_utm_analysis import NEWEST_EVENTS
from services.reports.pixel_statistics import (
    DAILY_BREAKDOWN,
    DELIVERY,
    SUBMISSIONS,
    SUMMARY,
    TOP_PAGES,
    TOP_SOURCES,
)
from services.reports.project_statistics import (
    NEXT_PIXEL,
    PIXEL_BREAKDOWN,
    PROJECT_NAME,
    PROJECT_SUMMARY,
)
from services.reports.realtime import HOURLY_BREAKDOWN, RECENT_EVENTS
from services.reports.utm_analysis import CREDITED, PAGES
from services.sync.outbox_statements import (
    CLAIM_PERSONS,
    LEASE_DUE,
    LEASE_TIMED,
    READ_LEASED,
    READ_NEAR,
    SETTLE,
    SETTLE_PERSONS,
)
from services.tracking.missed_clicks import (
    ADD_CLICKS,
    END_OF_STRETCH,
    READ_LAST_RUN,
    READ_STRETCH,
)
from services.tracking.record_statements import (
    GIVE_WAY,
    RECORD_EVENT,
    RECORD_SESSION,
    RECORD_VISITOR,
)
from services.tracking.referrers import READ_SEEN
from services.tracking.site_directory import READ_SITES
from tests.harness.worker import Worker

PARAMETERS = json.dumps({"visitor_cookie": "0123456789abcdef", "pixel_id": "ppp-demo-pixel"})
SYNC = json.dumps({"now": "2026-01-01 00:00:00", "run": "r", "lease": "l", "most": 50})
SYNC_STATEMENTS = {
    "begin a run": BEGIN_RUN,
    "settle": SETTLE,
    "settle persons": SETTLE_PERSONS,
    "renew a run": RENEW_RUN,
    "lease by timer": LEASE_TIMED,
    "lease what is due": LEASE_DUE,
    "read what is leased": READ_LEASED,
    "read what is near it": READ_NEAR,
    "claim persons": CLAIM_PERSONS,
}
ENDS = {"from": "2026-01-01", "to": "2026-02-01"}
SPAN = json.dumps({"pixel_id": "ppp-demo-pixel", **ENDS, "offsets": [{**ENDS, "ahead": "+0 days"}]})
STATISTICS = {
    "summary": SUMMARY,
    "top sources": TOP_SOURCES,
    "top pages": TOP_PAGES,
    "daily breakdown": DAILY_BREAKDOWN,
    "submissions by outcome": SUBMISSIONS,
    "delivery": DELIVERY,
    "sources alone": SOURCES_ALONE,
    "pages of all events": PAGES_OF_ALL_EVENTS,
}
PROJECT_SHAPE = json.dumps({"project_id": "p", **ENDS, "cursor": "", "most": 100})
PROJECT_STATISTICS = {
    "active project": PROJECT_NAME,
    "summary of a project": PROJECT_SUMMARY,
    "breakdown by pixel": PIXEL_BREAKDOWN,
    "next pixel": NEXT_PIXEL,
    "archived of a project": COUNT_ARCHIVED_OF_PROJECT,
    "summary of a project, old address": LEGACY_PROJECT_SUMMARY,
    "active pixels, old address": ACTIVE_PIXELS,
}
BREAKDOWN = json.dumps({"pixel_id": "ppp-demo-pixel", **ENDS, "rows": 101, "window": 90})
BREAKDOWN_STATEMENTS = {
    f"by {by}, {attribution} touch": statement
    for (by, attribution), statement in BREAKDOWNS.items()
}
ENTRY = json.dumps({"id": "i", "project_id": "p", "name": "n", "cursor": "", "rows": 101})
MANAGEMENT = {
    "page of projects": PROJECT_KIND.page,
    "project": PROJECT_KIND.by_id,
    "project of pixels": PROJECT_OF_PIXELS,
    "project by name": PROJECT_KIND.by_name,
    "create a project": PROJECT_KIND.create,
    "change a project": PROJECT_KIND.change,
    "switch off a project": PROJECT_KIND.switch_off,
    "page of pixels": PIXEL_KIND.page,
    "pixel by id": PIXEL_KIND.by_id,
    "pixel by name": PIXEL_KIND.by_name,
    "create a pixel": PIXEL_KIND.create,
    "change a pixel": PIXEL_KIND.change,
    "switch off a pixel": PIXEL_KIND.switch_off,
    "project, old address": READ_PROJECT,
    "pixels of a project, old address": PIXELS_OF_PROJECT,
    "create a project, old address": CREATE_PROJECT,
    "change a project, old address": CHANGE_PROJECT,
    "switch off the pixels of a project, old address": SWITCH_OFF_PIXELS,
    "switch off a project, old address": SWITCH_OFF_PROJECT,
    "pixel, old address": READ_PIXEL,
    "create a pixel, old address": CREATE_PIXEL,
    "change a pixel, old address": CHANGE_PIXEL,
    "switch off a pixel, old address": SWITCH_OFF_PIXEL,
}
CREATIONS = (PROJECT_KIND.create, CREATE_PROJECT)
PERSON = json.dumps({"whole": ["v"], "events": [1], "ids": [1], "after": 0, "most": 9, "rows": 9})
PERSONAL_ROWS = {
    f"personal rows, {name}": statement
    for name, statement in vars(personal_rows).items()
    if not name.startswith("_") and str(statement).lstrip().startswith(("SELECT", "DELETE"))
}
PRIVACY_REQUESTS = {
    "request for privacy": FIND_REQUEST,
    "keep a request": SAVE_REQUEST,
    "receipts": RECEIPT_PAGE,
    "forget requests": DELETE_OLD_REQUESTS,
}
OVER = json.dumps({"pixel_id": "p", "before": "2026", "ids": [1], "session": "", "visitor": ""})
RETENTION = {
    "pixels with retention": PIXELS_WITH_RETENTION,
    "old events": OLD_EVENTS,
    "delete old events": DELETE_OLD_EVENTS,
    "stretch of sessions": END_OF_SESSION_STRETCH,
    "delete old sessions": DELETE_OLD_SESSIONS,
    "stretch of visitors": END_OF_VISITOR_STRETCH,
    "delete old visitors": DELETE_OLD_VISITORS,
    "delete the old log": DELETE_OLD_LOGS,
    "last walk": READ_WALK_POSITIONS,
}
EXPORT = {
    "end of a part": END_OF_PART,
    "size of a part": SIZE_OF_PART,
    "page of JSON": PAGE_OF_JSON,
    "page of CSV": PAGE_OF_CSV,
    "JSON by id": JSON_BY_ID,
    "CSV by id": CSV_BY_ID,
    "between what is archived": STORED_AMONG_ARCHIVED,
    "parts of the archive": FIND_BATCHES,
    "archived in a span": COUNT_ARCHIVED_OF_PIXEL,
    **{
        f"{step} of {name} {variant}": statement
        for variant, formats in {
            "without persons": FORMATS_WITHOUT_PERSONS,
            "of the old address": LEGACY_FORMATS,
            "of the old address without persons": LEGACY_FORMATS_WITHOUT_PERSONS,
        }.items()
        for name, export_format in formats.items()
        for step, statement in (("page", export_format.page), ("ids", export_format.by_id))
    },
}
ARCHIVING = {
    "last change": READ_LAST_CHANGE,
    "next part": READ_PART,
    "count a part": RECORD_BATCH,
    "delete a part": DELETE_ARCHIVED,
    "recount a part": RECOUNT_BATCH,
    "forget an empty part": DELETE_EMPTY_BATCH,
    "forget old parts": DELETE_BATCHES_BEFORE,
}
BY_PIXEL = "tracking_events_by_pixel (pixel_id=? AND timestamp>? AND timestamp<?)"
STRETCH = json.dumps({"position": "7", "last": 9, "events": [{"id": 8, "fields": {"gclid": "G"}}]})
WATCH = json.dumps({"now": "2026-01-01", "today": "2026-01-01", "days": [ENDS]})
WATCHING = {
    "this hour of the last days": COUNT_USUAL_DAYS,
    "last look": LAST_RUN,
    "failed requests": FAILED_REQUESTS,
}
QUERIES: dict[str, tuple[str, tuple[object, ...]]] = {
    "visitor": (RECORD_VISITOR, (PARAMETERS,)),
    "session": (RECORD_SESSION, (PARAMETERS,)),
    "event": (RECORD_EVENT, (PARAMETERS,)),
    "thank-you page": (GIVE_WAY, (PARAMETERS,)),
    "pixel": (FIND_PIXEL, ("ppp-demo-pixel",)),
    "hourly breakdown": (HOURLY_BREAKDOWN, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
    "recent events": (RECENT_EVENTS, ("ppp-demo-pixel", "2026-01-01 00:00:00")),
    "recent events, old address": (
        CREDITED_RECENT_EVENTS,
        ("ppp-demo-pixel", "2026-01-01 00:00:00"),
    ),
    "how far clicks were looked for": (READ_LAST_RUN, (SYNC,)),
    "end of a stretch of events": (END_OF_STRETCH, (STRETCH,)),
    "stretch of events": (READ_STRETCH, (STRETCH,)),
    "clicks that were missed": (ADD_CLICKS, (STRETCH,)),
    "newest events": (NEWEST_EVENTS, (json.dumps({"since": "2026-01-01 00:00:00"}),)),
    "activity of the last hour": (RECENT_ACTIVITY, (SYNC,)),
    "what is pending": (PENDING, (SYNC,)),
    "last run of each job": (LAST_RUNS, (SYNC,)),
    "errors of the last hour": (SYNC_ERRORS, (SYNC,)),
    "newest event": (LAST_EVENT, (SYNC,)),
    "calls to Pipedrive today": (CALLS_TODAY, (SYNC,)),
    **{name: (statement, (SPAN,)) for name, statement in STATISTICS.items()},
    **{name: (statement, (SPAN,)) for name, statement in EXPORT.items()},
    **{name: (statement, (SPAN,)) for name, statement in ARCHIVING.items()},
    **{name: (statement, (PROJECT_SHAPE,)) for name, statement in PROJECT_STATISTICS.items()},
    **{name: (statement, (BREAKDOWN,)) for name, statement in BREAKDOWN_STATEMENTS.items()},
    "credited events": (CREDITED, (json.dumps({"since": "2026-01-01 00:00:00"}),)),
    "addresses with parameters": (PAGES, (json.dumps({"since": "2026-01-01 00:00:00"}),)),
    "archived since": (COUNT_ARCHIVED_SINCE, (json.dumps({"since": "2026-01-01 00:00:00"}),)),
    **{name: (statement, (SYNC,)) for name, statement in SYNC_STATEMENTS.items()},
    **{name: (statement, (ENTRY,)) for name, statement in MANAGEMENT.items()},
    **{name: (statement, (WATCH,)) for name, statement in WATCHING.items()},
    **{name: (statement, (PERSON,)) for name, statement in PERSONAL_ROWS.items()},
    **{name: (statement, (PERSON,)) for name, statement in PRIVACY_REQUESTS.items()},
    **{name: (statement, (OVER,)) for name, statement in RETENTION.items()},
}
# A covering scan of the pixels, of which there are few, is how the last hour is found.
TABLE_SCAN = re.compile(
    r"SCAN (?:tracking_events|events|seen|earlier|form|same|newest|sessions|visitors|projects"
    r"|pipedrive_persons|persons|job_runs|last|privacy_requests|system_logs|archive_batches"
    r"|row_changes"
    r"|pixels(?! USING COVERING INDEX))\b"
)


@pytest.mark.parametrize("name", QUERIES)
def test_no_query_of_a_request_scans_a_table(worker: Worker, name: str) -> None:
    statement, values = QUERIES[name]
    plan = [row["detail"] for row in worker.query(f"EXPLAIN QUERY PLAN {statement}", *values)]
    assert plan or statement in CREATIONS
    assert not [step for step in plan if TABLE_SCAN.search(step)]


def test_what_is_due_for_the_archive_is_found_pixel_by_pixel(worker: Worker) -> None:
    parameters = json.dumps({"now": "2026-01-01 00:00:00", "days": 180})
    plan = worker.query(f"EXPLAIN QUERY PLAN {FIND_DUE_PIXELS}", parameters)
    scans = [row["detail"] for row in plan if TABLE_SCAN.search(row["detail"])]
    # Projects and pixels are few, and all are looked at.
    assert scans == ["SCAN projects"]
    # Only up to the day before which they are due: younger ones are not read.
    until = "tracking_events_by_pixel (pixel_id=? AND timestamp<?)"
    assert len([row for row in plan if row["detail"].endswith(until)]) == 1


def test_whose_page_a_referrer_is_reads_the_few_pixels_and_what_one_visitor_saw(
    worker: Worker,
) -> None:
    visitor = ("0123456789abcdef", "a.example")
    for sql, values, scans, index in (
        (READ_SITES, (), ["SCAN pixels"], "by_pixel (pixel_id=?)"),
        (READ_SEEN, visitor, [], "by_visitor (visitor_id=?)"),
    ):
        plan = [row["detail"] for row in worker.query(f"EXPLAIN QUERY PLAN {sql}", *values)]
        assert [step for step in plan if TABLE_SCAN.search(step)] == scans
        assert len([step for step in plan if step.endswith(f"tracking_events_{index}")]) == 1
        # The newest page of each pixel is one row: the index gives it without sorting.
        assert not [step for step in plan if "ORDER BY" in step]


def test_the_sites_of_all_pixels_are_four_rows_each(worker: Worker) -> None:
    pixel = "INSERT INTO pixels (id, project_id, name) VALUES (?1, 'ppp-default-project', ?1)"
    event = (
        "INSERT INTO tracking_events (project_id, pixel_id, event_type, page_url, timestamp)"
        " VALUES ('ppp-default-project', ?1, 'pageview', 'https://x.example/', ?2)"
    )
    for number in range(20):
        worker.query(pixel, f"of-sites-{number}")
        for day in range(1, 4):
            worker.query(event, f"of-sites-{number}", f"2026-01-0{day} 00:00:00")
    [[pixels]] = [row.values() for row in worker.query("SELECT count(*) FROM pixels")]
    read = worker.act("query", sql=READ_SITES, values=[])["rows_read"]
    assert 3 * 20 < read <= 4 * pixels


def test_the_old_list_of_projects_reads_them_once_and_counts_pixels_by_their_index(
    worker: Worker,
) -> None:
    parameters = json.dumps({"rows": -1, "cursor": None})
    plan = worker.query(f"EXPLAIN QUERY PLAN {LIST_PROJECTS}", parameters)
    scans = [row["detail"] for row in plan if TABLE_SCAN.search(row["detail"])]
    assert scans == ["SCAN projects"]
    index = "pixels USING INDEX sqlite_autoindex_pixels_2 (project_id=?)"
    assert len([row for row in plan if row["detail"].endswith(index)]) == 1


@pytest.mark.parametrize("statement", [PROJECT_KIND.page, PIXEL_KIND.page])
def test_a_page_is_read_in_its_order_without_sorting(worker: Worker, statement: str) -> None:
    plan = [row["detail"] for row in worker.query(f"EXPLAIN QUERY PLAN {statement}", ENTRY)]
    assert not [step for step in plan if "B-TREE" in step]
    # Beside the page, only the ids that a limited key may list.
    of_ids = ("json_each", "SUBQUERY", "BLOOM FILTER")
    [step] = [step for step in plan if not any(word in step for word in of_ids)]
    assert "USING INDEX sqlite_autoindex_" in step
    assert "name>?" in step


@pytest.mark.parametrize("name", STATISTICS)
def test_the_statistics_of_a_pixel_read_its_index(worker: Worker, name: str) -> None:
    statement = f"EXPLAIN QUERY PLAN {STATISTICS[name]}"
    plan = [row["detail"] for row in worker.query(statement, SPAN)]
    assert [step for step in plan if step.endswith(BY_PIXEL)]


@pytest.mark.parametrize("name", BREAKDOWN_STATEMENTS)
def test_a_breakdown_reads_a_span_once_and_looks_up_the_rest_by_its_id(
    worker: Worker, name: str
) -> None:
    statement = f"EXPLAIN QUERY PLAN {BREAKDOWN_STATEMENTS[name]}"
    plan = [row["detail"] for row in worker.query(statement, BREAKDOWN)]
    tables = [
        step.partition("USING ")[2] for step in plan if re.match("SEARCH (?!ctr|named)", step)
    ]
    assert tables.pop(0) == f"INDEX {BY_PIXEL}"
    # Of a first touch or a channel, the pixel and its project are one row each.
    by_id = {
        *("INTEGER PRIMARY KEY (rowid=?)", "PRIMARY KEY (id=?)"),
        *(f"INDEX sqlite_autoindex_{table}_1 (id=?)" for table in ("pixels", "projects")),
    }
    finds_first_page = name.startswith(("by channel", "by landing_page"))
    if finds_first_page or any(f", {model} touch" in name for model in SHARES):
        # The touches of the visitors with a lead, and the first page of a session from before.
        by_id.add("INDEX tracking_events_by_visitor (visitor_id=?)")
    assert {table.removesuffix(" LEFT-JOIN") for table in tables} <= by_id


@pytest.mark.parametrize(
    "name", ["summary", "top pages", "daily breakdown", "delivery", "pages of all events"]
)
def test_what_the_index_holds_is_counted_without_the_events(worker: Worker, name: str) -> None:
    statement = f"EXPLAIN QUERY PLAN {STATISTICS[name]}"
    plan = [row["detail"] for row in worker.query(statement, SPAN)]
    assert [step for step in plan if step.endswith(f"USING COVERING INDEX {BY_PIXEL}")]


@pytest.mark.parametrize(
    "name",
    [
        "summary of a project",
        "breakdown by pixel",
        "summary of a project, old address",
        "active pixels, old address",
    ],
)
def test_the_pixels_of_a_project_are_counted_by_their_index(worker: Worker, name: str) -> None:
    statement = f"EXPLAIN QUERY PLAN {PROJECT_STATISTICS[name]}"
    plan = " ".join(row["detail"] for row in worker.query(statement, PROJECT_SHAPE))
    assert "pixels USING INDEX sqlite_autoindex_pixels_2 (project_id=?" in plan
    assert f"USING COVERING INDEX {BY_PIXEL}" in plan
