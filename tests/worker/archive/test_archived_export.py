"""Events are exported as before when some of them have moved to the archive."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from services.archive.batches import (
    COUNT_ARCHIVED_OF_PIXEL,
    COUNT_ARCHIVED_OF_PROJECT,
    COUNT_ARCHIVED_SINCE,
)
from services.core.ndjson_parts import pack
from services.core.stored_time import NEVER_DUE
from services.reports.export_with_archive import MAX_ARCHIVED_EVENTS
from tests.harness.archive import OLD, OLDER, PENDING, day, logged, run, some_pixel, store
from tests.harness.keys import ADMIN_KEY, READ_KEY
from tests.harness.worker import PROJECT, Answer, Row, Worker
from tests.worker.test_export import stored_ids

DAYS_OF_THE_ARCHIVE = [day(185), day(184), day(183), OLDER, OLD]
ODD: list[Row] = [
    {"page_title": 'Ünï "quoted", and\r\nmore 🎈', "form_data": '{"email": "a@b.c"}'},
    {"page_title": "=1+1", "utm_source": "＝", "utm_medium": "", "visitor_sequence": -1},  # noqa: RUF001  # they are what is tested
    {"page_title": "\t\u2028\x7f\x01", "custom_utm": "\\", "viewport_data": "[1.0, null]"},
    {"pipedrive_retry_count": 1.5, "archived": None, "utm_term": "1.0"},
    {"utm_content": 'Anna "A" <anna@shop.example>', "browser_data": '{"ua": "Mozilla/5.0"}'},
    {
        "page_url": "https://shop.example/\u2028/anna%40shop.example?a=b#c",
        "city": "=+49 171 2345678",
    },
]
# One of each day of a year.
PARTS = """
INSERT INTO archive_batches
WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 364),
days AS (SELECT date('2025-01-01', n || ' days') AS day FROM n)
SELECT ?, day, '1-9', 9, day, 1, day, 9, '', 0, day FROM days
"""
FORMATS = ("json", "csv", "ndjson")


@pytest.fixture
def pixel(archiving: Worker) -> str:
    """A pixel with old events, some of them odd, and young ones; not archived yet."""
    name = some_pixel(archiving)
    for number, on in enumerate(DAYS_OF_THE_ARCHIVE):
        events = store(archiving, name, on, 130 + number)
        archiving.query(PENDING, day(1), events[50 + number])
        archiving.query(PENDING, NEVER_DUE, events[60 + number])
    for on in (day(180), day(40), day(1)):
        store(archiving, name, on, 60)
    old = archiving.query("SELECT id FROM tracking_events WHERE timestamp >= ? LIMIT 6", OLDER)
    for event, values in zip(old, ODD, strict=True):
        changes = ", ".join(f"{column} = ?" for column in values)
        sql = f"UPDATE tracking_events SET {changes} WHERE id = ?"
        archiving.query(sql, *values.values(), event["id"])
    return name


def ask(
    worker: Worker, pixel: str, query: str, key: str = ADMIN_KEY, area: str = "reports"
) -> Answer:
    path = f"/api/{area}/export/{pixel}?{query}"
    answer = worker.fetch(path, headers={"x-api-key": key})
    assert answer.status == 200, answer.body
    return answer


def exported(answer: Answer) -> list[Row]:
    """The events of NDJSON, whose texts may hold other line ends of Unicode."""
    return [json.loads(line) for line in answer.body.decode().split("\n")[:-1]]


def ids(answer: Answer) -> list[int]:
    return [event["id"] for event in exported(answer)]


def whole_export(worker: Worker, pixel: str, name: str, query: str = "from=2020-01-01") -> object:
    answer = ask(worker, pixel, f"format={name}&limit=10000&{query}")
    assert "x-next-cursor" not in answer.headers
    if name != "json":
        return answer.body
    data = answer.json()["data"]
    del data["export_date"], data["date_range"]
    return data


def in_parts(worker: Worker, pixel: str, query: str) -> list[list[int]]:
    parts, cursor = [], ""
    while True:
        answer = ask(worker, pixel, f"format=ndjson&{query}{cursor}")
        parts.append(ids(answer))
        if "x-next-cursor" not in answer.headers:
            return parts
        cursor = f"&cursor={quote(answer.headers['x-next-cursor'])}"


def test_each_format_is_byte_for_byte_what_it_was(archiving: Worker, pixel: str) -> None:
    before = {name: whole_export(archiving, pixel, name) for name in FORMATS}
    assert run(archiving)["outcome"] == "drained"
    assert len(stored_ids(archiving, pixel)) == 3 * 60 + len(DAYS_OF_THE_ARCHIVE)
    assert {name: whole_export(archiving, pixel, name) for name in FORMATS} == before
    # What waited in between moves later, into parts of its own between the others.
    sql = "UPDATE tracking_events SET pipedrive_sync_status = 'synced' WHERE pipedrive_due_at < ?"
    archiving.query(sql, NEVER_DUE)
    before = {name: whole_export(archiving, pixel, name) for name in FORMATS}
    assert run(archiving)["archived"] == len(DAYS_OF_THE_ARCHIVE)
    assert len(stored_ids(archiving, pixel)) == 3 * 60
    assert {name: whole_export(archiving, pixel, name) for name in FORMATS} == before


@pytest.mark.parametrize(
    ("area", "key"), [("reports", READ_KEY), ("analytics", ADMIN_KEY), ("analytics", READ_KEY)]
)
def test_an_archived_event_is_shown_to_every_key_as_a_stored_one(
    archiving: Worker, pixel: str, area: str, key: str
) -> None:
    def events_in_bytes() -> dict[str, bytes]:
        query = "limit=10000&days=365&format="
        bodies = {name: ask(archiving, pixel, query + name, key, area).body for name in FORMATS}
        # The head of JSON has the time at which it was exported.
        return {name: body.partition(b'"events":')[2] or body for name, body in bodies.items()}

    before = events_in_bytes()
    assert run(archiving)["outcome"] == "drained"
    assert events_in_bytes() == before


@pytest.mark.parametrize("limit", [97, 180, 200, 500])
def test_parts_with_cursors_are_the_whole_over_the_border(
    archiving: Worker, pixel: str, limit: int
) -> None:
    before = stored_ids(archiving, pixel)
    run(archiving)
    parts = in_parts(archiving, pixel, f"from=2020-01-01&limit={limit}")
    assert [event for part in parts for event in part] == before
    assert {len(part) for part in parts[:-1]} == {limit}


@pytest.mark.parametrize(
    "query",
    [
        f"from={OLD}&to={OLD}",
        f"from={day(184)}&to={OLDER}T00:00:01Z",
        f"from={day(183)}T00:00:02Z&to={day(40)}",
        f"to={day(184)}&days=365",
        "from=2020-01-01&to=2020-02-01",
        "days=30",
    ],
)
def test_any_span_is_what_it_was(archiving: Worker, pixel: str, query: str) -> None:
    before = whole_export(archiving, pixel, "ndjson", query)
    run(archiving)
    assert whole_export(archiving, pixel, "ndjson", query) == before


def test_an_archived_event_that_is_back_in_the_database_is_exported_once(
    archiving: Worker, pixel: str
) -> None:
    before = stored_ids(archiving, pixel)
    [row] = archiving.query(
        "SELECT * FROM tracking_events WHERE pixel_id = ? AND timestamp >= ? ORDER BY id LIMIT 1",
        *(pixel, OLDER),
    )
    run(archiving)
    row["country"] = "AT"
    columns, placeholders = ", ".join(row), ", ".join("?" * len(row))
    sql = f"INSERT INTO tracking_events ({columns}) VALUES ({placeholders})"
    archiving.query(sql, *row.values())
    answer = ask(archiving, pixel, "format=ndjson&from=2020-01-01")
    assert ids(answer) == before
    [country] = [event["country"] for event in exported(answer) if event["id"] == row["id"]]
    assert country == "AT"


@pytest.mark.parametrize("content", [None, b"", b"not gzip"])
def test_an_export_never_lacks_what_a_damaged_part_held(
    archiving: Worker, pixel: str, content: bytes | None
) -> None:
    run(archiving)
    parts = archiving.stored_keys(f"archive/{pixel}/{OLD}/")
    key = next(key for key in parts if key.endswith(".gz"))
    archiving.forget(key)
    if content is not None:
        archiving.store(key, content)
    archiving.act("clear_logs")
    path = f"/api/reports/export/{pixel}?from=2020-01-01"
    answer = archiving.fetch(path, headers={"x-api-key": READ_KEY})
    assert (answer.status, answer.headers["retry-after"]) == (503, "30")
    [line] = logged(archiving, "unavailable")
    assert key in line["reason"]
    # What is younger is exported all the same.
    assert len(ids(ask(archiving, pixel, "days=179&format=ndjson"))) == 2 * 60


def archived_in(worker: Worker, report: str) -> object:
    answer = worker.fetch(f"/api/reports/{report}", headers={"x-api-key": READ_KEY})
    return answer.json()["data"]["archived"]


def test_reports_say_what_of_their_time_is_archived(archiving: Worker, pixel: str) -> None:
    [foreign_id] = archiving.query("SELECT id FROM projects WHERE id <> ? LIMIT 1", PROJECT)
    for project, events in ((PROJECT, 7), (foreign_id["id"], 9)):
        store(archiving, some_pixel(archiving, project), OLD, events)
    run(archiving)
    for to, events, until, of_its_sibling in (
        (day(190), 0, None, 0),
        (day(184), 129 + 130, day(184), 0),
        (day(100), 129 + 130 + 131 + 132 + 133, OLD, 7),
    ):
        span = f"from={day(200)}&to={to}"
        archived = {"events": events, "until": until}
        assert archived_in(archiving, f"stats/{pixel}?{span}") == archived
        for by in ("by=source", "by=channel&attribution=first"):
            assert archived_in(archiving, f"breakdown/{pixel}?{by}&{span}") == archived
        together = {"events": events + of_its_sibling, "until": until}
        assert archived_in(archiving, f"project/{PROJECT}/stats?{span}") == together


def test_that_reads_the_parts_of_these_days_and_no_others(archiving: Worker) -> None:
    first_pixel, second_pixel = some_pixel(archiving), some_pixel(archiving)
    for pixel in (first_pixel, second_pixel):
        archiving.query(PARTS, pixel)
    span = {
        "pixel_id": first_pixel,
        "project_id": PROJECT,
        "from": "2025-03-01",
        "to": "2025-03-10",
    }
    parameters = json.dumps({**span, "since": "2025-12-30"})

    def rows_read(sql: str) -> int:
        rows: int = archiving.act("query", sql=sql, values=[parameters])["rows_read"]
        return rows

    # 10 days of one pixel; of two, and the 3 pixels of their project; 2 days of two, and 6 pixels.
    assert rows_read(COUNT_ARCHIVED_OF_PIXEL) == 10 + 1
    assert rows_read(COUNT_ARCHIVED_OF_PROJECT) == 2 * 10 + 2 * 3
    assert rows_read(COUNT_ARCHIVED_SINCE) <= 2 * 2 + 2 * 6


def test_where_events_are_archived_after_a_day_the_analysis_says_so(archiving: Worker) -> None:
    archiving.query("UPDATE projects SET configuration = ?", '{"jobs": {"archive_days": 1}}')
    first_pixel, second_pixel = some_pixel(archiving), some_pixel(archiving)
    for pixel in (first_pixel, second_pixel):
        store(archiving, pixel, f"{day(2)} 23:59:00", 3)
        store(archiving, pixel, f"{day(3)} 23:59:00", 3)
    run(archiving)
    assert archived_in(archiving, "debug/utm-analysis") == {"events": 6, "until": day(2)}


def test_an_answer_takes_so_many_events_from_the_archive_and_no_more_memory(
    archiving: Worker,
) -> None:
    pixel = some_pixel(archiving)
    [first] = store(archiving, pixel, OLD)
    [event] = archiving.query("SELECT * FROM tracking_events")
    event["page_title"] = "A title 🎈" * 40
    parts = 12
    for number in range(parts):
        lie(archiving, [{**event, "id": first + number * 1_000 + each} for each in range(1, 1_001)])
    archiving.act("clear_logs")
    newest_first = list(range(first + parts * 1_000, first - 1, -1))
    answers = in_parts(archiving, pixel, "from=2020-01-01")
    assert [len(answer) for answer in answers] == [
        MAX_ARCHIVED_EVENTS,
        parts * 1_000 + 1 - MAX_ARCHIVED_EVENTS,
    ]
    assert [each for answer in answers for each in answer] == newest_first
    ask(archiving, pixel, "format=csv&from=2020-01-01")
    memory_mib = [line["memory_mib"] for line in logged(archiving, "exported")]
    assert max(memory_mib) <= 80, memory_mib


def lie(worker: Worker, events: list[Row]) -> None:
    """Writes a part of the archive that counts, as the job does."""
    packed = pack([json.dumps(event, ensure_ascii=False) for event in events])
    first, last = events[0], events[-1]
    name = f"{first['id']}-{last['id']}"
    worker.store(f"archive/{first['pixel_id']}/{OLD}/{name}.ndjson.gz", packed.content)
    worker.query(
        "INSERT INTO archive_batches VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, datetime('now'))",
        *(first["pixel_id"], OLD, name, packed.rows),
        *(first["timestamp"], first["id"], last["timestamp"], last["id"]),
        *(packed.sha256, len(packed.content)),
    )
