"""A key for some projects: it reads and changes these, and nothing tells it of the others."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

import pytest
import yaml

from new_api_key import entry_of
from paths import ROOT
from services.tracking.parked_events import ParkedEvents
from services.tracking.waiting_room import FORMAT_VERSION
from tests.faults.isolate import Isolate
from tests.faults.outside import OUTSIDE
from tests.faults.story import SETTINGS
from tests.faults.test_whose_numbers import JANE, Deployment
from tests.harness.keys import ADMIN_KEY

LIMITED_ADMIN = "opens the first client's, and changes them"
LIMITED_READER = "opens the first client's numbers"
SECRETS = ("SECRETB", "Client B")
# Everybody may ask these; what an archive takes is of no client's.
OPEN = ("/e", "/e/page.gif", "/health", "/health/cron", "/", "/p.js", "/api.html", "/openapi.json")
METHODS = ("get", "post", "put", "delete")
ADDRESSES_OF_EVERYTHING = (
    *("/api/reports/metrics", "/api/reports/debug/utm-analysis", "/api/analytics/metrics"),
    *("/api/analytics/debug/utm-analysis", "/api/alerts", "/api/backups", "/api/waiting"),
    *("/api/archive", "/api/privacy/receipts"),
)
IN_HANDLER = ("/api/manage/projects", "/api/projects", "/api/privacy/", "/api/key")


class TwoClients(Deployment):
    """Two projects, each with a pixel, a page view, a form of Jane and one of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = self.project("Client A"), self.project("Client B")
        self.pixel_a, self.pixel_b = self.pixel(self.a), self.pixel(self.b)
        for pixel, word in ((self.pixel_a, "OWNA"), (self.pixel_b, "SECRETB")):
            page = f"https://{word}.example/?utm_source={word}&utm_campaign={word}"
            self.send(pixel, page)
            self.submit(pixel, f"https://{word}.example/contact")
            person = JANE | {"email": f"{word}@client.example"}
            self.submit(pixel, f"https://{word}.example/contact", form_data=person, visitor=2)
        entries = [
            entry_of("admin", "admin", ADMIN_KEY),
            entry_of("client a", "admin", LIMITED_ADMIN, projects=[self.a]),
            entry_of("reader a", "read", LIMITED_READER, projects=[self.a]),
        ]
        self.isolate = Isolate(**{**SETTINGS, "API_KEYS": json.dumps(entries)})

    def ask(
        self, path: str, method: str = "GET", body: object = None, key: str = LIMITED_ADMIN
    ) -> tuple[int, Any]:
        """The answer to somebody with a key."""
        return self.isolate.request(path, method, body, {"x-api-key": key})

    def rows_of(self, project: str) -> list[Any]:
        """The ids of a project's events."""
        query = "SELECT id FROM tracking_events WHERE project_id = ? ORDER BY id"
        return [row["id"] for row in OUTSIDE.rows(query, project)]


@pytest.fixture
def clients() -> TwoClients:
    return TwoClients()


def operations() -> list[tuple[str, str]]:
    """Path and method of everything that the API description has and that needs a key."""
    text = (ROOT / "static/openapi.yaml").read_text(encoding="utf-8")
    return [
        (path, name.upper())
        for path, methods in cast("dict[str, Any]", yaml.safe_load(text)["paths"]).items()
        if path not in OPEN and not path.startswith("/static/")
        for name in methods
        if name in METHODS
    ]


@pytest.mark.parametrize(("path", "method"), operations())
def test_nothing_of_another_project_is_told_or_changed(
    clients: TwoClients, path: str, method: str
) -> None:
    address = path.format(
        pixelId=clients.pixel_b,
        projectId=clients.b,
        **dict.fromkeys(("receiptId", "problem", "backupId", "viewId"), "some"),
    )
    person = {"email": "SECRETB@client.example"}
    confirmed = {"confirm": True} if path.endswith("erase") else {}
    body = person | confirmed if "privacy" in path else {"name": "taken over", "active": 0}
    before = OUTSIDE.rows("SELECT * FROM projects"), OUTSIDE.rows("SELECT * FROM pixels")
    query = "?by=source" if "breakdown" in path else ""
    status, answer = clients.ask(address + query, method, None if method == "GET" else body)
    if path.startswith(IN_HANDLER) and "{" not in path:
        assert status in (200, 403), answer
    else:
        assert status in (403, 404), answer
    assert not any(secret in json.dumps(answer) for secret in SECRETS)
    assert clients.b not in json.dumps(answer)
    assert len(clients.rows_of(clients.b)) == 3
    after = OUTSIDE.rows("SELECT * FROM projects"), OUTSIDE.rows("SELECT * FROM pixels")
    assert after == before


@pytest.mark.parametrize(("path", "method"), operations())
def test_a_limited_key_reads_its_own_as_one_for_all_does(
    clients: TwoClients, path: str, method: str
) -> None:
    if method != "GET" or path.startswith(ADDRESSES_OF_EVERYTHING):
        return
    address = path.format(pixelId=clients.pixel_a, projectId=clients.a)
    address += "?by=source" if "breakdown" in path else ""
    status, answer = clients.ask(address)
    assert status == 200, answer
    if path not in IN_HANDLER:
        assert answer == clients.ask(address, key=ADMIN_KEY)[1]


@pytest.mark.parametrize("path", ADDRESSES_OF_EVERYTHING)
def test_what_is_of_all_projects_needs_a_key_for_all(clients: TwoClients, path: str) -> None:
    method = "POST" if path == "/api/archive" else "GET"
    status, answer = clients.ask(path, method)
    assert status == 403
    assert answer["error"] == "This needs a key that is not limited to projects"


@pytest.mark.parametrize("path", ["/api/manage/projects", "/api/projects"])
def test_a_list_has_the_projects_of_the_key(clients: TwoClients, path: str) -> None:
    assert [entry["id"] for entry in clients.ask(path)[1]["data"]] == [clients.a]
    assert [entry["id"] for entry in clients.ask(f"{path}?limit=1")[1]["data"]] == [clients.a]
    assert len(clients.ask(path, key=ADMIN_KEY)[1]["data"]) > 1


@pytest.mark.parametrize("of", ["pixel", "project"])
def test_what_is_not_the_keys_looks_as_if_it_were_not_there(clients: TwoClients, of: str) -> None:
    paths = {
        "pixel": ("/api/reports/stats/{}", clients.pixel_b),
        "project": ("/api/reports/project/{}/stats", clients.b),
    }
    path, foreign = paths[of]
    assert clients.ask(path.format(foreign)) == clients.ask(path.format("no-such-entry-at-all"))


def test_an_admin_of_a_project_changes_it_and_a_reader_does_not(clients: TwoClients) -> None:
    path = f"/api/manage/projects/{clients.a}"
    change = {"configuration": {"pipedrive_enabled": False}}
    assert clients.ask(path, "PUT", change, LIMITED_READER)[0] == 403
    status, answer = clients.ask(path, "PUT", change)
    assert (status, answer["data"]["configuration"]["pipedrive_enabled"]) == (200, False)
    status, answer = clients.ask(f"{path}/pixels", "POST", {"name": "second website"})
    assert status == 201
    assert clients.ask(f"/api/manage/pixels/{answer['data']['id']}")[0] == 200


@pytest.mark.parametrize("path", ["/api/manage/projects", "/api/projects"])
def test_a_project_is_created_by_a_key_for_all(clients: TwoClients, path: str) -> None:
    assert clients.ask(path, "POST", {"name": "one more"})[0] == 403


@pytest.mark.parametrize("account", ["other-client", None])
def test_the_account_in_pipedrive_is_changed_by_a_key_for_all(
    clients: TwoClients, account: str | None
) -> None:
    path = f"/api/manage/projects/{clients.a}"
    account_change = {"configuration": {"pipedrive_account": "client-a"}}
    assert clients.ask(path, "PUT", account_change, ADMIN_KEY)[0] == 200
    foreign = {"configuration": {"pipedrive_account": account}}
    status, answer = clients.ask(path, "PUT", foreign)
    assert status == 400
    assert "only a key that is not limited to projects" in str(answer["details"])
    assert clients.ask(f"/api/projects/{clients.a}", "PUT", foreign | {"name": "A"})[0] == 400
    # What was read may be sent back.
    assert clients.ask(path, "PUT", clients.ask(path)[1]["data"])[0] == 200
    assert clients.ask(f"/api/projects/{clients.a}", "PUT", {"name": "Client A again"})[0] == 200
    stored = clients.ask(path, key=ADMIN_KEY)[1]["data"]["configuration"]
    assert stored["pipedrive_account"] == "client-a"


def test_a_conflict_tells_nothing_of_the_other_entry(clients: TwoClients) -> None:
    [row] = OUTSIDE.rows("SELECT name FROM projects WHERE id = ?", clients.b)
    status, answer = clients.ask(f"/api/manage/projects/{clients.a}", "PUT", {"name": row["name"]})
    assert (status, answer["details"]) == (409, ["choose another name or id"])
    status, answer = clients.ask(
        *(f"/api/manage/projects/{clients.a}/pixels", "POST"), {"name": "x", "id": clients.pixel_b}
    )
    assert (status, answer["details"]) == (409, ["choose another name or id"])


@pytest.mark.parametrize(
    "person", [{"email": JANE["email"]}, {"visitor_cookie": "pxl_0000000000000001"}]
)
def test_a_person_is_found_and_exported_in_the_projects_of_the_key(
    clients: TwoClients, person: dict[str, str]
) -> None:
    status, answer = clients.ask("/api/privacy/find", "POST", person)
    assert (status, answer["data"]["done"]) == (200, True)
    summary = answer["data"]["found"]
    assert summary["tracking_events"]["ids"] == clients.rows_of(clients.a)[:2]
    assert summary["projects"] == [clients.a]
    # The browser was with the other client too.
    assert summary["visitors"]["count"] == 0
    rows: list[Any] = []
    cursor: str | None = None
    while True:
        address = person | ({"cursor": cursor} if cursor else {})
        page = clients.ask("/api/privacy/export", "POST", address)[1]["data"]
        rows += page["rows"]
        cursor = page["cursor"]
        if page["done"]:
            break
    assert rows
    assert "SECRETB" not in json.dumps(rows)


@pytest.mark.parametrize(
    "person", [{"email": JANE["email"]}, {"visitor_cookie": "pxl_0000000000000001"}]
)
def test_a_person_is_erased_in_the_projects_of_the_key(
    clients: TwoClients, person: dict[str, str]
) -> None:
    events_of_b = clients.rows_of(clients.b)
    OUTSIDE.pass_time(minutes=30)
    status, answer = clients.ask("/api/privacy/erase", "POST", person | {"confirm": True})
    assert (status, answer["data"]["done"]) == (200, True)
    assert len(clients.rows_of(clients.a)) == 1
    assert clients.rows_of(clients.b) == events_of_b
    # A key for all erases the rest, the visitor too.
    clients.ask("/api/privacy/erase", "POST", person | {"confirm": True}, ADMIN_KEY)
    assert len(clients.rows_of(clients.b)) == 1
    query = "SELECT count(*) AS number FROM visitors WHERE visitor_cookie = ?"
    assert OUTSIDE.rows(query, "pxl_0000000000000001") == [{"number": 0}]


def test_a_cursor_of_a_key_for_all_opens_nothing_more(clients: TwoClients) -> None:
    person = {"email": JANE["email"]}
    page = clients.ask("/api/privacy/export", "POST", person, ADMIN_KEY)[1]["data"]
    status, _ = clients.ask("/api/privacy/export", "POST", person | {"cursor": page["cursor"]})
    assert status == 404


def pixels_of(summary: dict[str, Any]) -> set[str]:
    """The pixels whose archive has events of the person."""
    return {day.partition("/")[0] for day in summary["archived_events"]["days"]}


def test_archived_events_of_others_are_neither_found_nor_erased(clients: TwoClients) -> None:
    OUTSIDE.pass_time(days=200)
    while clients.rows_of(clients.a) or clients.rows_of(clients.b):
        OUTSIDE.pass_time(hours=1)
        clients.isolate.run_cron()
    person = {"email": JANE["email"]}
    summary = clients.ask("/api/privacy/find", "POST", person)[1]["data"]["found"]
    assert summary["archived_events"]["count"] == 2
    assert {day.partition("/")[0] for day in summary["archived_events"]["days"]} == {
        clients.pixel_a
    }
    rows = clients.ask("/api/privacy/export", "POST", person)[1]["data"]["rows"]
    assert "SECRETB" not in json.dumps(rows)
    erased = clients.ask("/api/privacy/erase", "POST", person | {"confirm": True})[1]["data"]
    assert erased["receipt"]["counts"]["archived_events"] == 2
    summary = clients.ask("/api/privacy/find", "POST", person, ADMIN_KEY)[1]["data"]["found"]
    assert {day.partition("/")[0] for day in summary["archived_events"]["days"]} == {
        clients.pixel_b
    }


def test_parked_events_of_others_are_neither_found_nor_erased(clients: TwoClients) -> None:
    parked_events = ParkedEvents(clients.isolate.app.bucket, clients.isolate.app.clock)
    for pixel in (clients.pixel_a, clients.pixel_b):
        event = {
            "pixel_id": pixel,
            "visitor_cookie": "pxl_0000000000000003",
            "page_url": "https://shop.example/",
            "lead": {"email": JANE["email"]},
        }
        content = json.dumps({"format": FORMAT_VERSION, "event": event}).encode()
        asyncio.run(parked_events.park(pixel, f"waiting/{pixel}", content))
    for person in ({"email": JANE["email"]}, {"visitor_cookie": "pxl_0000000000000003"}):
        parked = [
            clients.ask("/api/privacy/find", "POST", person, key)[1]["data"]["found"][
                "parked_events"
            ]
            for key in (LIMITED_ADMIN, ADMIN_KEY)
        ]
        assert [count["count"] for count in parked] == [1, 2]
