"""`ppp stats`, on a real Worker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.worker import Row, some_event, some_visitor
from tests.ops.asking import READ_KEY, Service
from tests.ops.running import fails

MORE_THAN_A_PAGE = 510
EVENTS = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, session_id, page_url, utm_source,
  event_type, touch_origin)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
SELECT ?, ?, 'v' || n, 's' || n, 'https://shop.example/' || n, printf('source %03d', n),
  'pageview', 'url'
FROM n
"""

PART = """
INSERT INTO archive_batches VALUES (
  ?, date('now', '-1 day'), '1-2', 1234, datetime('now', '-1 day'), 1, datetime('now', '-1 day'), 2,
  '', 0, datetime('now')
)
"""


@pytest.fixture(scope="module")
def pixel(service: Service) -> Row:
    """A pixel that saw two visits and a form."""
    pixel = service.pixel()
    google = "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=spring&zz_id=7"
    visitor = some_visitor()
    form = {"event_type": "form_submit", "form_data": {"email": "jane@example.com"}}
    for event in (
        some_event(page_url=google, visitor_cookie=visitor),
        some_event(page_url="https://shop.example/contact", visitor_cookie=visitor, **form),
        some_event(page_url="https://shop.example/"),
    ):
        assert service.worker.send({**event, "pixel_id": pixel["id"]}).status_code == 200
    return pixel


@pytest.fixture(scope="module")
def busy_project(service: Service) -> Row:
    """A pixel with more sources than a page of the report holds."""
    pixel = service.pixel()
    service.worker.query(EVENTS, MORE_THAN_A_PAGE, pixel["project_id"], pixel["id"])
    return pixel


def test_a_script_gets_the_report_as_it_is(service: Service, pixel: Row) -> None:
    data = service.json("stats", "pixel", pixel["id"], "--days", 7, "--tz", "Europe/Berlin")
    assert (data["pixel_id"], data["date_range"]["tz"]) == (pixel["id"], "Europe/Berlin")
    assert data["summary"]["total_events"] == 3
    assert data["submissions"]["total"] == 1


def test_people_get_a_sentence_and_tables(service: Service, pixel: Row) -> None:
    output = service.ppp("stats", "pixel", pixel["id"], key=READ_KEY)
    assert output.code == 0
    first, *_ = output.out.splitlines()
    assert first.startswith(f"{pixel['id']}, ")
    lines = [line.split() for line in output.out.splitlines()]
    assert ["google", "cpc", "spring", "2", "1"] in lines
    assert ["https://shop.example/contact", "1", "1"] in lines
    for title in ("Sources", "Pages", "Days", "Forms"):
        assert [title] in lines


def test_each_property_is_a_table(service: Service, pixel: Row) -> None:
    output = service.ppp("stats", "pixel", pixel["id"], "--by", "source", "--by", "landing_page")
    lines = [line.split() for line in output.out.splitlines()]
    assert ["source", "events", "visitors", "sessions", "submissions", "conversion"] in lines
    assert ["google", "2", "1", "1", "1", "100.00%"] in lines
    assert ["direct", "1", "1", "1", "0", "0.00%"] in lines
    # A parameter of the site's own may say which page it is.
    assert ["https://shop.example/?zz_id=7", "2", "1", "1", "1", "100.00%"] in lines
    assert ["https://shop.example/", "1", "1", "1", "0", "0.00%"] in lines
    first = service.json("stats", "pixel", pixel["id"], "--by", "source", "--touch", "first")
    assert (first["attribution"], first["rows"][0]["value"]) == ("first", "google")


def test_all_pages_of_a_breakdown_are_read(service: Service, busy_project: Row) -> None:
    data = service.json("stats", "pixel", busy_project["id"], "--by", "source")
    assert [row["value"] for row in data["rows"]] == [
        f"source {number:03}" for number in range(1, MORE_THAN_A_PAGE + 1)
    ]
    assert data["next_cursor"] is None


def test_all_pixels_of_a_project_are_counted(service: Service, busy_project: Row) -> None:
    prefix = some_visitor()
    sql = """
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
      INSERT INTO pixels (id, project_id, name) SELECT ? || n, ?, printf('site %03d', n) FROM n
    """
    service.worker.query(sql, MORE_THAN_A_PAGE, prefix, busy_project["project_id"])
    data = service.json("stats", "project", busy_project["project_id"])
    assert data["summary"]["total_events"] == MORE_THAN_A_PAGE
    assert len({pixel["pixel_id"] for pixel in data["pixel_breakdown"]}) == MORE_THAN_A_PAGE + 1
    output = service.ppp("stats", "project", busy_project["project_id"])
    assert output.out.count("site ") == MORE_THAN_A_PAGE
    assert f"\n{MORE_THAN_A_PAGE} events of {MORE_THAN_A_PAGE} visitors" in output.out


def test_the_last_day_is_shown_with_its_newest_events(service: Service, pixel: Row) -> None:
    output = service.ppp("stats", "live", pixel["id"])
    assert output.code == 0
    assert "form_submit" in output.out
    assert "jane@example.com" not in output.out
    data = service.json("stats", "live", pixel["id"])
    assert [event["event_type"] for event in data["recent_events"]].count("pageview") == 2


def test_what_campaigns_say_and_nobody_keeps_is_shown(service: Service, pixel: Row) -> None:
    output = service.ppp("stats", "campaigns")
    assert output.code == 0
    assert "with UTM parameters" in output.out
    assert "zz_id" in output.out
    data = service.json("stats", "campaigns")
    assert {"name": "zz_id", "events": 1} in data["unstored_parameters"]


@pytest.fixture
def archived(service: Service, pixel: Row) -> Iterator[Row]:
    """The same pixel, of which a part of yesterday is archived."""
    service.worker.query(PART, pixel["id"])
    yield pixel
    service.worker.query("DELETE FROM archive_batches")


def test_what_is_archived_is_told_where_it_is_not_counted(service: Service, archived: Row) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    note = f"not counted: 1,234 events of days until {yesterday} in the archive"
    for arguments in (
        ("pixel", archived["id"]),
        ("pixel", archived["id"], "--by", "source"),
        ("project", archived["project_id"]),
        ("campaigns",),
    ):
        assert note in service.ppp("stats", *arguments).out.splitlines()
    assert "not counted" not in service.ppp("stats", "pixel", service.pixel()["id"]).out


def test_a_pixel_that_saw_nothing_is_told_by_the_exit_code(service: Service) -> None:
    pixel = service.pixel()
    for arguments in (("pixel", pixel["id"]), ("live", pixel["id"])):
        output = service.ppp("stats", *arguments)
        assert output.code == 1
        assert "nothing" in output.out
    output = service.ppp("stats", "pixel", pixel["id"], "--by", "source", "--json")
    assert (output.code, json.loads(output.out)["rows"]) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("--from", "yesterday"), "from must be a date"),
        (("--from", "2026-01-01", "--days", "3"), "exclude each other"),
        (("--to", "2026-01-01"), "to needs a from"),
        (("--tz", "Berlin"), "tz must be the IANA name"),
        (("--by", "colour"), "by must be one of source, medium"),
        (("--by", "country", "--touch", "first"), "attribution must be credit"),
    ],
)
def test_what_the_worker_does_not_understand_is_said_in_its_words(
    service: Service, pixel: Row, arguments: tuple[str, ...], remedy: str
) -> None:
    assert remedy in fails(service.ppp("stats", "pixel", pixel["id"], *arguments), 2)
