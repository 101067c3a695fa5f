"""A pixel's events, taken elsewhere: all of them, as they are stored, in parts or at once."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from handlers.export import DEFAULT_JSON_ROWS
from services.core.event_lines import COLUMNS
from services.core.json_lines import ABOVE_MAX_ROWID, MAX_PAGE_LINES, MIN_ROWS
from services.core.text import FORMULA_SIGNS
from services.reports.export_pages import END_OF_PART, PAGE_OF_CSV, PAGE_OF_JSON
from tests.harness.keys import ADMIN_KEY, LEADS_KEY, READ_KEY
from tests.harness.worker import Answer, Row, Worker, some_visitor

PIXELS = "INSERT INTO pixels (id, project_id, name) VALUES (?, 'ppp-demo-project', ?)"
EVENTS = """
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, session_id, event_key, page_url, page_title, user_agent,
  timestamp
)
WITH RECURSIVE numbers (number) AS (
  SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?2
)
SELECT
  'ppp-demo-project', ?1, ?1 || '-' || (number % 997), 'session', number,
  'https://shop.example/products/' || number, 'A product', 'Mozilla/5.0 (Windows NT 10.0)',
  datetime('now', '-' || (number / ?3) || ' seconds')
FROM numbers
"""
MANY_EVENTS = 30_000
NOT_VALID = "Validation failed"


@pytest.fixture(scope="module")
def busy_pixel(keyed: Worker) -> str:
    """A pixel with 30,000 events, 40 in a second."""
    return pixel_with(keyed, MANY_EVENTS, 40)


def pixel_with(worker: Worker, events: int = 0, in_a_second: int = 1) -> str:
    name = f"pixel-{some_visitor()}"
    worker.query(PIXELS, name, name)
    if events:
        worker.query(EVENTS, name, events, in_a_second)
    return name


def store(worker: Worker, pixel: str, **values: object) -> None:
    columns = ", ".join(("pixel_id", *values))
    places = ", ".join("?" * (len(values) + 1))
    worker.query(
        f"INSERT INTO tracking_events ({columns}) VALUES ({places})", pixel, *values.values()
    )


def ask(
    worker: Worker, pixel: str, query: str = "", method: str = "GET", key: str = ADMIN_KEY
) -> Answer:
    path = f"/api/reports/export/{pixel}{query}"
    return worker.fetch(path, method=method, headers={"x-api-key": key})


def exported(answer: Answer) -> list[Row]:
    """The events of an answer, whatever its format."""
    assert answer.status == 200, answer.body
    text = answer.body.decode()
    match answer.headers["content-type"]:
        case "application/json":
            events: list[Row] = json.loads(text)["data"]["events"]
            return events
        case "application/x-ndjson":
            return [json.loads(line) for line in text.splitlines()]
        case _:
            return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def receive(worker: Worker, pixel: str, received: list[bytes]) -> None:
    """Takes an export over the network as it comes."""
    path = f"{worker.url}/api/reports/export/{pixel}?format=ndjson"
    with worker.http.stream("GET", path, headers={"x-api-key": ADMIN_KEY}) as answer:
        assert answer.status_code == 200
        received.extend(answer.iter_bytes())


def ids(answer: Answer) -> list[int]:
    return [int(event["id"]) for event in exported(answer)]


def stored_ids(worker: Worker, pixel: str) -> list[int]:
    sql = "SELECT id FROM tracking_events WHERE pixel_id = ? ORDER BY timestamp DESC, id DESC"
    return [row["id"] for row in worker.query(sql, pixel)]


# ---- what stands in it -------------------------------------------------------------------------


def test_all_that_is_stored_of_an_event_is_exported(keyed: Worker) -> None:
    pixel = pixel_with(keyed)
    columns = {row["name"] for row in keyed.query("PRAGMA table_info(tracking_events)")}
    assert set(COLUMNS) == columns
    assert len(COLUMNS) == len(columns)
    store(keyed, pixel, page_title='Ünï "quoted", and\r\nmore 🎈', form_data='{"email": "a@b.c"}')
    [stored] = keyed.query("SELECT * FROM tracking_events WHERE pixel_id = ?", pixel)
    for query in ("", "?format=ndjson"):
        assert exported(ask(keyed, pixel, query)) == [stored]
    as_text = {name: "" if value is None else str(value) for name, value in stored.items()}
    assert exported(ask(keyed, pixel, "?format=csv")) == [as_text]


@pytest.mark.parametrize("area", ["reports", "analytics"])
def test_json_has_the_shape_that_scripts_of_ops_read(keyed: Worker, area: str) -> None:
    pixel = pixel_with(keyed, 2)
    path = f"/api/{area}/export/{pixel}?days=7"
    answer = keyed.fetch(path, headers={"x-api-key": READ_KEY})
    assert answer.headers["x-ratelimit-limit"] == "1000"
    content = answer.json()
    assert content["success"] is True
    data = content["data"]
    span = {name: datetime.fromisoformat(time) for name, time in data["date_range"].items()}
    assert span["end"] - span["start"] == timedelta(days=7)
    assert datetime.fromisoformat(data["export_date"]) == span["end"]
    assert (data["pixel_id"], data["total_exported"], data["next_cursor"]) == (pixel, 2, None)
    assert [event["id"] for event in data["events"]] == stored_ids(keyed, pixel)


def test_a_pixel_that_saw_nothing_has_an_export_all_the_same(keyed: Worker) -> None:
    pixel = pixel_with(keyed)
    data = ask(keyed, pixel).json()["data"]
    assert (data["events"], data["total_exported"]) == ([], 0)
    assert ask(keyed, pixel, "?format=csv").body.decode() == ",".join(COLUMNS) + "\r\n"
    assert ask(keyed, pixel, "?format=ndjson").body == b""


def test_lines_of_csv_end_as_the_rfc_says(keyed: Worker) -> None:
    body = ask(keyed, pixel_with(keyed, 3), "?format=csv").body
    assert body.endswith(b"\r\n")
    assert body.count(b"\n") == body.count(b"\r\n") == 4


@pytest.mark.parametrize("start", [*FORMULA_SIGNS, "\t", "\r", "\n"])
def test_no_cell_is_a_formula(keyed: Worker, start: str) -> None:
    pixel = pixel_with(keyed)
    title = f'{start}HYPERLINK("https://evil.example","x")'
    store(keyed, pixel, page_title=title, utm_source=start, utm_medium="", visitor_sequence=-1)
    [row] = exported(ask(keyed, pixel, "?format=csv"))
    assert (row["page_title"], row["utm_source"]) == (f"'{title}", f"'{start}")
    assert (row["utm_medium"], row["visitor_sequence"]) == ("", "-1")
    [event] = exported(ask(keyed, pixel, "?format=ndjson"))
    assert event["page_title"] == title


def test_a_file_has_a_name_and_the_headers_of_every_answer(keyed: Worker) -> None:
    pixel = pixel_with(keyed)
    for name, content_type in (
        ("json", "application/json"),
        ("csv", "text/csv; charset=utf-8; header=present"),
        ("ndjson", "application/x-ndjson"),
    ):
        headers = ask(keyed, pixel, f"?format={name}").headers
        assert headers["content-type"] == content_type
        file_name = f'attachment; filename="pixel_{pixel}_export.{name}"'
        assert headers["content-disposition"] == file_name
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "x-next-cursor" not in headers


def test_head_answers_the_headers_alone(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 3)
    answer = ask(keyed, pixel, "?format=csv&limit=2", "HEAD")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["x-next-cursor"]
    assert answer.headers["content-type"].startswith("text/csv")


# ---- many of them ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["csv", "ndjson"])
def test_more_than_ten_thousand_events_come_at_once(
    keyed: Worker, busy_pixel: str, name: str
) -> None:
    keyed.act("clear_logs")
    answer = ask(keyed, busy_pixel, f"?format={name}")
    assert "x-next-cursor" not in answer.headers
    assert ids(answer) == stored_ids(keyed, busy_pixel)
    [line] = [line for line in keyed.log_lines() if line["event"] == "exported"]
    assert line["events"] == MANY_EVENTS
    # The first pages are smaller.
    assert MANY_EVENTS / MAX_PAGE_LINES <= line["pages"] <= MANY_EVENTS / MAX_PAGE_LINES + 4


def test_the_interpreter_holds_no_more_for_many_events_than_for_a_page(
    keyed: Worker, busy_pixel: str
) -> None:
    page = pixel_with(keyed, MAX_PAGE_LINES)
    keyed.act("clear_logs")
    for pixel in (page, busy_pixel, busy_pixel):
        assert ask(keyed, pixel, "?format=ndjson").status == 200
    memory_mib = [line["memory_mib"] for line in keyed.log_lines() if line["event"] == "exported"]
    assert len(memory_mib) == 3
    assert memory_mib[2] - memory_mib[0] <= 8


def test_pages_of_the_longest_events_are_short(keyed: Worker) -> None:
    pixel = pixel_with(keyed, MAX_PAGE_LINES)
    sql = "UPDATE tracking_events SET page_title = hex(zeroblob(10000)) || '🎈' WHERE pixel_id = ?"
    keyed.query(sql, pixel)
    keyed.act("clear_logs")
    assert ids(ask(keyed, pixel, "?format=ndjson")) == stored_ids(keyed, pixel)
    [line] = [line for line in keyed.log_lines() if line["event"] == "exported"]
    assert line["pages"] == MAX_PAGE_LINES / MIN_ROWS
    # 74 as a rule, 89 once; an isolate has 128, and with longer pages 110 were seen.
    assert line["memory_mib"] <= 100, line


def test_events_of_one_second_are_paged_by_their_ids(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 2 * MAX_PAGE_LINES + 1, 10_000)
    assert ids(ask(keyed, pixel, "?format=csv")) == stored_ids(keyed, pixel)


@pytest.mark.parametrize("statement", [PAGE_OF_JSON, PAGE_OF_CSV])
def test_a_page_reads_its_own_rows_wherever_it_begins(
    keyed: Worker, busy_pixel: str, statement: str
) -> None:
    for minutes in (0, 5, 10):
        before = (datetime.now(UTC) - timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
        places = {
            "before": {"timestamp": before, "event_id": ABOVE_MAX_ROWID},
            "last": {"timestamp": "2020-01-01 00:00:00", "event_id": 0},
        }
        parameters = json.dumps({"pixel_id": busy_pixel, "rows": MAX_PAGE_LINES, **places})
        answer = keyed.act("query", sql=statement, values=[parameters])
        assert len(answer["rows"]) == MAX_PAGE_LINES
        # One look at the table each, and one at what was sorted within its second.
        assert answer["rows_read"] <= 2 * (MAX_PAGE_LINES + 41)


def test_where_a_part_ends_is_read_from_the_index_alone(keyed: Worker, busy_pixel: str) -> None:
    start = {"timestamp": "2099-01-01 00:00:00", "event_id": ABOVE_MAX_ROWID}
    floor = {"timestamp": "2020-01-01 00:00:00", "event_id": 0}
    parameters = {"pixel_id": busy_pixel, "before": start, "floor": floor, "most": 10_000}
    plan = keyed.query(f"EXPLAIN QUERY PLAN {END_OF_PART}", json.dumps(parameters))
    assert "COVERING INDEX tracking_events_by_pixel" in plan[0]["detail"]
    answer = keyed.act("query", sql=END_OF_PART, values=[json.dumps(parameters)])
    # One look at the index each, and one at what was sorted within its second.
    assert answer["rows_read"] <= 2 * (10_000 + 41)


@pytest.mark.parametrize(("name", "limit"), [("json", 10_000), ("csv", 7_001), ("ndjson", 9_999)])
def test_parts_together_are_the_whole(
    keyed: Worker, busy_pixel: str, name: str, limit: int
) -> None:
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"&cursor={quote(cursor)}" if cursor else ""
        answer = ask(keyed, busy_pixel, f"?format={name}&limit={limit}{query}")
        part = ids(answer)
        cursor = answer.headers.get("x-next-cursor")
        assert len(part) == limit or cursor is None
        if name == "json":
            assert answer.json()["data"]["next_cursor"] == cursor
        found += part
    assert found == stored_ids(keyed, busy_pixel)


def test_a_cursor_is_made_of_the_last_event_that_somebody_has(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 5, 5)
    events = exported(ask(keyed, pixel, "?format=ndjson"))
    for number, event in enumerate(events):
        cursor = quote(f"{event['timestamp']},{event['id']}")
        rest = exported(ask(keyed, pixel, f"?format=ndjson&cursor={cursor}"))
        assert rest == events[number + 1 :]


def test_events_that_are_stored_meanwhile_move_nothing(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 4)
    before = stored_ids(keyed, pixel)
    first = ask(keyed, pixel, "?limit=2")
    store(keyed, pixel)
    second = ask(keyed, pixel, f"?cursor={quote(first.headers['x-next-cursor'])}")
    assert ids(first) + ids(second) == before


def test_json_without_a_limit_is_as_long_as_it_always_was(keyed: Worker) -> None:
    answer = ask(keyed, pixel_with(keyed, DEFAULT_JSON_ROWS + 1))
    assert answer.json()["data"]["total_exported"] == DEFAULT_JSON_ROWS == 1_000
    assert answer.headers["x-next-cursor"]


def test_an_export_that_fails_on_its_way_looks_like_no_complete_file(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 2 * MAX_PAGE_LINES)
    # JSON cannot hold this, so D1 fails on the last page.
    sql = """
        UPDATE tracking_events SET event_data = x'ff'
        WHERE id = (SELECT max(id) FROM tracking_events WHERE pixel_id = ?)
    """
    keyed.query(sql, pixel)
    keyed.act("clear_logs")
    received: list[bytes] = []
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        receive(keyed, pixel, received)
    assert b"".join(received).count(b"\n") < 2 * MAX_PAGE_LINES
    [line] = [line for line in keyed.log_lines() if line["level"] == "error"]
    assert (line["event"], line["path"]) == ("broken_off", f"/api/reports/export/{pixel}")


# ---- what may be asked -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 9]),
        ("?days=1", [0]),
        ("?days=365", [0, 9, 300]),
        ("?from=2020-01-01", [0, 9, 300, 2_000]),
        ("?to={8}", [9]),
        ("?to={8}&days=365", [9, 300]),
        ("?from={300}&to={300}", [300]),
        ("?from={301}&to={9}", [9, 300]),
        ("?from={9}T00:00:00Z&to={9}T23:59:59Z", [9]),
    ],
)
def test_any_span_of_time_can_be_asked_for(keyed: Worker, query: str, found: list[int]) -> None:
    pixel = pixel_with(keyed)
    now = datetime.now(UTC)
    for days in (0, 9, 300, 2_000):
        time = f"{now - timedelta(days=days):%Y-%m-%d %H:%M:%S}"
        store(keyed, pixel, timestamp=time, ad_id=str(days))
    days_ago = {str(days): f"{now - timedelta(days=days):%Y-%m-%d}" for days in (8, 9, 300, 301)}
    for days_name, day in days_ago.items():
        query = query.replace(f"{{{days_name}}}", day)
    assert [int(event["ad_id"]) for event in exported(ask(keyed, pixel, query))] == found


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("format=xml", "format: must be one of json, csv, ndjson"),
        ("limit=0", "limit: must be a whole number from 1 to 10,000"),
        ("limit=10001", "limit: must be a whole number from 1 to 10,000"),
        ("format=csv&limit=x", "limit: must be a whole number from 1 to 10,000"),
        ("days=366", "days: must be a whole number from 1 to 365"),
        ("days=", "days: must be a whole number from 1 to 365"),
        ("cursor=99", "cursor: must be the last event's timestamp and id: 2026-05-01 12:00:00,99"),
        ("from=2026-05-02&to=2026-05-01", "from: must not be after to"),
        (
            "from=2026-05-01&days=3",
            "days: says where the span begins, as from does; leave one of them out",
        ),
        (
            "from=2026-02-31",
            "from: must be a day or a time in UTC: 2026-05-01 or 2026-05-01T12:00:00Z",
        ),
        ("to=0001-01-01", "to: must be a day or a time in UTC: 2026-05-01 or 2026-05-01T12:00:00Z"),
        (
            "to=2026-05-01T12:00:00%2B02:00",
            "to: must be a day or a time in UTC: 2026-05-01 or 2026-05-01T12:00:00Z",
        ),
    ],
)
def test_what_cannot_be_understood_is_400(keyed: Worker, query: str, problem: str) -> None:
    answer = ask(keyed, "ppp-demo-pixel", f"?{query}")
    assert (answer.status, answer.json()["error"]) == (400, NOT_VALID)
    assert answer.json()["details"] == [problem]


def test_a_pixel_that_is_switched_off_keeps_its_export(keyed: Worker) -> None:
    pixel = pixel_with(keyed, 1)
    keyed.query("UPDATE pixels SET active = 0 WHERE id = ?", pixel)
    assert len(ids(ask(keyed, pixel))) == 1


def test_a_pixel_that_does_not_exist_is_404(keyed: Worker) -> None:
    answer = ask(keyed, "nobody-knows-it", "?format=csv")
    assert (answer.status, answer.json()["error"]) == (404, "Pixel not found")


def test_without_a_key_it_is_closed(keyed: Worker) -> None:
    assert keyed.fetch("/api/reports/export/ppp-demo-pixel").status == 401


def test_nothing_of_an_event_is_logged(keyed: Worker) -> None:
    pixel = pixel_with(keyed)
    store(keyed, pixel, form_data='{"email": "jane@example.com"}')
    keyed.act("clear_logs")
    assert b"jane@example.com" in ask(keyed, pixel).body
    assert "jane@example.com" not in json.dumps(keyed.act("logs"))


# ---- who sees persons --------------------------------------------------------------------------

PERSON = {
    "user_agent": "Mozilla/5.0 (Janes phone)",
    "ip_address": "203.0.113.77",
    "form_data": '{"email":"jane@shop.example","first_name":"Jane"}',
    "event_data": '{"customer":"jane@shop.example"}',
    "pipedrive_person_id": "4711",
    "page_url": "https://shop.example/thanks?email=jane@shop.example#jane",
    "referrer_url": "https://shop.example/form#name=Jane",
}
WORDS_OF_A_PERSON = (b"jane", b"Jane", b"203.0.113", b"4711", b"Mozilla")


@pytest.mark.parametrize("area", ["reports", "analytics"])
@pytest.mark.parametrize("name", ["json", "csv", "ndjson"])
def test_a_key_without_the_permission_sees_no_person(keyed: Worker, area: str, name: str) -> None:
    pixel = pixel_with(keyed)
    store(keyed, pixel, utm_source="news", **PERSON)
    path = f"/api/{area}/export/{pixel}?format={name}"
    reader, leads, admin = (
        keyed.fetch(path, headers={"x-api-key": key}) for key in (READ_KEY, LEADS_KEY, ADMIN_KEY)
    )
    assert reader.status == leads.status == admin.status == 200
    assert [word for word in WORDS_OF_A_PERSON if word in reader.body] == []
    assert b"https://shop.example/thanks" in reader.body
    assert b"news" in reader.body
    for answer in (leads, admin):
        assert [word for word in WORDS_OF_A_PERSON if word not in answer.body] == []


def test_a_page_without_parameters_is_shown_whole(keyed: Worker) -> None:
    pixel = pixel_with(keyed)
    for url in ("https://a.example/x", "https://a.example/?b", "https://a.example/#c?d", None):
        store(keyed, pixel, page_url=url)
    urls = [event["page_url"] for event in exported(ask(keyed, pixel, key=READ_KEY))]
    page = "https://a.example/"
    assert sorted(map(str, urls)) == sorted(map(str, [None, page, page, f"{page}x"]))
