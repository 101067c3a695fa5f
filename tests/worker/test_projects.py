"""Projects and their pixels, managed with an API key in real workerd, on a real D1."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from pyodide_bundle import Bundle
from services.projects.entry_kinds import PIXEL_KIND, PROJECT_KIND
from services.projects.entry_values import EntryKind
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import (
    Answer,
    Row,
    Worker,
    running_worker,
    some_address,
    some_event,
    some_visitor,
)

PIXEL_SECONDS = 1
OLD_PROJECT = "INSERT INTO projects (id, name, configuration, active) VALUES (?, ?, ?, ?)"
OLD_PIXEL = "INSERT INTO pixels (id, project_id, name, configuration) VALUES (?, ?, ?, ?)"
FIELD_MAP = {"utm_source": "a" * 40, "gclid": "b" * 40}


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys that remembers pixels for a second only."""
    settings = {"API_KEYS": keys(), "PIXEL_CACHE_SECONDS": str(PIXEL_SECONDS)}
    with running_worker(env_vars=settings) as running:
        yield running


def ask(
    worker: Worker, method: str, path: str = "", body: object = None, key: str = ADMIN_KEY
) -> Answer:
    text = None if body is None else json.dumps(body)
    headers = {"x-api-key": key, "content-type": "application/json"}
    area = "/api/manage" if path.startswith("/pixels/") else "/api/manage/projects"
    return worker.fetch(f"{area}{path}", method=method, headers=headers, body=text)


def data(answer: Answer, status: int = 200) -> Row:
    assert answer.status == status, answer.body
    content = answer.json()
    assert content["success"] is True
    row: Row = content["data"]
    return row


def listed(answer: Answer) -> list[Row]:
    assert answer.status == 200, answer.body
    rows: list[Row] = answer.json()["data"]
    return rows


def problems(answer: Answer, status: int = 400) -> list[str]:
    assert answer.status == status, answer.body
    details: list[str] = answer.json()["details"]
    return details


def some_name(prefix: str = "Client") -> str:
    return f"{prefix} {some_visitor()}"


@pytest.fixture
def project(keyed: Worker) -> Row:
    """A project of this test."""
    return data(ask(keyed, "POST", body={"name": some_name()}), 201)


@pytest.fixture
def pixel(keyed: Worker, project: Row) -> Row:
    """A pixel of this test's project."""
    body = {"name": "shop", "website_url": "https://shop.example"}
    return data(ask(keyed, "POST", f"/{project['id']}/pixels", body), 201)


def old_project(worker: Worker, configuration: str | None, active: int | None = 1) -> str:
    """A project as production may hold it; returns its id."""
    project_id = f"old-{some_visitor()}"
    worker.query(OLD_PROJECT, project_id, some_name("Old"), configuration, active)
    return project_id


def stored(worker: Worker, project_id: str) -> Row:
    return worker.query("SELECT * FROM projects WHERE id = ?", project_id)[0]


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", ""), ("POST", ""), ("GET", "/x"), ("PUT", "/x"), ("DELETE", "/x")),
        *(("GET", "/x/pixels"), ("POST", "/x/pixels")),
        *(("GET", "/pixels/x"), ("PUT", "/pixels/x"), ("DELETE", "/pixels/x")),
    ],
)
def test_reading_needs_a_key_and_writing_one_of_the_role_admin(
    keyed: Worker, method: str, path: str
) -> None:
    body: Row | None = None if method in ("GET", "DELETE") else {}
    assert ask(keyed, method, path, body, key="guessed").status == 401
    reader = ask(keyed, method, path, body, key=READ_KEY)
    assert reader.headers["x-ratelimit-limit"] == "100"
    assert (reader.status == 403) == (method != "GET")
    assert ask(keyed, method, path, body).status in (200, 400, 404)


def test_a_preflight_of_another_site_is_told_nothing(keyed: Worker) -> None:
    answer = ask(keyed, "OPTIONS")
    assert (answer.status, answer.headers["allow"]) == (204, "GET, POST, HEAD, OPTIONS")
    assert "access-control-allow-origin" not in answer.headers


# Projects


def test_a_project_is_created_with_all_that_is_known_of_it(keyed: Worker) -> None:
    configuration = {
        "pipedrive_enabled": False,
        "pipedrive_account": "acme",
        "pipedrive_fields": FIELD_MAP,
        "allowed_domains": ["shop.example", "*.shop.example"],
        "retention_days": 365,
        "ip_anonymization": True,
        "respect_dnt": True,
        "session_minutes": 45,
    }
    body: Row = {
        "name": some_name(),
        "webhook_url": "https://hooks.example.com/1?a=b",
        "configuration": configuration,
        "active": 1,
    }
    created = data(ask(keyed, "POST", body=body), 201)
    assert len(created["id"]) == 32
    assert {name: created[name] for name in body} == body
    assert created["created_at"] == created["updated_at"]
    assert data(ask(keyed, "GET", f"/{created['id']}")) == created
    without_secrets = created | {"webhook_url": "***"}
    assert data(ask(keyed, "GET", f"/{created['id']}", key=READ_KEY)) == without_secrets


def test_a_name_is_enough(keyed: Worker) -> None:
    created = data(ask(keyed, "POST", body={"name": f"  {some_name()} "}), 201)
    assert created["name"].startswith("Client")
    assert (created["webhook_url"], created["configuration"], created["active"]) == (None, {}, 1)


def test_all_that_is_wrong_is_said_at_once(keyed: Worker) -> None:
    body = {
        "name": "",
        "webhook_url": "ftp://x",
        "colour": "red",
        "id": "mine",
        "active": "yes",
        "configuration": {"pipedrive_enabled": "no", "sesion_minutes": 30},
    }
    answer = ask(keyed, "POST", body=body)
    assert answer.json()["error"] == "Validation failed"
    refusals = problems(answer)
    assert [problem.partition(":")[0] for problem in refusals] == [
        "colour",
        "id",
        "name",
        "webhook_url",
        "configuration.pipedrive_enabled",
        "configuration.sesion_minutes",
        "active",
    ]
    assert "session_minutes" in refusals[5]


@pytest.mark.parametrize("body", ["", "[]", "7", "{", "[" * 5_000, '"name"'])
def test_a_body_that_is_no_object_is_refused(keyed: Worker, body: str) -> None:
    answer = keyed.fetch(
        "/api/manage/projects", method="POST", headers={"x-api-key": ADMIN_KEY}, body=body
    )
    assert problems(answer) == ["the body must be a JSON object"]


def test_a_body_that_is_too_large_is_413(keyed: Worker) -> None:
    assert ask(keyed, "POST", body={"name": "x" * 20_000}).status == 413


def test_a_taken_name_is_409_and_says_whose_it_is(keyed: Worker, project: Row) -> None:
    answer = ask(keyed, "POST", body={"name": project["name"]})
    assert (answer.status, answer.json()["error"]) == (
        409,
        "A project of this name exists already",
    )
    assert problems(answer, 409) == [f"choose another name, or use {project['id']}"]
    ask(keyed, "DELETE", f"/{project['id']}")
    [advice] = problems(ask(keyed, "POST", body={"name": project["name"]}), 409)
    assert "PUT it with active 1" in advice


def test_a_change_keeps_what_it_does_not_name(keyed: Worker) -> None:
    body = {"name": some_name(), "webhook_url": "https://a.example/", "configuration": {}}
    path = f"/{data(ask(keyed, 'POST', body=body), 201)['id']}"
    changed = data(ask(keyed, "PUT", path, {"configuration": {"retention_days": 90}}))
    assert (changed["name"], changed["webhook_url"]) == (body["name"], body["webhook_url"])
    changed = data(ask(keyed, "PUT", path, {"configuration": {"respect_dnt": True}}))
    assert changed["configuration"] == {"retention_days": 90, "respect_dnt": True}
    changed = data(ask(keyed, "PUT", path, {"configuration": {"retention_days": None}}))
    assert changed["configuration"] == {"respect_dnt": True}
    new_name = some_name()
    changed = data(ask(keyed, "PUT", path, {"name": new_name, "webhook_url": None}))
    assert (changed["name"], changed["webhook_url"]) == (new_name, None)
    assert changed["configuration"] == {"respect_dnt": True}
    assert data(ask(keyed, "GET", path)) == changed


def test_a_change_stamps_the_time_and_answers_it(keyed: Worker) -> None:
    project_id = old_project(keyed, "{}")
    keyed.query("UPDATE projects SET created_at = '2025-01-01 00:00:00' WHERE id = ?", project_id)
    changed = data(ask(keyed, "PUT", f"/{project_id}", {"name": some_name()}))
    assert changed["updated_at"] == stored(keyed, project_id)["updated_at"]
    assert changed["created_at"] == "2025-01-01 00:00:00"


def test_changes_of_two_people_at_the_same_moment_are_all_kept(keyed: Worker, project: Row) -> None:
    settings = {"respect_dnt": True, "session_minutes": 5, "retention_days": 7}

    def change(name: str) -> int:
        sent = {"configuration": {name: settings[name]}}
        headers = {"x-api-key": ADMIN_KEY, "cf-connecting-ip": some_address()}
        url = f"{keyed.url}/api/manage/projects/{project['id']}"
        return keyed.http.put(url, json=sent, headers=headers).status_code

    with ThreadPoolExecutor() as people:
        assert list(people.map(change, settings)) == [200, 200, 200]
    assert data(ask(keyed, "GET", f"/{project['id']}"))["configuration"] == settings


def test_an_answer_can_be_changed_and_sent_back(keyed: Worker, project: Row) -> None:
    path = f"/{project['id']}"
    configuration = {**project["configuration"], "session_minutes": 20}
    changed = data(ask(keyed, "PUT", path, {**project, "configuration": configuration}))
    assert changed["configuration"] == {"session_minutes": 20}
    assert problems(ask(keyed, "PUT", path, {**project, "id": "another"})) == [
        "id: can neither be chosen nor changed; leave it out"
    ]


def test_a_project_cannot_take_the_name_of_another(keyed: Worker, project: Row) -> None:
    other = data(ask(keyed, "POST", body={"name": some_name()}), 201)
    answer = ask(keyed, "PUT", f"/{other['id']}", {"name": project["name"], "active": 0})
    assert answer.status == 409
    assert data(ask(keyed, "GET", f"/{other['id']}")) == other


def test_deleting_switches_off_and_is_undone_by_a_change(keyed: Worker, project: Row) -> None:
    path = f"/{project['id']}"
    for _ in range(2):
        assert data(ask(keyed, "DELETE", path))["active"] == 0
    assert data(ask(keyed, "GET", path))["active"] == 0
    assert stored(keyed, project["id"])["name"] == project["name"]
    assert data(ask(keyed, "PUT", path, {"active": 1}))["active"] == 1


@pytest.mark.parametrize("path", ["/nobody", "/pixels/nobody"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_what_does_not_exist_is_404(keyed: Worker, method: str, path: str) -> None:
    answer = ask(keyed, method, path, {"name": "x"} if method == "PUT" else None)
    noun = "Pixel" if "pixels" in path else "Project"
    assert (answer.status, answer.json()["error"]) == (404, f"{noun} not found")


def test_a_write_leaves_a_line_without_what_was_written(keyed: Worker, project: Row) -> None:
    keyed.act("clear_logs")
    ask(keyed, "PUT", f"/{project['id']}", {"webhook_url": "https://private.example/secret"})
    [line] = keyed.log_lines()
    assert (line["event"], line["id"], line["method"]) == (
        "management_written",
        project["id"],
        "PUT",
    )
    assert "private.example" not in json.dumps(line)


# Rows of production

UNREADABLE = [None, "", "   ", "{", "[]", "7", "null", '{"a": NaN}', "[" * 600]


@pytest.mark.parametrize("configuration", UNREADABLE)
def test_an_old_row_reads_as_if_it_said_nothing(keyed: Worker, configuration: str | None) -> None:
    path = f"/{old_project(keyed, configuration)}"
    assert data(ask(keyed, "GET", path))["configuration"] == {}
    keyed.query(OLD_PIXEL, f"px{path[1:]}", path[1:], "shop", configuration)
    assert data(ask(keyed, "GET", f"/pixels/px{path[1:]}"))["configuration"] == {}
    assert ask(keyed, "GET", f"{path}/pixels").status == 200


@pytest.mark.parametrize("configuration", UNREADABLE)
def test_a_configuration_that_is_not_sent_stays_to_the_letter(
    keyed: Worker, configuration: str | None
) -> None:
    project_id = old_project(keyed, configuration)
    data(ask(keyed, "PUT", f"/{project_id}", {"webhook_url": "https://a.example"}))
    assert stored(keyed, project_id)["configuration"] == configuration
    sent = {"configuration": {"respect_dnt": True}}
    assert data(ask(keyed, "PUT", f"/{project_id}", sent))["configuration"] == sent["configuration"]


def test_names_that_nobody_here_knows_are_kept(keyed: Worker) -> None:
    old = {"zapier": {"url": "https://z.example"}, "pipedrive_enabled": "false", "emoji": "ü"}
    project_id = old_project(keyed, json.dumps(old))
    path = f"/{project_id}"
    project = data(ask(keyed, "GET", path))
    assert project["configuration"] == old

    changed = data(ask(keyed, "PUT", path, {"configuration": {"session_minutes": 10}}))
    assert changed["configuration"] == {**old, "session_minutes": 10}
    back = {**changed, "configuration": {**changed["configuration"], "session_minutes": 20}}
    assert data(ask(keyed, "PUT", path, back))["configuration"] == {**old, "session_minutes": 20}
    for value in ({"url": "https://other.example"}, None):
        refusals = problems(ask(keyed, "PUT", path, {"configuration": {"zapier": value}}))
        assert refusals[0].startswith(
            "configuration.zapier: is unknown; there are pipedrive_enabled"
        )
    assert json.loads(stored(keyed, project_id)["configuration"])["zapier"] == old["zapier"]


def test_a_project_whose_active_is_null_is_off_and_can_be_switched_on(keyed: Worker) -> None:
    path = f"/{old_project(keyed, '{}', active=None)}"
    assert data(ask(keyed, "GET", path))["active"] == 0
    assert data(ask(keyed, "PUT", path, {"active": 1}))["active"] == 1


# Lists


def names_of(worker: Worker, path: str, query: str) -> list[str]:
    """The names on all pages."""
    names: list[str] = []
    cursor = ""
    while True:
        answer = ask(worker, "GET", f"{path}?{query}&cursor={cursor}", key=READ_KEY)
        names += [row["name"] for row in listed(answer)]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return names


def test_pages_together_hold_every_project_once_in_the_order_of_names(keyed: Worker) -> None:
    for number in range(5):
        keyed.query(OLD_PROJECT, some_visitor(), f"page{number}{some_visitor()}", "{}", number % 2)
    active = keyed.query("SELECT name FROM projects WHERE active ORDER BY name")
    names = keyed.query("SELECT name FROM projects ORDER BY name")
    assert names_of(keyed, "", "limit=20") == [row["name"] for row in active]
    assert names_of(keyed, "", "limit=20&include_inactive=true") == [row["name"] for row in names]


def test_a_name_that_is_empty_or_odd_is_on_a_page(keyed: Worker, project: Row) -> None:
    for name in ("", "ä", "a", "a a"):
        keyed.query(OLD_PIXEL, f"pixel-{some_visitor()}", project["id"], name, None)
    path = f"/{project['id']}/pixels"
    assert names_of(keyed, path, "limit=1") == ["", "a", "a a", "ä"]
    assert names_of(keyed, path, "limit=4") == ["", "a", "a a", "ä"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("limit=0", "limit"), ("limit=501", "limit"), ("limit=x", "limit"), ("limit=", "limit")),
        *(("limit=٣", "limit"), ("include_inactive=1", "include_inactive")),
    ],
)
def test_a_list_that_cannot_be_is_400(keyed: Worker, query: str, field: str) -> None:
    [problem] = problems(ask(keyed, "GET", f"?{query}"))
    assert problem.startswith(f"{field}: must be ")


# Pixels


def test_a_pixel_is_created_with_the_tag_that_embeds_it(keyed: Worker, project: Row) -> None:
    body = {
        "name": "shop",
        "website_url": "https://shop.example/",
        "configuration": {"allowed_domains": ["shop.example"], "session_minutes": 5},
    }
    path = f"/{project['id']}/pixels"
    created = data(ask(keyed, "POST", path, body), 201)
    assert {name: created[name] for name in body} == body
    assert (created["project_id"], created["active"], len(created["id"])) == (project["id"], 1, 32)
    assert created["embed_snippet"] == (
        f'<script src="{keyed.url}/pixel.js" data-pixel-id="{created["id"]}" async></script>'
    )
    assert data(ask(keyed, "GET", f"/pixels/{created['id']}", key=READ_KEY)) == created
    assert listed(ask(keyed, "GET", path, key=READ_KEY)) == [created]
    assert keyed.send(some_event(pixel_id=created["id"])).status_code == 200


def test_what_belongs_to_the_project_is_refused_of_a_pixel(keyed: Worker, pixel: Row) -> None:
    sent = {"configuration": {"pipedrive_enabled": False}}
    assert problems(ask(keyed, "PUT", f"/pixels/{pixel['id']}", sent)) == [
        "configuration.pipedrive_enabled: belongs into the configuration of the project"
    ]


def test_a_name_is_taken_in_its_own_project_only(keyed: Worker, pixel: Row) -> None:
    body = {"name": pixel["name"]}
    answer = ask(keyed, "POST", f"/{pixel['project_id']}/pixels", body)
    assert (answer.status, answer.json()["error"]) == (409, "A pixel of this name exists already")
    other = data(ask(keyed, "POST", body={"name": some_name()}), 201)
    moved = ask(keyed, "PUT", f"/pixels/{pixel['id']}", {"project_id": other["id"]})
    assert problems(moved) == ["project_id: can neither be chosen nor changed; leave it out"]
    assert ask(keyed, "POST", f"/{other['id']}/pixels", body).status == 201


def test_a_pixel_needs_a_project_that_is_there_and_active(keyed: Worker, project: Row) -> None:
    assert ask(keyed, "POST", "/nobody/pixels", {"name": "x"}).status == 404
    assert ask(keyed, "GET", "/nobody/pixels").status == 404
    ask(keyed, "DELETE", f"/{project['id']}")
    answer = ask(keyed, "POST", f"/{project['id']}/pixels", {"name": "x"})
    assert (answer.status, answer.json()["error"]) == (409, "The project is inactive")


def test_an_inactive_pixel_is_listed_only_when_asked_for(keyed: Worker, pixel: Row) -> None:
    off = data(ask(keyed, "DELETE", f"/pixels/{pixel['id']}"))
    assert off["active"] == 0
    path = f"/{pixel['project_id']}/pixels"
    assert listed(ask(keyed, "GET", path)) == []
    assert listed(ask(keyed, "GET", f"{path}?include_inactive=true")) == [off]


# What an isolate remembers


@pytest.mark.parametrize("what", ["pixel", "project"])
def test_what_is_switched_off_takes_no_event_once_what_is_remembered_expires(
    keyed: Worker, pixel: Row, what: str
) -> None:
    path = f"/pixels/{pixel['id']}" if what == "pixel" else f"/{pixel['project_id']}"
    event = some_event(pixel_id=pixel["id"])
    assert keyed.send(event).status_code == 200
    data(ask(keyed, "DELETE", path))
    time.sleep(PIXEL_SECONDS)
    refused = keyed.send(event)
    assert (refused.status_code, refused.json()["error"]) == (400, "Pixel is inactive")
    data(ask(keyed, "PUT", path, {"active": 1}))
    time.sleep(PIXEL_SECONDS)
    assert keyed.send(event).status_code == 200


# What it costs


@pytest.mark.parametrize("kind", [PROJECT_KIND, PIXEL_KIND], ids=lambda kind: kind.noun)
def test_rows_read_do_not_grow_with_the_number_of_rows(
    keyed: Worker, project: Row, kind: EntryKind
) -> None:
    for number in range(30):
        keyed.query(OLD_PROJECT, some_visitor(), f"cost{number:02}{some_visitor()}", "{}", 1)
        keyed.query(OLD_PIXEL, f"p-{some_visitor()}", project["id"], f"cost{number:02}", "{}")
    wanted = {"project_id": project["id"], "cursor": "cost", "include_inactive": 1, "rows": 11}
    page = keyed.act("query", sql=kind.page, values=[json.dumps(wanted)])
    assert len(page["rows"]) == 11
    assert page["rows_read"] <= 2 * 11
    one = page["rows"][5]
    for statement in (kind.by_id, kind.by_name):
        read = keyed.act("query", sql=statement, values=[json.dumps(one)])
        assert read["rows"] == [one]
        assert read["rows_read"] <= 2


@pytest.mark.parametrize("kind", [PROJECT_KIND, PIXEL_KIND], ids=lambda kind: kind.noun)
def test_a_write_writes_its_row_its_indexes_and_its_stamp(
    keyed: Worker, project: Row, kind: EntryKind
) -> None:
    entry = {"id": some_visitor(), "project_id": project["id"], "name": some_name(), "active": 1}
    stored = {**entry, "configuration": "{}"}
    changed = {**entry, "configuration": '{"respect_dnt": true}', "stored": stored}
    counts = [
        keyed.act("query", sql=statement, values=[json.dumps(values)])["rows_written"]
        for statement, values in (
            (kind.create, stored),
            (kind.change, changed),
            (kind.switch_off, entry),
            (kind.switch_off, entry),
        )
    ]
    assert counts == [3, 3, 2, 0]
