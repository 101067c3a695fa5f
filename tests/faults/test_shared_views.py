"""A shared view: its link shows the reports of a project or a pixel until a date, and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.faults.outside import OUTSIDE
from tests.faults.test_limited_keys import LIMITED_ADMIN, LIMITED_READER, TwoClients, operations
from tests.faults.test_whose_numbers import JANE
from tests.harness.keys import ADMIN_KEY

REPORTS = ("/api/reports/", "/api/analytics/")


@pytest.fixture
def clients() -> TwoClients:
    return TwoClients()


def new_view(clients: TwoClients, **fields: object) -> dict[str, Any]:
    """A view of the first client's project, as its maker is told of it."""
    status, answer = clients.ask(
        f"/api/manage/projects/{clients.a}/views", "POST", {"name": "Review", "days": 30} | fields
    )
    assert status == 201, answer
    view: dict[str, Any] = answer["data"]
    return view


def is_open(clients: TwoClients, view: dict[str, Any]) -> bool:
    status, _ = clients.ask(f"/api/reports/stats/{clients.pixel_a}", key=view["secret"])
    assert status in (200, 401)
    return status == 200


@pytest.mark.parametrize("is_of_pixel", [True, False])
@pytest.mark.parametrize(("path", "method"), operations())
def test_a_link_opens_the_reports_of_its_project_or_pixel_and_nothing_else(
    clients: TwoClients, path: str, method: str, *, is_of_pixel: bool
) -> None:
    view = new_view(clients, **({"pixel_id": clients.pixel_a} if is_of_pixel else {}))
    names = dict.fromkeys(("receiptId", "problem", "backupId", "viewId"), "some")
    query = "?by=source" if "breakdown" in path else ""
    for project, pixel in ((clients.a, clients.pixel_a), (clients.b, clients.pixel_b)):
        address = path.format(pixelId=pixel, projectId=project, **names) + query
        body = None if method == "GET" else {"name": "taken over", "email": JANE["email"]}
        status, answer = clients.ask(address, method, body, view["secret"])
        is_project = "/project/" in path
        is_open_to_it = path == "/api/key" or (
            path.startswith(REPORTS)
            and (is_project or "{pixelId}" in path)
            and project == clients.a
            and not (is_project and is_of_pixel)
        )
        assert status in ((200,) if is_open_to_it else (403, 404)), (address, answer)
        assert "SECRETB" not in json.dumps(answer)
        assert JANE["email"] not in json.dumps(answer)


def test_the_secret_is_told_once_in_the_fragment_and_stored_nowhere(clients: TwoClients) -> None:
    view = new_view(clients)
    assert view["link"] == f"https://pixel.example/dashboard#view={view['secret']}"
    [listed_view] = clients.ask(f"/api/manage/projects/{clients.a}/views")[1]["data"]
    assert listed_view == {name: view[name] for name in listed_view}
    assert {"secret", "link", "sha256"}.isdisjoint(listed_view)
    assert view["secret"] not in json.dumps(OUTSIDE.rows("SELECT * FROM shared_views"))


def test_a_link_ends_at_its_time(clients: TwoClients) -> None:
    view = new_view(clients, days=2)
    assert is_open(clients, view)
    OUTSIDE.pass_time(hours=47)
    assert is_open(clients, view)
    OUTSIDE.pass_time(hours=2)
    assert not is_open(clients, view)
    assert clients.ask(f"/api/manage/projects/{clients.a}/views")[1]["data"] == []


def test_a_closed_link_opens_nothing_at_once_and_stays_closed(clients: TwoClients) -> None:
    view, second_view = new_view(clients), new_view(clients, name="Another")
    path = f"/api/manage/projects/{clients.a}/views/{view['id']}"
    closed_view = clients.ask(path, "DELETE")[1]["data"]
    assert closed_view["revoked_at"] is not None
    assert not is_open(clients, view)
    assert is_open(clients, second_view)
    OUTSIDE.pass_time(minutes=5)
    assert clients.ask(path, "DELETE")[1]["data"] == closed_view


def test_a_view_is_made_and_closed_by_an_admin_of_its_project(clients: TwoClients) -> None:
    path = f"/api/manage/projects/{clients.a}/views"
    fields = {"name": "Review", "days": 1}
    assert clients.ask(path, "POST", fields, LIMITED_READER)[0] == 403
    assert clients.ask(path, key=LIMITED_READER)[0] == 403
    path_of_b = f"/api/manage/projects/{clients.b}/views"
    assert clients.ask(path_of_b, "POST", fields)[0] == 404
    view = clients.ask(path_of_b, "POST", fields, ADMIN_KEY)[1]["data"]
    assert clients.ask(f"{path_of_b}/{view['id']}", "DELETE")[0] == 404
    assert clients.ask(f"{path}/{view['id']}", "DELETE")[0] == 404
    assert is_open(clients, new_view(clients))


@pytest.mark.parametrize(
    "fields",
    [
        {"days": 30},
        {"name": "", "days": 30},
        {"name": "x" * 101, "days": 30},
        {"name": 7, "days": 30},
        {"name": "Review"},
        {"name": "Review", "days": 0},
        {"name": "Review", "days": 367},
        {"name": "Review", "days": True},
        {"name": "Review", "days": "30"},
        {"name": "Review", "days": 1.5},
        {"name": "Review", "days": -1},
        {"name": "Review", "days": 1e300},
        {"name": "Review", "days": 30, "ends_at": "2999-01-01"},
        {"name": "Review", "days": 30, "pixel_id": 7},
        {"name": "Review", "days": 30, "role": "admin"},
    ],
)
def test_a_view_that_cannot_be_made_is_refused(
    clients: TwoClients, fields: dict[str, object]
) -> None:
    path = f"/api/manage/projects/{clients.a}/views"
    status, answer = clients.ask(path, "POST", fields)
    assert status == 400
    assert answer["details"]
    assert OUTSIDE.rows("SELECT * FROM shared_views") == []


def test_a_pixel_of_another_project_is_none(clients: TwoClients) -> None:
    path = f"/api/manage/projects/{clients.a}/views"
    fields = {"name": "Review", "days": 30, "pixel_id": clients.pixel_b}
    assert clients.ask(path, "POST", fields, ADMIN_KEY)[0] == 404
    assert OUTSIDE.rows("SELECT * FROM shared_views") == []


def test_a_project_has_a_bounded_number_of_views(clients: TwoClients) -> None:
    views = [new_view(clients, name=f"View {number}") for number in range(50)]
    OUTSIDE.pass_time(hours=1)
    views += [new_view(clients, name=f"View {number}") for number in range(50)]
    path = f"/api/manage/projects/{clients.a}/views"
    assert clients.ask(path, "POST", {"name": "One more", "days": 1})[0] == 409
    clients.ask(f"{path}/{views[0]['id']}", "DELETE")
    assert clients.ask(path, "POST", {"name": "One more", "days": 1})[0] == 201


def test_a_guessed_link_is_a_guessed_key(clients: TwoClients) -> None:
    path = f"/api/reports/stats/{clients.pixel_a}"
    statuses = [clients.ask(path, key=f"view_{number:064x}")[0] for number in range(25)]
    assert statuses == [401] * 20 + [429] * 5


def test_a_key_and_a_link_are_told_what_they_may_do(clients: TwoClients) -> None:
    names = {row["id"]: row["name"] for row in OUTSIDE.rows("SELECT id, name FROM pixels")}
    pixel = {"id": clients.pixel_a, "name": names[clients.pixel_a], "active": 1}
    project = {"id": clients.a, "name": "Client A 1", "active": 1, "pixels": [pixel]}
    admin_key = clients.ask("/api/key", key=ADMIN_KEY)[1]["data"]
    assert admin_key == {
        "name": "admin",
        "role": "admin",
        "permissions": ["leads"],
        "projects": None,
        "ends_at": None,
    }
    limited = clients.ask("/api/key", key=LIMITED_ADMIN)[1]["data"]
    assert limited == admin_key | {"name": "client a", "projects": [project]}
    clients.pixel(clients.a)
    view = new_view(clients, pixel_id=clients.pixel_a)
    assert clients.ask("/api/key", key=view["secret"])[1]["data"] == {
        "name": "Review",
        "role": "view",
        "permissions": [],
        "projects": [project],
        "ends_at": view["ends_at"],
    }
    assert clients.ask("/api/key", key="no such key at all")[0] == 401
