"""What is true of every answer, whatever was asked."""

from __future__ import annotations

import json

import pytest

from tests.harness.worker import PIXEL, Worker, some_address, some_event, some_visitor

SECURITY_HEADERS = {
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "strict-origin-when-cross-origin",
}
ALSO = ("content-security-policy", "permissions-policy")

ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/health", 200),
    ("GET", "/api/health", 200),
    ("GET", "/nothing/here", 404),
    ("POST", "/health", 405),
    ("DELETE", "/e", 405),
    ("POST", "/api/track/pixel.gif", 405),
    ("OPTIONS", "/e", 204),
    ("OPTIONS", "/health", 204),
    ("POST", "/e", 400),
    ("GET", "/api/track/pixel.gif", 200),
    ("GET", f"/api/reports/realtime/{PIXEL}", 401),
    ("POST", "/api/projects", 401),
    ("PATCH", "/api/projects", 405),
    ("DELETE", "/api/projects/pixels/x", 401),
    ("POST", "/api/manage/projects", 401),
    ("DELETE", "/api/manage/pixels/x", 401),
    ("GET", "/p.js", 200),
    ("GET", "/pixel.js", 200),
    ("GET", "/static/pixel.js", 200),
    ("GET", "/static/integration-example.html", 200),
    ("GET", "/api.html", 200),
    ("GET", "/openapi.json", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_its_status_and_the_security_headers(
    worker: Worker, method: str, path: str, status: int
) -> None:
    answer = worker.http.request(
        method, worker.url + path, headers={"cf-connecting-ip": some_address()}
    )
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS
    assert all(name in answer.headers for name in ALSO)


@pytest.mark.parametrize("path", ["/nothing/here", "/e/", "/api", "/api/track/nothing"])
def test_errors_have_one_shape_and_a_request_id(worker: Worker, path: str) -> None:
    answer = worker.http.get(worker.url + path)
    content = answer.json()
    assert content["success"] is False
    assert isinstance(content["error"], str)
    assert answer.headers["x-request-id"]


def test_a_wrong_method_is_told_the_right_ones(worker: Worker) -> None:
    assert worker.http.get(f"{worker.url}/e").headers["allow"] == "POST, OPTIONS"
    assert worker.http.put(f"{worker.url}/health").headers["allow"] == "GET, HEAD, OPTIONS"


def test_head_answers_as_get_without_a_body(worker: Worker) -> None:
    answer = worker.http.head(f"{worker.url}/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_preflight_of_an_old_pixel_is_answered(worker: Worker) -> None:
    answer = worker.http.options(
        f"{worker.url}/api/track/track",
        headers={
            "origin": "https://shop.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type",
        },
    )
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"].startswith("Content-Type, ")
    assert int(answer.headers["access-control-max-age"]) >= 3_600


def test_a_page_of_another_site_may_read_the_answer_and_nothing_else(worker: Worker) -> None:
    event = worker.http.post(
        f"{worker.url}/e",
        content=json.dumps(some_event()),
        headers={"origin": "https://shop.example", "cf-connecting-ip": some_address()},
    )
    assert event.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in event.headers
    for path in ("/api/manage/projects", f"/api/reports/realtime/{PIXEL}"):
        assert "access-control-allow-origin" not in worker.http.get(worker.url + path).headers


def test_the_home_page_names_the_version_and_the_addresses(worker: Worker) -> None:
    content = worker.http.get(worker.url).json()
    assert content["name"] == "PPP Tracking Pixel API"
    assert content["version"] == "3.1.0"
    assert content["endpoints"]["event"] == "/e"
    assert content["endpoints"]["backups"] == "/api/backups"
    assert content["endpoints"]["api"] == "/api.html"
    assert worker.http.get(worker.url + content["endpoints"]["openapi"]).json()["openapi"] >= "3.1"


def test_a_visit_leaves_one_log_line_without_anything_personal(worker: Worker) -> None:
    address, cookie = some_address(), some_visitor()
    worker.act("clear_logs")
    worker.send(
        some_event(
            visitor_cookie=cookie,
            event_type="form_submit",
            form_data={"email": "jane.roe@example.com", "first_name": "Janeway"},
            page_url="https://shop.example/thanks?email=jane.roe@example.com",
        ),
        address=address,
    )
    text = json.dumps(worker.log_lines())
    [line] = [line for line in worker.log_lines() if line["event"] == "event_stored"]

    assert line["level"] == "info"
    assert line["request_id"]
    for personal in ("jane.roe", "Janeway", address, cookie, "shop.example"):
        assert personal not in text


def test_what_was_refused_is_logged_without_what_was_sent(worker: Worker) -> None:
    worker.act("clear_logs")
    worker.post(json.dumps(some_event(page_url="jane.roe@example.com")))
    [line] = worker.log_lines()
    assert (line["event"], line["reason"]) == ("event_refused", "Validation failed")
    assert "jane.roe" not in json.dumps(line)


def test_the_cron_runs_and_leaves_a_line(worker: Worker) -> None:
    worker.act("clear_logs")
    assert worker.act("scheduled", cron="*/5 * * * *")["outcome"] == "ok"
    [line] = [line for line in worker.log_lines() if line["event"] == "cron_run"]
    assert (line["cron"], line["healthy"]) == ("*/5 * * * *", True)


def test_a_wrong_setting_of_the_archive_stops_nothing_else_and_is_told(worker: Worker) -> None:
    for _ in range(2):
        worker.act("clear_logs")
        assert worker.act("scheduled", cron="*/5 * * * *")["outcome"] == "ok"
    [line] = [line for line in worker.log_lines() if line["event"] == "archive_misconfigured"]
    assert line["reason"].startswith("ARCHIVE_DAYS must be a whole number")
    assert [line for line in worker.log_lines() if line["event"] == "sync_not_configured"]
    [last] = worker.query(
        "SELECT summary FROM job_runs WHERE job = 'watch' ORDER BY id DESC LIMIT 1"
    )
    assert "job_failing" in json.loads(last["summary"])["problems"]
