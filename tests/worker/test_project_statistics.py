"""The statistics of a project: its pixels together, and each by itself."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.harness.keys import READ_KEY
from tests.harness.worker import Answer, Row, Worker, some_event, some_visitor

PIXEL = "INSERT INTO pixels (id, project_id, name) VALUES (?, ?, ?)"


@pytest.fixture
def project(keyed: Worker) -> str:
    """A project with three pixels, whose ids are its own with their names."""
    project = f"project-{some_visitor()}"
    keyed.query("INSERT INTO projects (id, name) VALUES (?, ?)", project, project)
    for name in ("blog", "shop", "app & more"):
        keyed.query(PIXEL, f"{project}-{name[:4].strip()}", project, name)
    return project


def ask(worker: Worker, project: str, query: str = "") -> Answer:
    path = f"/api/reports/project/{project}/stats{query}"
    return worker.fetch(path, headers={"x-api-key": READ_KEY})


def stats(worker: Worker, project: str, query: str = "") -> Row:
    answer = ask(worker, project, query)
    assert answer.status == 200, answer.body
    data: Row = answer.json()["data"]
    return data


def record_view(worker: Worker, pixel_id: str, visitor: str, time: str, page: str = "") -> None:
    event = some_event(
        pixel_id=pixel_id, visitor_cookie=visitor, page_url=f"https://a.example/{page}"
    )
    event_id = worker.send(event).json()["event_id"]
    worker.query("UPDATE tracking_events SET timestamp = ? WHERE id = ?", time, event_id)


def test_a_visitor_of_two_pixels_and_their_session_are_one_in_the_sum(
    keyed: Worker, project: str
) -> None:
    one, two = some_visitor(), some_visitor()
    record_view(keyed, f"{project}-shop", one, "2026-03-01 10:00:00", "a")
    record_view(keyed, f"{project}-shop", two, "2026-03-01 11:00:00", "b")
    record_view(keyed, f"{project}-blog", one, "2026-03-02 10:00:00", "a")
    record_view(keyed, f"{project}-blog", one, "2026-03-03 10:00:00", "c")
    record_view(keyed, "ppp-website-1", one, "2026-03-02 10:00:00", "a")
    keyed.query("UPDATE pixels SET active = 0 WHERE id = ?", f"{project}-blog")

    answer = ask(keyed, project, "?from=2026-03-01&to=2026-03-02")
    assert answer.json() == {
        "success": True,
        "data": {
            "project_id": project,
            "project_name": project,
            "date_range": {
                "from": "2026-03-01T00:00:00.000Z",
                "to": "2026-03-02T23:59:59.000Z",
                "days": 2,
                "tz": "UTC",
            },
            "summary": {
                "total_events": 3,
                "unique_visitors": 2,
                "unique_sessions": 2,
                "unique_pages": 2,
            },
            "pixel_breakdown": [
                {
                    "pixel_id": f"{project}-{pixel_id}",
                    "pixel_name": name,
                    "active": active,
                    "events": events,
                    "visitors": visitors,
                    "sessions": visitors,
                }
                for pixel_id, name, active, events, visitors in (
                    ("app", "app & more", 1, 0, 0),
                    ("blog", "blog", 0, 1, 1),
                    ("shop", "shop", 1, 2, 2),
                )
            ],
            "next_cursor": None,
            "archived": {"events": 0, "until": None},
        },
    }


def test_the_days_of_a_project_are_those_of_the_zone(keyed: Worker, project: str) -> None:
    record_view(keyed, f"{project}-shop", some_visitor(), "2026-02-28 23:30:00")
    query = "?from=2026-03-01&to=2026-03-01"
    assert stats(keyed, project, query)["summary"]["total_events"] == 0
    in_berlin = f"{query}&tz=Europe/Berlin"
    assert stats(keyed, project, in_berlin)["summary"]["total_events"] == 1


def test_many_pixels_come_in_pages_by_name(keyed: Worker, project: str) -> None:
    names: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        data = stats(keyed, project, f"?limit=1&cursor={quote(cursor)}")
        names += [pixel["pixel_name"] for pixel in data["pixel_breakdown"]]
        cursor = data["next_cursor"]
    assert names == ["app & more", "blog", "shop"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("?limit=0", "limit must be a whole number from 1 to 500"),
        ("?limit=501", "limit must be a whole number from 1 to 500"),
        ("?days=x", "days must be a whole number from 1 to 365"),
    ],
)
def test_what_cannot_be_asked_is_400(keyed: Worker, project: str, query: str, error: str) -> None:
    answer = ask(keyed, project, query)
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_a_project_that_is_not_there_or_off_is_404(keyed: Worker, project: str) -> None:
    keyed.query("UPDATE projects SET active = 0 WHERE id = ?", project)
    for project_id in (project, "nobody-knows-it"):
        answer = ask(keyed, project_id)
        assert (answer.status, answer.json()["error"]) == (404, "Project not found")
