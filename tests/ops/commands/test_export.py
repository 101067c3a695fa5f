"""`ppp export`, on a real Worker: all events or a beginning that a later run goes on with."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from ops.worker_api import retries
from services.core.event_lines import COLUMNS
from tests.harness.road import Road, running_road
from tests.harness.sync import wait_until
from tests.harness.worker import Row, Worker
from tests.ops.asking import ADMIN_KEY, READ_KEY, Service
from tests.ops.running import MODULES, Output, fails

FORMATS = ("csv", "ndjson", "json")
MANY_EVENTS = 300
# Whoever started these tests may have told their children to ignore interrupts.
HEARS_INTERRUPTS = """
import signal, sys
from ops.__main__ import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
EVENTS = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, page_url, page_title, timestamp)
WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
SELECT ?, ?, 'v' || n, 'https://shop.example/' || n, 'Ünï "quoted", and' || char(13, 10) || 'more',
  datetime('now', '-' || (n / 7) || ' minutes')
FROM n
"""


def pixel_with(worker: Worker, service: Service, events: int) -> Row:
    pixel = service.pixel()
    if events:
        worker.query(EVENTS, events, pixel["project_id"], pixel["id"])
    return pixel


@pytest.fixture(scope="module")
def few(keyed: Worker, service: Service) -> Row:
    """A pixel with 25 events."""
    return pixel_with(keyed, service, 25)


@pytest.fixture(scope="module")
def busy_pixel(keyed: Worker, service: Service) -> Row:
    """A pixel with so many that an export of ten at a time is under way for a while."""
    return pixel_with(keyed, service, MANY_EVENTS)


@pytest.fixture
def road(service: Service) -> Iterator[Road]:
    """A way to the Worker that can break."""
    with running_road(service.worker.url) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command try again at once, and not often."""
    monkeypatch.setattr(retries, "PAUSES_SECONDS", (0, 0))


def stored(service: Service, pixel: Row) -> list[Row]:
    sql = "SELECT * FROM tracking_events WHERE pixel_id = ? ORDER BY timestamp DESC, id DESC"
    return service.worker.query(sql, pixel["id"])


def events_in(text: str, format_name: str) -> list[Row]:
    match format_name:
        case "json":
            events: list[Row] = json.loads(text)
            return events
        case "ndjson":
            return [json.loads(line) for line in text.splitlines()]
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def read(file: Path, format_name: str) -> list[Row]:
    return events_in(file.read_bytes().decode(), format_name)


def ids(events: list[Row]) -> list[int]:
    return [int(event["id"]) for event in events]


@contextmanager
def once_under_way(road: Road, act: object) -> Iterator[None]:
    """Does something as soon as three parts have come."""

    def watch() -> None:
        wait_until(lambda: sum(request.status == 200 for request in road.requests) >= 3)
        assert callable(act)
        act()

    watching = Thread(target=watch)
    watching.start()
    try:
        yield
    finally:
        watching.join()


# ---- what is in the file -----------------------------------------------------------------------


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("batch", [5, 10, 5_000])
def test_all_events_are_in_one_file_however_many_parts_they_came_in(
    service: Service, few: Row, home: Path, format_name: str, batch: int
) -> None:
    file = home / "events"
    arguments = ("--format", format_name, "--output", file, "--batch", batch)
    output = service.ppp("export", few["id"], *arguments, key=ADMIN_KEY)
    assert output.code == 0, output
    assert output.out == f"{file}: 25 events, {file.stat().st_size:,} bytes\n"
    events = read(file, format_name)
    assert ids(events) == ids(stored(service, few))
    assert list(events[0]) == list(COLUMNS)
    if format_name != "csv":
        assert events == stored(service, few)
    assert [each.name for each in home.iterdir()] == ["events"]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_key_without_the_permission_for_leads_exports_no_titles(
    service: Service, few: Row, home: Path
) -> None:
    file = home / "events"
    arguments = ("--format", "json", "--output", file)
    assert service.ppp("export", few["id"], *arguments, key=READ_KEY).code == 0
    events = read(file, "json")
    assert ids(events) == ids(stored(service, few))
    assert {event["page_title"] for event in events} == {None}


@pytest.mark.parametrize(
    ("format_name", "text"), [("csv", ",".join(COLUMNS) + "\r\n"), ("ndjson", ""), ("json", "[]")]
)
def test_a_pixel_without_events_is_told_by_the_exit_code(
    service: Service, home: Path, format_name: str, text: str
) -> None:
    file = home / "events"
    arguments = ("--format", format_name, "--output", file)
    output = service.ppp("export", service.pixel()["id"], *arguments)
    assert (output.code, "0 events" in output.out) == (1, True)
    written = file.read_bytes().decode()
    assert (json.loads(written) == [] if format_name == "json" else written == text) is True


def test_the_span_is_what_was_asked_for(service: Service, few: Row) -> None:
    first, *_, last = stored(service, few)
    start, end = (f"{event['timestamp'].replace(' ', 'T')}Z" for event in (last, first))
    arguments = ("--format", "ndjson", "--output", "-", "--from", start, "--to", end)
    events = events_in(service.ppp("export", few["id"], *arguments).out, "ndjson")
    assert ids(events) == ids(stored(service, few))
    none = ("--format", "ndjson", "--output", "-", "--from", "2020-01-01", "--to", "2020-12-31")
    assert service.ppp("export", few["id"], *none).out == ""


@pytest.mark.parametrize("format_name", FORMATS)
def test_stdout_has_the_events_and_nothing_else(
    service: Service, few: Row, format_name: str
) -> None:
    arguments = ("--format", format_name, "--output", "-", "--batch", 10)
    output = service.ppp("export", few["id"], *arguments)
    assert ids(events_in(output.out, format_name)) == ids(stored(service, few))


def test_a_cursor_goes_on_after_an_event(service: Service, few: Row) -> None:
    events = stored(service, few)
    cursor = f"{events[9]['timestamp']},{events[9]['id']}"
    arguments = ("--format", "ndjson", "--output", "-", "--batch", 4, "--cursor", cursor)
    output = service.ppp("export", few["id"], *arguments)
    assert ids(events_in(output.out, "ndjson")) == ids(events[10:])


def test_a_script_is_told_what_was_written(service: Service, few: Row, home: Path) -> None:
    file = home / "events.csv"
    output = service.json("export", few["id"], "--output", file, "--days", 2)
    assert output == {
        "file": str(file),
        "format": "csv",
        "days": 2,
        "to": output["to"],
        "events": 25,
        "bytes": file.stat().st_size,
    }


# ---- what breaks off ---------------------------------------------------------------------------


def export(service: Service, road: Road, pixel: Row, file: Path, format_name: str) -> Output:
    arguments = ("--format", format_name, "--output", file, "--batch", 10)
    return Service(service.worker, road.url).ppp("export", pixel["id"], *arguments)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("format_name", FORMATS)
def test_the_same_command_goes_on_where_the_network_failed(
    service: Service, busy_pixel: Row, home: Path, road: Road, format_name: str
) -> None:
    file = home / "events"
    with once_under_way(road, road.cut):
        line = fails(export(service, road, busy_pixel, file, format_name), 3)
    assert "events are safe: the same command goes on" in line
    assert not file.exists()
    requests_before = len(road.requests)
    road.clear()
    output = export(service, road, busy_pixel, file, format_name)
    assert output.code == 0, output
    assert "going on after" in output.err
    assert len(road.requests) - requests_before < MANY_EVENTS / 10
    assert ids(read(file, format_name)) == ids(stored(service, busy_pixel))
    assert [each.name for each in home.iterdir()] == ["events"]


@pytest.mark.usefixtures("impatient")
def test_what_fails_for_a_moment_is_asked_for_again(
    service: Service, busy_pixel: Row, home: Path, road: Road
) -> None:
    path = f"/api/reports/export/{busy_pixel['id']}"
    with once_under_way(road, lambda: road.refuse(503, requests=2, path=path)):
        output = export(service, road, busy_pixel, home / "events", "csv")
    assert output.code == 0, output
    assert output.err.count("answered 503") == 2
    assert ids(read(home / "events", "csv")) == ids(stored(service, busy_pixel))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_lost_or_doubled_when_the_command_is_stopped(
    service: Service, busy_pixel: Row, home: Path, how: signal.Signals
) -> None:
    file = home / "events"
    notes = home / "events.part.json"
    arguments = ("export", busy_pixel["id"], "--format", "json", "--output", file, "--batch", "10")
    command = [sys.executable, "-P", "-c", HEARS_INTERRUPTS, *map(str, arguments)]
    at = ("--url", service.worker.url)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": MODULES, "PPP_API_KEY": ADMIN_KEY}
    running = subprocess.Popen([*command, *at], env=env, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: notes.exists() and json.loads(notes.read_text())["place"]["events"] > 20)
    running.send_signal(how)
    _, err = running.communicate(timeout=120)
    assert running.returncode != 0
    if how == signal.SIGINT:
        assert "are safe: the same command goes on" in err
        assert "Traceback" not in err
    assert not file.exists()
    with (home / "events.part").open("ab") as part:
        part.write(b'{"half": "an ev')
    output = service.ppp(*arguments)
    assert output.code == 0, output
    assert ids(read(file, "json")) == ids(stored(service, busy_pixel))


@pytest.mark.usefixtures("impatient")
def test_stdout_that_breaks_off_says_the_cursor_that_goes_on(
    service: Service, busy_pixel: Row, road: Road
) -> None:
    arguments = ("--format", "ndjson", "--output", "-", "--batch", 10)
    with once_under_way(road, road.cut):
        output = Service(service.worker, road.url).ppp("export", busy_pixel["id"], *arguments)
    line = fails(output, 3)
    before = events_in(output.out, "ndjson")
    to, cursor = line.partition("--to ")[2].split(" --cursor ")
    cursor = cursor.strip("'").partition("'")[0]
    after = service.ppp("export", busy_pixel["id"], *arguments[:4], "--to", to, "--cursor", cursor)
    assert ids(before + events_in(after.out, "ndjson")) == ids(stored(service, busy_pixel))


# ---- what is refused ---------------------------------------------------------------------------


def test_a_file_that_is_there_is_overwritten_only_when_told_so(
    service: Service, few: Row, home: Path
) -> None:
    file = home / "events.csv"
    file.write_text("mine")
    assert "--force" in fails(service.ppp("export", few["id"], "--output", file), 2)
    assert file.read_text() == "mine"
    assert service.ppp("export", few["id"], "--output", file, "--force").code == 0
    assert file.read_text() != "mine"


@pytest.mark.usefixtures("impatient")
def test_the_beginning_of_another_export_is_left_alone(
    service: Service, busy_pixel: Row, few: Row, home: Path, road: Road
) -> None:
    file = home / "events"
    with once_under_way(road, road.cut):
        export(service, road, busy_pixel, file, "csv")
    before = (home / "events.part").read_bytes()
    line = fails(service.ppp("export", few["id"], "--output", file), 2)
    assert "is the beginning of another export: repeat that command to finish it" in line
    assert (home / "events.part").read_bytes() == before


def test_two_runs_do_not_write_one_file(service: Service, few: Row, home: Path) -> None:
    file = home / "events"
    with (home / "events.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        line = fails(service.ppp("export", few["id"], "--output", file), 1)
        assert "another run writes" in line
        assert (home / "events.part").exists()
    assert service.ppp("export", few["id"], "--output", file).code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "remedy"),
    [
        (("nobody-knows-it",), 1, "Pixel not found (404)"),
        (("ppp-demo-pixel", "--from", "yesterday"), 2, "from: must be a day or a time in UTC"),
        (("ppp-demo-pixel", "--from", "2026-01-01", "--days", 3), 2, "leave one of them out"),
        (("ppp-demo-pixel", "--cursor", "12"), 2, "--cursor must be an event's timestamp and id"),
    ],
)
def test_what_is_refused_leaves_no_file(
    service: Service, home: Path, arguments: tuple[object, ...], code: int, remedy: str
) -> None:
    output = service.ppp("export", *arguments, "--output", home / "events")
    assert remedy in fails(output, code)
    assert list(home.iterdir()) == []


def test_where_nothing_can_be_written_it_is_said(service: Service, few: Row, home: Path) -> None:
    output = service.ppp("export", few["id"], "--output", home / "nowhere" / "events")
    assert "events.part cannot be written: No such file or directory" in fails(output, 1)
    assert "--json says what was written where" in fails(
        service.ppp("export", few["id"], "--output", "-", "--json"), 2
    )
