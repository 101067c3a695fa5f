"""A key without the permission `leads` sees no person, at no address of the document.

One person is planted into every column that a page or a browser fills, in all spellings, in stored
and in archived events. Nothing of them is in any answer; a key with the permission sees them.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote

import pytest

from config import VERSION
from openapi import operations, read_document, roles_of
from pyodide_bundle import Bundle
from services.core.event_lines import COLUMNS
from services.reports.breakdowns import BREAKDOWNS
from tests.harness.archive import CRON, day
from tests.harness.keys import ADMIN_KEY, LEADS_KEY, READ_KEY, keys
from tests.harness.worker import Answer, Row, Worker, claim_full_backup, running_worker

PROJECT, PIXEL = "planted-project", "planted-pixel"
NAME, EMAIL, PHONE, ADDRESS = (
    "Zylphia",
    "zylphia.quux@mail.example",
    "+49 171 2345678",
    "203.0.113.77",
)
AGENT = "Mozilla/5.0 (X11; Planted) PlantedBrowser/9.1"
# What none of the answers may hold, whatever the case and the encoding.
TRACES = ("zylphia", "quux", "1712345678", "171 2345678", "203.0.113.77", "planted)", "plantedbr")
SPELLINGS = (
    f"{NAME} <{EMAIL}>",
    EMAIL.upper(),
    quote(EMAIL),
    quote(quote(EMAIL)),
    f"{PHONE} {EMAIL}",
    PHONE,
    quote(PHONE),
    "0171 2345678",
    ADDRESS,
    AGENT,
)
FREE = ("page_title", "form_data", "event_data", "custom_utm", "pipedrive_sync_reason")
NOT_OF_PAGES = {
    *("id", "project_id", "pixel_id", "visitor_id", "session_id", "event_key", "touch_origin"),
    *("timestamp", "created_at", "archived", "zapier_sent", "zapier_sent_at", "visitor_sequence"),
    *("pipedrive_sync_status", "pipedrive_sync_at", "pipedrive_retry_count", "form_outcome"),
    *("pipedrive_last_retry_at", "pipedrive_due_at", "pipedrive_lease", "suspicious"),
}
PLANTED = [name for name in COLUMNS if name not in NOT_OF_PAGES]
# A page without a campaign, one of a thank-you page, one with the person in its path.
PAGES = (
    "https://{quoted}@shop.example/",
    "https://shop.example/thanks?first_name=Zylphia&email={quoted}&utm_source={quoted}&gclid=1712345678",
    "https://shop.example/for/{quoted}/now#{quoted}",
)


def values(number: int, page: str, days_ago: int) -> dict[str, object]:
    """A row of an event with the person in one of the spellings."""
    text = SPELLINGS[number % len(SPELLINGS)]
    address = page.format(quoted=quote(text, safe=""))
    person = json.dumps({"email": EMAIL, "first_name": NAME, "phone": PHONE, "agent": AGENT})
    return {
        **dict.fromkeys(PLANTED, text),
        **dict.fromkeys(FREE, f"Thank you, {NAME}"),
        **dict.fromkeys(("form_data", "event_data", "browser_data"), person),
        "device_data": person,
        "viewport_data": person,
        "page_url": address,
        "referrer_url": address,
        "user_agent": AGENT,
        "project_id": PROJECT,
        "pixel_id": PIXEL,
        "visitor_id": "planted",
        "session_id": "s",
        "event_key": f"planted-{days_ago}-{number}",
        "touch_origin": "page_url",
        "event_type": text if number % 2 else "form_submit",
        "timestamp": f"{day(days_ago)} 00:00:{number:02}",
        "pipedrive_sync_status": "synced",
    }


def insert(worker: Worker, table: str, row: Mapping[str, object]) -> None:
    marks = ", ".join("?" for _ in row)
    worker.query(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", *row.values())


@pytest.fixture(scope="module")
def planted(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with the person in its database and in its archive."""
    limits = {"ANALYTICS_PER_HOUR": "999999", "MANAGEMENT_PER_HOUR": "999999"}
    with running_worker(env_vars={"API_KEYS": keys(), **limits}) as worker:
        insert(worker, "projects", {"id": PROJECT, "name": "Planted"})
        insert(worker, "pixels", {"id": PIXEL, "project_id": PROJECT, "name": "planted"})
        touch = json.dumps({"origin": "body", "utm_source": EMAIL, "utm_term": PHONE})
        visitor = {"id": "planted", "visitor_cookie": EMAIL, "user_agent": AGENT}
        insert(worker, "visitors", {**visitor, "ip_address": ADDRESS, "first_touch": touch})
        session = {"id": "s", "visitor_id": "planted", "pixel_id": PIXEL, "session_cookie": EMAIL}
        insert(worker, "sessions", {**session, "utm_source": EMAIL, "touch": touch})
        for days_ago in (200, 0):
            for number, page in itertools.product(range(len(SPELLINGS)), PAGES):
                row = values(number, page, days_ago)
                row["event_key"] = f"{row['event_key']}-{PAGES.index(page)}"
                insert(worker, "tracking_events", row)
        claim_full_backup(worker)
        worker.act("scheduled", cron=CRON)
        [archived] = worker.query("SELECT sum(events) AS number FROM archive_batches")
        assert archived["number"] == len(SPELLINGS) * len(PAGES)
        yield worker


def addresses() -> list[str]:
    """Every address that a key with the role read may ask, with its parameters."""
    document = read_document(VERSION)
    ids = {"pixelId": PIXEL, "projectId": PROJECT}
    asked = []
    for (method, template), operation in operations(document).items():
        if method != "GET" or "read" not in roles_of(operation, document):
            continue
        path = re.sub(r"\{(\w+)\}", lambda match: ids.get(match[1], "none"), template)
        if "/breakdown/" in path:
            pairs = [f"by={by}&attribution={attribution}" for by, attribution in BREAKDOWNS]
            asked += [f"{path}?{pair}&limit={limit}" for pair in pairs for limit in (1, 500)]
        elif "/export/" in path:
            names = ("json", "csv", "ndjson")
            asked += [f"{path}?format={name}&days=365&limit=10000" for name in names]
        else:
            asked.append(path)
    return asked


def ask(worker: Worker, address: str, key: str) -> Answer:
    return worker.fetch(address, headers={"x-api-key": key})


def plain(answer: Answer) -> str:
    """All that an answer holds, decoded as far as it can be."""
    text = answer.body.decode()
    for cursor in re.findall(r'"next_cursor": ?"([\w-]+)"', text):
        text += base64.urlsafe_b64decode(cursor + "==").decode(errors="replace")
    for _ in range(4):
        text = unquote(text)
    return f"{text} {' '.join(answer.headers.values())}".lower()


@pytest.mark.parametrize("address", addresses())
def test_a_key_without_the_permission_sees_nothing_of_a_person(
    planted: Worker, address: str
) -> None:
    answer = ask(planted, address, READ_KEY)
    assert answer.status == (404 if address.endswith("/none") else 200)
    content = plain(answer)
    assert [trace for trace in TRACES if trace in content] == []


@pytest.mark.parametrize("name", ["json", "csv", "ndjson"])
def test_a_key_with_the_permission_sees_all_of_them(planted: Worker, name: str) -> None:
    answer = ask(planted, f"/api/reports/export/{PIXEL}?format={name}&days=365&limit=99", LEADS_KEY)
    content = plain(answer)
    assert [trace for trace in TRACES if trace not in content] == []


@pytest.mark.parametrize("name", ["json", "csv", "ndjson"])
@pytest.mark.parametrize("address", ["/api/reports/export", "/api/analytics/export"])
def test_of_click_ids_only_that_there_was_one_is_shown(
    planted: Worker, address: str, name: str
) -> None:
    pixel = f"clicks-{address.split('/')[2]}-{name}"
    insert(planted, "pixels", {"id": pixel, "project_id": PROJECT, "name": pixel})
    columns = {"pixel_id": pixel, "event_type": "pageview", "timestamp": f"{day(0)} 00:00:00"}
    click_ids = {"gclid": "EAIaIQobChMI", "click_ids": '{"gbraid":"IwAR0Clear"}'}
    insert(planted, "tracking_events", columns | click_ids)
    path = f"{address}/{pixel}?format={name}&days=7"
    for key, is_shown in ((READ_KEY, False), (LEADS_KEY, True)):
        content = ask(planted, path, key).body.decode()
        assert ("EAIaIQobChMI" in content, "IwAR0Clear" in content) == (is_shown, is_shown)
    if name == "csv" or "reports" in address:
        assert ask(planted, path, READ_KEY).body.count(b'"***"') == 2


UNSHOWN = "s3cr3t-t0ken"
HOOK = f"https://user:{UNSHOWN}@hooks.example/{UNSHOWN}?key={UNSHOWN}"


@pytest.mark.parametrize("path", ["/api/projects", "/api/manage/projects"])
def test_a_key_with_the_role_read_sees_no_secret_of_projects_and_pixels(
    planted: Worker, path: str
) -> None:
    project = f"secrets-{path.count('/')}"
    configuration = json.dumps(
        {"api_token": UNSHOWN, "legacy": {"hook": HOOK}, "respect_dnt": True, "note": UNSHOWN}
    )
    row = {"id": project, "name": project, "configuration": configuration}
    insert(planted, "projects", row | {"webhook_url": HOOK})
    pixel = row | {"id": f"{project}-pixel", "project_id": project}
    insert(planted, "pixels", pixel | {"website_url": HOOK.replace(f"/{UNSHOWN}", "/")})
    pixels = "/api/projects/pixels" if path == "/api/projects" else "/api/manage/pixels"
    single = (f"{path}/{project}", f"{path}/{project}/pixels", f"{pixels}/{project}-pixel")
    for address in (f"{path}?limit=100", *single):
        for key in (READ_KEY, LEADS_KEY):
            answer = ask(planted, address, key)
            assert answer.status == 200, answer.body
            assert UNSHOWN not in answer.body.decode(), address
            assert "respect_dnt" in answer.body.decode(), address
        assert UNSHOWN in ask(planted, address, ADMIN_KEY).body.decode(), address


def test_every_column_is_planted_or_cannot_hold_a_person(planted: Worker) -> None:
    columns = [row["name"] for row in planted.query("PRAGMA table_info(tracking_events)")]
    assert {*PLANTED, *NOT_OF_PAGES} == set(columns)


def test_the_shape_is_the_same_for_both(planted: Worker) -> None:
    for address in (f"/api/reports/stats/{PIXEL}", f"/api/analytics/realtime/{PIXEL}"):
        answers = [ask(planted, address, key).json()["data"] for key in (READ_KEY, LEADS_KEY)]
        shapes = [json.dumps(shape(data), sort_keys=True) for data in answers]
        assert shapes[0] == shapes[1]


def shape(content: object) -> object:
    match content:
        case dict():
            return {name: shape(value) for name, value in content.items() if name != "page_title"}
        case list():
            return [shape(value) for value in content]
        case _:
            return type(content).__name__


def test_all_pages_of_a_breakdown_are_all_rows_once(planted: Worker) -> None:
    path = f"/api/reports/breakdown/{PIXEL}?by=content"
    whole = ask(planted, f"{path}&limit=500", LEADS_KEY).json()["data"]["rows"]
    rows: list[Row] = []
    cursor: str | None = ""
    for _ in range(len(whole) // 3 + 1):
        data = ask(planted, f"{path}&limit=3&cursor={cursor}", LEADS_KEY).json()["data"]
        rows += data["rows"]
        cursor = data["next_cursor"]
    assert (rows, cursor) == (whole, None)
