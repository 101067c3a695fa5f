"""The addresses of the old Worker: the keys, types, order and statuses that scripts read.

`SHAPES` is recorded: it says what the old Worker answered, and new fields may only be added to it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pyodide_bundle import Bundle
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import Answer, Row, Worker, running_worker, some_event, some_visitor

TEXT, NUMBER, FLAG, LIST = "text", "number", "flag", "list"
TEXT_OR_NULL = "text or null"
KINDS: Mapping[str, tuple[type, ...]] = {
    TEXT: (str,),
    NUMBER: (int, float),
    FLAG: (bool,),
    LIST: (list,),
    TEXT_OR_NULL: (str, type(None)),
}
# A list has the shape of its entries; `{}` is an object whose keys are values.
Shape = dict[str, Any] | list[Any] | str
DAYS: Shape = {"start": TEXT, "end": TEXT, "days": NUMBER}
PROJECT_ROW: dict[str, Any] = {
    "id": TEXT,
    "name": TEXT,
    "webhook_url": TEXT_OR_NULL,
    "configuration": TEXT,
    "created_at": TEXT,
    "updated_at": TEXT,
    "active": NUMBER,
}
PIXEL_ROW: dict[str, Any] = {
    "id": TEXT,
    "project_id": TEXT,
    "name": TEXT,
    "website_url": TEXT_OR_NULL,
    "configuration": TEXT,
    "created_at": TEXT,
    "updated_at": TEXT,
    "active": NUMBER,
}
EVENT_ROW: dict[str, Any] = {
    "id": NUMBER,
    "event_type": TEXT,
    "page_url": TEXT,
    "referrer_url": TEXT_OR_NULL,
    "page_title": TEXT_OR_NULL,
    "utm_source": TEXT,
    "utm_medium": TEXT,
    "utm_campaign": TEXT,
    "utm_content": TEXT_OR_NULL,
    "utm_term": TEXT_OR_NULL,
    "country": TEXT_OR_NULL,
    "timestamp": TEXT,
    "created_at": TEXT,
}
SHAPES: dict[str, Shape] = {
    "/health": {
        "status": TEXT,
        "timestamp": TEXT,
        "worker": TEXT,
        "version": TEXT,
        "uptime": NUMBER,
    },
    "/": {
        "name": TEXT,
        "version": TEXT,
        "description": TEXT,
        "environment": TEXT,
        "timestamp": TEXT,
        "endpoints": {
            "health": TEXT,
            "tracking": TEXT,
            "analytics": TEXT,
            "projects": TEXT,
            "pixel_script": TEXT,
            "integration_guide": TEXT,
        },
        "authentication": {
            "type": TEXT,
            "header": TEXT,
            "format": TEXT,
            "required_for": [TEXT],
            "documentation": TEXT,
        },
        "features": [TEXT],
    },
    "/api/analytics/stats/{pixel}": {
        "success": FLAG,
        "data": {
            "pixel_id": TEXT,
            "date_range": DAYS,
            "summary": {
                "total_events": NUMBER,
                "unique_visitors": NUMBER,
                "unique_sessions": NUMBER,
                "unique_pages": NUMBER,
            },
            "top_sources": [{"utm_source": TEXT, "count": NUMBER}],
            "top_pages": [{"page_url": TEXT, "count": NUMBER}],
            "daily_breakdown": [{"date": TEXT, "events": NUMBER, "visitors": NUMBER}],
        },
    },
    "/api/analytics/project/{project}/stats": {
        "success": FLAG,
        "data": {
            "project_id": TEXT,
            "date_range": DAYS,
            "summary": {
                "total_events": NUMBER,
                "unique_visitors": NUMBER,
                "unique_sessions": NUMBER,
                "active_pixels": NUMBER,
            },
            "pixel_breakdown": [
                {"pixel_id": TEXT, "pixel_name": TEXT, "events": NUMBER, "visitors": NUMBER}
            ],
        },
    },
    "/api/analytics/export/{pixel}": {
        "success": FLAG,
        "data": {
            "pixel_id": TEXT,
            "export_date": TEXT,
            "date_range": {"start": TEXT, "end": TEXT},
            "events": [EVENT_ROW],
            "total_exported": NUMBER,
        },
    },
    "/api/analytics/realtime/{pixel}": {
        "success": FLAG,
        "data": {
            "pixel_id": TEXT,
            "updated_at": TEXT,
            "hourly_breakdown": [{"hour": TEXT, "events": NUMBER, "visitors": NUMBER}],
            "recent_events": [
                {
                    "page_url": TEXT,
                    "utm_source": TEXT,
                    "utm_medium": TEXT,
                    "utm_campaign": TEXT,
                    "country": TEXT_OR_NULL,
                    "timestamp": TEXT,
                }
            ],
        },
    },
    "/api/analytics/metrics": {
        "success": FLAG,
        "timestamp": TEXT,
        "metrics": {
            "database": {
                "total_events": NUMBER,
                "unique_visitors": NUMBER,
                "unique_sessions": NUMBER,
                "active_pixels": NUMBER,
            },
            "recent_activity": {"events_last_hour": NUMBER, "form_submissions_last_hour": NUMBER},
            "pipedrive": {
                "circuit_breaker_state": TEXT,
                "circuit_breaker_failures": NUMBER,
                "circuit_breaker_next_attempt": TEXT_OR_NULL,
                "delayed_sync_pending": NUMBER,
                "delayed_sync_total": NUMBER,
            },
            "system": {"environment": TEXT, "cache_available": FLAG, "database_available": FLAG},
        },
    },
    "/api/analytics/debug/utm-analysis": {
        "success": FLAG,
        "analysis": {
            "total_events": NUMBER,
            "events_with_utm": NUMBER,
            "events_with_gclid": NUMBER,
            "events_with_form_data": NUMBER,
            "events_sent_to_pipedrive": NUMBER,
            "utm_sources": {},
            "page_url_analysis": {},
            "missing_utm_with_params": NUMBER,
            "sample_events": [
                {
                    "id": NUMBER,
                    "page_url": TEXT,
                    "utm_source": TEXT_OR_NULL,
                    "utm_medium": TEXT_OR_NULL,
                    "utm_campaign": TEXT_OR_NULL,
                    "gclid": TEXT_OR_NULL,
                    "has_form_data": FLAG,
                    "created_at": TEXT,
                    "url_has_utm": FLAG,
                    "browser_data": {
                        "browser": TEXT_OR_NULL,
                        "os": TEXT_OR_NULL,
                        "user_agent": TEXT,
                    },
                }
            ],
            "utm_capture_rate": NUMBER,
            "pipedrive_delivery_rate": NUMBER,
        },
        "recommendations": LIST,
    },
    "/api/projects": {"success": FLAG, "data": [{**PROJECT_ROW, "pixel_count": NUMBER}]},
    "/api/projects/{project}": {"success": FLAG, "data": {**PROJECT_ROW, "pixels": [PIXEL_ROW]}},
    "/api/projects/{project}/pixels": {"success": FLAG, "data": [PIXEL_ROW]},
    "/api/projects/pixels/{pixel}": {"success": FLAG, "data": {**PIXEL_ROW, "project_name": TEXT}},
}


@pytest.fixture(scope="module")
def legacy(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys and no limit of management, whose pixels are read anew."""
    settings = {
        "API_KEYS": keys(),
        "MANAGEMENT_PER_HOUR": "999999",
        "PIXEL_CACHE_SECONDS": "1",
    }
    with running_worker(env_vars=settings) as running:
        yield running


def ask(
    worker: Worker, path: str, method: str = "GET", body: object = None, key: str = ADMIN_KEY
) -> Answer:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    return worker.fetch(path, method=method, headers=headers, body=text)


def data(answer: Answer, status: int = 200) -> Row:
    assert answer.status == status, answer.body
    row: Row = answer.json()["data"]
    return row


def some_name() -> str:
    return f"Client {some_visitor()}"


@pytest.fixture
def project(legacy: Worker) -> Row:
    body = {"name": some_name(), "configuration": {"colour": "red"}}
    return data(ask(legacy, "/api/projects", "POST", body), 201)


@pytest.fixture
def pixel(legacy: Worker, project: Row) -> Row:
    body = {"name": "shop", "website_url": "https://shop.example"}
    return data(ask(legacy, f"/api/projects/{project['id']}/pixels", "POST", body), 201)


def mismatches(value: object, shape: Shape, where: str = "") -> Iterator[str]:
    """Where an answer lacks a recorded key, or has another type."""
    match shape:
        case str():
            if type(value) not in KINDS[shape]:
                yield f"{where} is {value!r}, and was a {shape}"
        case [entry] if isinstance(value, list) and value:
            for number, part in enumerate(value):
                yield from mismatches(part, entry, f"{where}[{number}]")
        case dict() if isinstance(value, dict):
            yield from (f"{where}.{name} is missing" for name in shape.keys() - value.keys())
            for name in shape.keys() & value.keys():
                yield from mismatches(value[name], shape[name], f"{where}.{name}")
        case _:
            yield f"{where} is {value!r}, and was {shape!r}"


def seen(worker: Worker, pixel_id: str, query: str = "", **fields: object) -> int:
    event = some_event(pixel_id=pixel_id, page_url=f"https://shop.example/{query}", **fields)
    answer = worker.send(event)
    assert answer.status_code == 200, answer.text
    event_id: int = answer.json()["event_id"]
    return event_id


@pytest.mark.parametrize("path", SHAPES)
def test_an_old_address_has_every_recorded_key_with_its_type(
    legacy: Worker, project: Row, pixel: Row, path: str
) -> None:
    seen(legacy, pixel["id"], "?utm_source=news")
    seen(legacy, pixel["id"])
    answer = ask(legacy, path.format(project=project["id"], pixel=pixel["id"]))
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert list(mismatches(answer.json(), SHAPES[path])) == []


@pytest.mark.parametrize("path", [path for path in SHAPES if path.startswith("/api/")])
def test_answers_are_compact_for_those_who_search_them(
    legacy: Worker, project: Row, pixel: Row, path: str
) -> None:
    answer = ask(legacy, path.format(project=project["id"], pixel=pixel["id"]))
    assert answer.body.startswith(b'{"success":true,')
    assert b'": ' not in answer.body


def test_text_is_answered_as_it_is(legacy: Worker) -> None:
    name = f"Café Müller {some_visitor()}"
    body = json.dumps({"name": name, "configuration": {"half": "\ud83d"}})
    made = ask(legacy, "/api/projects", "POST", body)
    assert name.encode() in made.body


def test_sources_are_grouped_by_the_source_alone_and_direct_is_one(
    legacy: Worker, pixel: Row
) -> None:
    for medium in ("email", "cpc"):
        seen(legacy, pixel["id"], f"?utm_source=news&utm_medium={medium}")
    seen(legacy, pixel["id"], "?gclid=G")
    seen(legacy, pixel["id"], event_type="event", event_name="buy")
    statistics = data(ask(legacy, f"/api/analytics/stats/{pixel['id']}"))
    assert [(row["utm_source"], row["count"]) for row in statistics["top_sources"]] == [
        ("news", 2),
        ("direct", 1),
        ("google", 1),
    ]
    assert sum(row["count"] for row in statistics["top_pages"]) == 4
    events = data(ask(legacy, f"/api/analytics/export/{pixel['id']}"))["events"]
    assert [event["utm_source"] for event in events] == ["direct", "google", "news", "news"]
    assert [event["utm_medium"] for event in events] == ["unknown", "cpc", "cpc", "email"]


def test_a_pixel_that_saw_nothing_has_empty_lists_and_zeros(legacy: Worker, pixel: Row) -> None:
    statistics = data(ask(legacy, f"/api/analytics/stats/{pixel['id']}"))
    assert set(statistics["summary"].values()) == {0}
    assert statistics["top_sources"] == statistics["top_pages"] == []
    assert statistics["daily_breakdown"] == []
    exported = data(ask(legacy, f"/api/analytics/export/{pixel['id']}"))
    assert (exported["events"], exported["total_exported"]) == ([], 0)


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ("", 30),
        ("?days=7", 7),
        ("?days=0", 1),
        ("?days=-5", 1),
        ("?days=9999", 365),
        (f"?days={'9' * 5_000}", 365),
        ("?days=", 30),
        ("?days=abc", 30),
        ("?days=7days", 7),
        ("?days=1.9", 1),
        ("?days=%D9%A3", 30),
        ("?from=x&tz=Nowhere&limit=x&_=1", 30),
    ],
)
def test_days_are_clamped_and_nothing_is_refused(
    legacy: Worker, pixel: Row, query: str, days: int
) -> None:
    for path in (f"stats/{pixel['id']}", f"project/{pixel['project_id']}/stats"):
        answer = data(ask(legacy, f"/api/analytics/{path}{query}"))
        assert answer["date_range"]["days"] == days
    assert ask(legacy, f"/api/analytics/export/{pixel['id']}{query}").status == 200


def test_the_limit_of_an_export_is_clamped(legacy: Worker, pixel: Row) -> None:
    for _ in range(3):
        seen(legacy, pixel["id"])
    for limit, count in (("0", 1), ("2", 2), ("99999", 3), ("x", 3), ("", 3)):
        exported = data(ask(legacy, f"/api/analytics/export/{pixel['id']}?limit={limit}"))
        assert exported["total_exported"] == len(exported["events"]) == count


@pytest.mark.parametrize("name", ["xml", "ndjson", "", "CSV", "json"])
def test_any_format_but_csv_is_json(legacy: Worker, pixel: Row, name: str) -> None:
    answer = ask(legacy, f"/api/analytics/export/{pixel['id']}?format={name}")
    assert answer.headers["content-type"] == "application/json"
    assert ask(legacy, f"/api/analytics/metrics?format={name}").json()["success"] is True


def test_a_csv_begins_with_the_columns_of_old_and_its_lines_end_as_they_did(
    legacy: Worker, pixel: Row
) -> None:
    seen(legacy, pixel["id"], page_title='Say "hi"')
    answer = ask(legacy, f"/api/analytics/export/{pixel['id']}?format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert f'filename="pixel_{pixel["id"]}_export.csv"' in answer.headers["content-disposition"]
    assert b"\r" not in answer.body
    [header, row] = csv.reader(io.StringIO(answer.body.decode()))
    assert header[: len(EVENT_ROW)] == list(EVENT_ROW)
    assert dict(zip(header, row, strict=True))["page_title"] == 'Say "hi"'


def test_an_empty_csv_is_404_as_ever_and_has_a_header_row(legacy: Worker, pixel: Row) -> None:
    answer = ask(legacy, f"/api/analytics/export/{pixel['id']}?format=csv")
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body.startswith(b"id,event_type,page_url,")
    assert b"No data available" in answer.body


def test_what_is_switched_off_is_not_there(legacy: Worker, project: Row, pixel: Row) -> None:
    off = ask(legacy, f"/api/projects/pixels/{pixel['id']}", "DELETE")
    assert off.json() == {"success": True, "message": "Pixel deleted successfully"}
    paths = [
        f"/api/projects/pixels/{pixel['id']}",
        *(f"/api/analytics/{name}/{pixel['id']}" for name in ("stats", "realtime", "export")),
    ]
    for path in paths:
        answer = ask(legacy, path)
        assert (answer.status, answer.json()["error"]) == (404, "Pixel not found")
    assert data(ask(legacy, f"/api/projects/{project['id']}"))["pixels"] == []

    off = ask(legacy, f"/api/projects/{project['id']}", "DELETE")
    assert off.json() == {"success": True, "message": "Project deleted successfully"}
    for path in ("", "/pixels"):
        answer = ask(legacy, f"/api/projects/{project['id']}{path}")
        assert (answer.status, answer.json()["error"]) == (404, "Project not found")
    stats = ask(legacy, f"/api/analytics/project/{project['id']}/stats")
    assert (stats.status, stats.json()["error"]) == (404, "Project not found")
    for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
        assert ask(legacy, f"/api/projects/{project['id']}", method, body).status == 404
    listed = ask(legacy, "/api/projects").json()["data"]
    assert project["id"] not in [row["id"] for row in listed]


def test_a_deleted_project_takes_its_pixels_along(legacy: Worker, project: Row, pixel: Row) -> None:
    ask(legacy, f"/api/projects/{project['id']}", "DELETE")
    [row] = legacy.query("SELECT active FROM pixels WHERE id = ?", pixel["id"])
    assert row["active"] == 0


def test_an_id_of_any_text_is_known_by_its_encoding(legacy: Worker) -> None:
    # Ids of old were written by hand.
    legacy.query("INSERT INTO projects (id, name) VALUES ('Acme GmbH/ü', 'Encoded')")
    try:
        answer = ask(legacy, "/api/projects/Acme%20GmbH%2F%C3%BC")
        assert (answer.status, answer.json()["data"]["name"]) == (200, "Encoded")
        assert ask(legacy, "/api/analytics/project/Acme%20GmbH%2F%C3%BC/stats").status == 200
    finally:
        legacy.query("DELETE FROM projects WHERE name = 'Encoded'")


def test_all_projects_are_listed_the_newest_first(legacy: Worker) -> None:
    names = [some_name() for _ in range(3)]
    for number, name in enumerate(names):
        ask(legacy, "/api/projects", "POST", {"name": name})
        legacy.query(
            "UPDATE projects SET created_at = ? WHERE name = ?",
            f"2099-01-01 00:00:0{number}",
            name,
        )
    answer = ask(legacy, "/api/projects").json()
    assert [row["name"] for row in answer["data"]][:3] == names[::-1]
    assert answer["next_cursor"] is None
    [count] = legacy.query("SELECT count(*) AS number FROM projects WHERE active")
    assert len(answer["data"]) == count["number"]

    pages: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        position = cursor.replace(" ", "%20")
        page = ask(legacy, f"/api/projects?limit=2&cursor={position}").json()
        pages += [row["id"] for row in page["data"]]
        cursor = page["next_cursor"]
    assert pages == [row["id"] for row in answer["data"]]


def test_a_project_is_made_and_changed_with_a_message(legacy: Worker) -> None:
    made = ask(legacy, "/api/projects", "POST", {"name": some_name()})
    assert made.json()["message"] == "Project created successfully"
    project = data(made, 201)
    assert len(project["id"]) == 36
    assert project["configuration"] == "{}"
    changed = ask(legacy, f"/api/projects/{project['id']}", "PUT", {"name": some_name()})
    assert changed.json()["message"] == "Project updated successfully"
    assert list(mismatches(data(changed), PROJECT_ROW)) == []

    path = f"/api/projects/{project['id']}/pixels"
    made = ask(legacy, path, "POST", {"name": "a", "configuration": {"domains": ["x"]}})
    assert made.json()["message"] == "Pixel created successfully"
    pixel = data(made, 201)
    assert pixel["configuration"] == '{"domains":["x"]}'
    body = {"name": "b", "website_url": "https://b.example"}
    changed = ask(legacy, f"/api/projects/pixels/{pixel['id']}", "PUT", body)
    assert changed.json()["message"] == "Pixel updated successfully"
    assert data(changed)["website_url"] == "https://b.example"
    assert data(changed)["configuration"] == '{"domains":["x"]}'


def test_without_a_limit_no_cursor_takes_projects_away(legacy: Worker, project: Row) -> None:
    for query in ("cursor=0", "cursor=0&limit=", "cursor=0&limit=all"):
        answer = ask(legacy, f"/api/projects?{query}").json()
        assert project["id"] in [entry["id"] for entry in answer["data"]]
        assert answer["next_cursor"] is None


def test_a_body_may_begin_with_a_byte_order_mark(legacy: Worker, project: Row) -> None:
    body = "\ufeff" + json.dumps({"name": some_name()})
    assert ask(legacy, "/api/projects", "POST", body).status == 201
    body = "\ufeff" + json.dumps({"name": (name := some_name())})
    assert data(ask(legacy, f"/api/projects/{project['id']}", "PUT", body))["name"] == name


@pytest.mark.parametrize("stored", ["[1]", "5", '"x"', "{broken", '{"legacy":[1]}', '{"a": 1}'])
def test_a_configuration_that_is_sent_back_is_not_changed(
    legacy: Worker, project: Row, stored: str
) -> None:
    path = f"/api/projects/{project['id']}"
    legacy.query("UPDATE projects SET configuration = ? WHERE id = ?", stored, project["id"])
    for _ in range(2):
        text = data(ask(legacy, path))["configuration"]
        data(ask(legacy, path, "PUT", {"configuration": text}))
    [row] = legacy.query("SELECT configuration FROM projects WHERE id = ?", project["id"])
    assert row["configuration"] == stored


def test_the_configuration_is_replaced_and_unknown_names_are_kept(
    legacy: Worker, project: Row
) -> None:
    path = f"/api/projects/{project['id']}"
    configuration = {"anything": {"deep": [1, 2.5, None]}, "pipedrive_enabled": False}
    changed = data(ask(legacy, path, "PUT", {"configuration": configuration}))
    assert json.loads(changed["configuration"]) == configuration
    assert changed["name"] == project["name"]
    assert json.loads(data(ask(legacy, path))["configuration"]) == configuration
    clean = data(ask(legacy, f"/api/manage/projects/{project['id']}"))
    assert clean["configuration"]["pipedrive_enabled"] is False
    answered = data(ask(legacy, path))
    assert (
        data(ask(legacy, path, "PUT", dict(answered)))["configuration"]
        == (answered["configuration"])
    )


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_names_of_old_scripts_are_no_commands(
    legacy: Worker, project: Row, pixel: Row, method: str
) -> None:
    names = {"allowed_domains": ["elsewhere.example"], "respect_dnt": True, "session_minutes": 1}
    paths = {
        "PUT": (f"/api/projects/{project['id']}", f"/api/projects/pixels/{pixel['id']}"),
        "POST": ("/api/projects", f"/api/projects/{project['id']}/pixels"),
    }
    pixel_id = pixel["id"]
    for path in paths[method]:
        body = {"name": some_name(), "configuration": names}
        entry = data(ask(legacy, path, method, body), 201 if method == "POST" else 200)
        assert json.loads(entry["configuration"]) == names
        kind = "pixels" if "project_id" in entry else "projects"
        clean = data(ask(legacy, f"/api/manage/{kind}/{entry['id']}"))
        assert clean["configuration"] == {"legacy": names}
        pixel_id = entry["id"]
    event = some_event(pixel_id=pixel_id)
    answer = legacy.fetch("/e", method="POST", body=json.dumps(event), headers={"dnt": "1"})
    assert answer.status == 200, answer.body


def test_what_manage_commands_an_old_script_neither_changes_nor_removes(
    legacy: Worker, project: Row
) -> None:
    path, clean_path = f"/api/projects/{project['id']}", f"/api/manage/projects/{project['id']}"
    commands = {"respect_dnt": True, "allowed_domains": ["shop.example"]}
    data(ask(legacy, clean_path, "PUT", {"configuration": commands}))
    for configuration in ({"respect_dnt": False, "colour": "red"}, {}, [1], '{"colour":"blue"}'):
        data(ask(legacy, path, "PUT", {"configuration": configuration}))
        after = data(ask(legacy, clean_path))["configuration"]
        assert {name: after[name] for name in commands} == commands
    assert after["legacy"] == {"colour": "blue"}


def test_a_script_of_old_commands_no_job_and_changes_none(legacy: Worker, project: Row) -> None:
    path, clean_path = f"/api/projects/{project['id']}", f"/api/manage/projects/{project['id']}"
    data(ask(legacy, clean_path, "PUT", {"configuration": {"retention_days": 300}}))
    [before] = legacy.query("SELECT configuration FROM projects WHERE id = ?", project["id"])
    jobs = json.loads(before["configuration"]).get("jobs")
    configuration = {"retention_days": 1, "archive_days": 1, "jobs": {"retention_days": 1}}
    changed = data(ask(legacy, path, "PUT", {"configuration": configuration}))
    assert json.loads(changed["configuration"]) == configuration
    [after] = legacy.query("SELECT configuration FROM projects WHERE id = ?", project["id"])
    stored = json.loads(after["configuration"])
    assert stored.get("jobs") == jobs
    assert stored["legacy"] == configuration
    assert "retention_days" not in stored


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("/api/projects", "{", 400, "Invalid JSON payload"),
        ("/api/projects", "[]", 400, "Invalid JSON payload"),
        ("/api/projects", "{}", 400, "Name is required"),
        ("/api/projects", '{"name":"  "}', 400, "Name is required"),
        ("/api/projects/nobody/pixels", '{"name":"a"}', 404, "Project not found"),
    ],
)
def test_refusals_are_worded_as_ever(
    legacy: Worker, path: str, body: str, status: int, error: str
) -> None:
    answer = ask(legacy, path, "POST", body)
    assert (answer.status, answer.json()["success"]) == (status, False)
    assert answer.json()["error"] == error


def test_a_taken_name_is_409(legacy: Worker, project: Row, pixel: Row) -> None:
    other = data(ask(legacy, "/api/projects", "POST", {"name": some_name()}), 201)
    for method, path in (("POST", ""), ("PUT", f"/{other['id']}")):
        answer = ask(legacy, f"/api/projects{path}", method, {"name": project["name"]})
        assert (answer.status, answer.json()["error"]) == (409, "Project name already exists")
    pixels = f"/api/projects/{project['id']}/pixels"
    answer = ask(legacy, pixels, "POST", {"name": pixel["name"]})
    expected = "Pixel name already exists in this project"
    assert (answer.status, answer.json()["error"]) == (409, expected)
    second = data(ask(legacy, pixels, "POST", {"name": "second"}), 201)
    answer = ask(legacy, f"/api/projects/pixels/{second['id']}", "PUT", {"name": pixel["name"]})
    assert (answer.status, answer.json()["error"]) == (409, expected)


@pytest.mark.parametrize(
    "path", ["/api/analytics/metrics", "/api/projects", "/api/projects/pixels/x"]
)
def test_a_page_of_any_site_may_ask_with_a_key(legacy: Worker, path: str) -> None:
    preflight = ask(legacy, path, "OPTIONS", key="")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "GET" in preflight.headers["access-control-allow-methods"]
    for key in ("wrong", READ_KEY):
        assert ask(legacy, path, key=key).headers["access-control-allow-origin"] == "*"
    clean = legacy.fetch("/api/manage/projects", method="OPTIONS")
    assert "access-control-allow-origin" not in clean.headers


@pytest.mark.parametrize("path", ["/api/track/track", "/e"])
def test_an_event_that_its_pixel_refuses_says_how_long_it_took(legacy: Worker, path: str) -> None:
    answer = legacy.send(some_event(pixel_id="none-such-pixel"), path)
    assert answer.status_code == 400
    assert answer.json() | {"processing_time": 0} == {
        "success": False,
        "error": "Invalid pixel_id",
        "processing_time": 0,
    }
    assert isinstance(answer.json()["processing_time"], int)


def test_an_unknown_address_says_what_was_asked(legacy: Worker) -> None:
    answer = legacy.fetch("/api/nothing/here?x=1", method="POST")
    assert answer.status == 404
    assert answer.json() == {
        "success": False,
        "error": "Route not found",
        "path": "/api/nothing/here",
        "method": "POST",
    }
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_names_of_the_old_worker_stay(legacy: Worker) -> None:
    health = legacy.fetch("/health").json()
    assert (health["status"], health["worker"]) == ("healthy", "PPP_Pixel")
    assert health["uptime"] >= 0
    assert legacy.fetch("/").json()["name"] == "PPP Tracking Pixel API"
