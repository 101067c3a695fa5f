"""`ppp projects` and `ppp pixels`, on a real Worker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.pipedrive.fields import FIELD_NAMES
from simulator.fields import field_code
from tests.harness.worker import some_event, some_visitor
from tests.ops.asking import READ_KEY, Service
from tests.ops.running import fails

MORE_THAN_A_PAGE = 520


@pytest.mark.parametrize("noun", ["projects", "pixels"])
def test_what_is_created_is_shown_with_its_id_and_changed_by_it(
    service: Service, noun: str
) -> None:
    entry = service.project() if noun == "projects" else service.pixel()
    name = f"renamed {some_visitor()}"
    output = service.ppp(noun, "update", entry["id"], "--name", name, "--set", "respect_dnt=true")
    assert output.code == 0
    assert f"name           {name}\n" in output.out
    assert "  respect_dnt = true\n" in output.out
    entry_json = service.json(noun, "show", entry["id"])
    assert entry_json == {
        **entry,
        "name": name,
        "configuration": {"respect_dnt": True},
        "updated_at": entry_json["updated_at"],
    }


def test_lists_have_all_pages(service: Service) -> None:
    project = service.project()
    prefix = f"p-{some_visitor()}"
    sql = """
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
      INSERT INTO pixels (id, project_id, name) SELECT ? || n, ?, printf('site %04d', n) FROM n
    """
    service.worker.query(sql, MORE_THAN_A_PAGE, prefix, project["id"])
    listed = service.json("pixels", "list", project["id"])
    assert [pixel["name"] for pixel in listed] == [
        f"site {number:04}" for number in range(1, MORE_THAN_A_PAGE + 1)
    ]
    output = service.ppp("pixels", "list", project["id"])
    assert output.out.count("site ") == MORE_THAN_A_PAGE
    assert f"{MORE_THAN_A_PAGE} pixels" in output.err


def test_a_table_has_a_line_for_each_row_with_its_whole_id(service: Service) -> None:
    project = service.project()
    output = service.ppp("projects", "list")
    assert output.code == 0
    [line] = [line for line in output.out.splitlines() if line.startswith(project["id"])]
    assert project["name"] in line


def test_an_empty_list_says_so(service: Service) -> None:
    project = service.project()
    output = service.ppp("pixels", "list", project["id"])
    assert (output.code, output.out) == (1, "")
    assert "no pixel is there; --all shows" in output.err
    assert service.ppp("pixels", "list", project["id"], "--json").json == []


@pytest.mark.parametrize("noun", ["projects", "pixels"])
def test_what_is_switched_off_is_listed_on_demand_and_switched_on_again(
    service: Service, noun: str
) -> None:
    pixel = service.pixel()
    entry_id = pixel["id"] if noun == "pixels" else pixel["project_id"]
    listed = ("list", pixel["project_id"]) if noun == "pixels" else ("list",)
    assert service.json(noun, "deactivate", entry_id, "--yes")["active"] == 0
    after = service.ppp(noun, *listed, "--json").json
    assert entry_id not in [entry["id"] for entry in after]
    all_entries = service.json(noun, *listed, "--all")
    assert entry_id in [entry["id"] for entry in all_entries]
    assert service.json(noun, "update", entry_id, "--active")["active"] == 1


def test_nothing_is_switched_off_without_a_yes(service: Service) -> None:
    pixel = service.pixel()
    output = service.ppp("pixels", "deactivate", pixel["id"], answer="n\n")
    assert output.code == 1
    assert "Switch off the pixel shop (local)?" in output.out
    assert output.out.endswith("nothing was changed\n")
    assert "--yes" in fails(service.ppp("pixels", "deactivate", pixel["id"]), 2)
    assert "--yes" in fails(service.ppp("pixels", "deactivate", pixel["id"], "--json"), 2)
    assert service.json("pixels", "show", pixel["id"])["active"] == 1
    output = service.ppp("pixels", "deactivate", pixel["id"], answer="y\n")
    assert (output.code, "active         inactive" in output.out) == (0, True)
    second = service.ppp("pixels", "deactivate", pixel["id"])
    assert (second.code, "it is switched off already" in second.err) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "method", "body"),
    [
        (("projects", "create", "--name", "A"), "POST", {"name": "A"}),
        (("projects", "update", "ID", "--webhook-url", ""), "PUT", {"webhook_url": None}),
        (("pixels", "create", "ID", "--name", "A"), "POST", {"name": "A"}),
        (("pixels", "update", "ID", "--inactive"), "PUT", {"active": 0}),
        (
            ("pixels", "update", "ID", "--unset", "respect_dnt", "--set", "session_minutes=5"),
            "PUT",
            {"configuration": {"respect_dnt": None, "session_minutes": 5}},
        ),
    ],
)
def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(
    service: Service, arguments: tuple[str, ...], method: str, body: object
) -> None:
    service.worker.act("clear_logs")
    output = service.ppp(*arguments, "--dry-run")
    assert output.code == 0
    assert (output.json["method"], output.json["body"]) == (method, body)
    assert output.json["url"].startswith(f"{service.worker.url}/api/manage/")
    assert service.worker.log_lines() == []


def test_a_dry_run_of_switching_off_changes_nothing(service: Service) -> None:
    pixel = service.pixel()
    output = service.ppp("pixels", "deactivate", pixel["id"], "--dry-run")
    assert output.json == {
        "method": "DELETE",
        "url": f"{service.worker.url}/api/manage/pixels/{pixel['id']}",
    }
    assert service.json("pixels", "show", pixel["id"])["active"] == 1


def test_settings_are_json_text_or_the_content_of_a_file(service: Service, home: Path) -> None:
    file = home / "map.json"
    fields = {name: field_code(name) for name in FIELD_NAMES}
    file.write_text(json.dumps(fields), encoding="utf-8")
    settings = {
        "pipedrive_account": "acme",
        "allowed_domains": '["shop.example", "*.shop.example"]',
        "pipedrive_fields": f"@{file}",
    }
    named = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    project = service.json("projects", "update", service.project()["id"], *named)
    assert project["configuration"] == {
        "pipedrive_account": "acme",
        "allowed_domains": ["shop.example", "*.shop.example"],
        "pipedrive_fields": fields,
    }
    changed = service.json("projects", "update", project["id"], "--unset", "pipedrive_fields")
    assert "pipedrive_fields" not in changed["configuration"]


def test_the_snippet_is_the_tag_alone_and_works(service: Service) -> None:
    pixel = service.pixel()
    output = service.ppp("pixels", "snippet", pixel["id"])
    assert output.out == (
        f'<script src="{service.worker.url}/pixel.js" '
        f'data-pixel-id="{pixel["id"]}" async></script>\n'
    )
    assert service.worker.http.get(f"{service.worker.url}/pixel.js").status_code == 200
    assert service.worker.send(some_event(pixel_id=pixel["id"])).status_code == 200


# ---- what is refused ---------------------------------------------------------------------------


def test_a_taken_name_comes_with_what_to_do(service: Service) -> None:
    project = service.project()
    line = fails(service.ppp("projects", "create", "--name", project["name"]), 1)
    assert "A project of this name exists already: choose another name, or use" in line
    assert project["id"] in line


def test_every_value_that_cannot_be_stored_is_named(service: Service) -> None:
    wrong = ("--set", "session_minutes=never", "--set", "bogus=1", "--webhook-url", "ftp://x")
    line = fails(service.ppp("projects", "create", "--name", "A", *wrong), 2)
    for name in ("Validation failed", "webhook_url: must be", "session_minutes", "bogus"):
        assert name in line


@pytest.mark.parametrize("noun", ["projects", "pixels"])
def test_what_is_not_there_is_called_so(service: Service, noun: str) -> None:
    line = fails(service.ppp(noun, "show", "nobody/../knows it"), 1)
    assert line == f"error: {noun[:-1].capitalize()} not found (404)"


def test_a_key_that_only_reads_changes_nothing(service: Service) -> None:
    line = fails(service.ppp("projects", "create", "--name", "A", key=READ_KEY), 3)
    assert "This needs a key with the role admin (403)" in line
    assert "./ppp keys new --role admin" in line


@pytest.mark.parametrize(
    ("arguments", "remedy"),
    [
        (("projects", "update", "ID"), "say what changes"),
        (("projects", "update", "ID", "--set", "respect_dnt"), "--set must be NAME=VALUE"),
        (("projects", "update", "ID", "--set", "a=1", "--unset", "a"), "a is named twice"),
        (("projects", "update", "ID", "--set", "a=@/nowhere.json"), "nowhere.json cannot be read"),
        (("projects", "update", "ID", "--set", f"a=@{__file__}"), "holds no JSON"),
        (("projects", "show", ".."), "an id is missing"),
        (("pixels", "show", ""), "an id is missing"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    service: Service, arguments: tuple[str, ...], remedy: str
) -> None:
    assert remedy in fails(service.ppp(*arguments), 2)
