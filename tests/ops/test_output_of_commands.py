"""What holds for the output of every command: no broken lines in a pipe, JSON errors for scripts.

A new command has to stand in ARGUMENTS and in one of the lists below, else a test here fails.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev_state import NotRunningError
from ops.cloudflare import target as ops_target
from ops.worker_api import worker as ops_worker
from paths import ROOT
from simulator.fields import field_code
from simulator.server import Simulator
from tests.harness.worker import PIXEL, PROJECT, some_event, some_visitor
from tests.ops.asking import ADMIN_KEY, Service
from tests.ops.running import Output, here
from tests.ops.test_main import COMMANDS

# What each command cannot do without, beside its target.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "accept-database": ("--reason", "a test", "--dry-run"),
    "alerts": (),
    "alerts ack": ("leads_waiting",),
    "answers compare": (str(ROOT / "tests" / "ops" / "kept_answers.json"),),
    "answers save": ("kept.json", "/health"),
    "alerts oncall": (),
    "backup": (),
    "backups": (),
    "capacity": (),
    "deploy": ("--dry-run",),
    "drill": (),
    "export": (PIXEL, "--output", "events.csv"),
    "fields check": (),
    "fields suggest": (),
    "forged": ("--all", "--dry-run"),
    "keys check": (),
    "keys new": ("--name", "me", "--role", "read"),
    "leads": (),
    "logs": (),
    "pixels create": (PROJECT, "--name", "shop"),
    "pixels deactivate": (PIXEL, "--dry-run"),
    "pixels list": (PROJECT,),
    "pixels show": (PIXEL,),
    "pixels snippet": (PIXEL,),
    "pixels update": (PIXEL, "--name", "shop"),
    "preflight": (),
    "privacy erase": ("--cookie", "0123456789abcdef", "--dry-run"),
    "privacy export": ("--cookie", "0123456789abcdef"),
    "privacy find": ("--cookie", "0123456789abcdef"),
    "privacy receipts": (),
    "projects create": ("--name", "ACME"),
    "projects deactivate": (PROJECT, "--dry-run"),
    "projects list": (),
    "projects show": (PROJECT,),
    "projects update": (PROJECT, "--name", "ACME"),
    "replay": ("--dry-run",),
    "restore": ("--dry-run",),
    "resync": ("--failed", "--dry-run"),
    "rollback": ("--dry-run",),
    "security-check": ("--yes",),
    "smoke": (),
    "stats campaigns": (),
    "stats live": (PIXEL,),
    "stats pixel": (PIXEL,),
    "stats project": (PROJECT,),
    "status": (),
}
WITHOUT_TARGET = {"alerts oncall", "fields check", "fields suggest", "keys check", "keys new"}
# --local of these is the database, which is there without `make dev`; or the log of a terminal.
OF_DATABASE = {
    *("accept-database", "backups", "drill", "forged", "leads", "logs", "preflight", "restore"),
    *("resync", "rollback"),
}
OF_WORKER = sorted(ARGUMENTS.keys() - WITHOUT_TARGET - OF_DATABASE)


def run(command: str, *options: object, **env: str) -> Output:
    arguments = (*command.split(), *ARGUMENTS[command], *options)
    return here(*arguments, env={"PPP_API_KEY": ADMIN_KEY} | env, answer="jane@example.com\n")


def error_for_scripts(output: Output, code: int) -> str:
    """The error as a script reads it, which is also the line for people."""
    assert output.code == code, output
    assert "Traceback" not in output.err
    answer = json.loads(output.out)
    assert answer["exit_code"] == code
    error: str = answer["error"]
    assert f"error: {error}\n" in output.err
    return error


def test_every_command_is_tried_here() -> None:
    assert sorted(ARGUMENTS) == sorted({" ".join(path) for path in COMMANDS} | {"alerts"})


@pytest.mark.parametrize("command", ARGUMENTS)
def test_wrong_usage_is_json_for_scripts(command: str) -> None:
    assert "--nonsense" in error_for_scripts(run(command, "--json", "--nonsense"), 2)


def test_a_question_that_nobody_can_answer_is_json_for_scripts() -> None:
    output = here("resync", "--local", "--failed", "--json")
    assert "--yes or --dry-run" in error_for_scripts(output, 2)


@pytest.mark.parametrize("command", sorted(ARGUMENTS.keys() - WITHOUT_TARGET))
def test_a_missing_target_is_json_for_scripts(command: str) -> None:
    assert "say which" in error_for_scripts(run(command, "--json"), 2)


@pytest.mark.parametrize("command", sorted(ARGUMENTS.keys() - WITHOUT_TARGET - {"logs"}))
def test_a_local_run_that_is_not_there_is_json_for_scripts(
    command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse() -> None:
        raise NotRunningError("no `make dev` of this checkout is running")

    monkeypatch.setattr(ops_worker, "require_dev", refuse)
    monkeypatch.setattr(ops_target, "LOCAL_CONFIG", tmp_path / "none.json")
    code = 3 if command in OF_WORKER and command != "deploy" else 2
    assert "make dev" in error_for_scripts(run(command, "--json", "--local"), code)


# A test that nothing answers is a test that fails: the result of `smoke` says so.
@pytest.mark.parametrize("command", [name for name in OF_WORKER if name not in {"deploy", "smoke"}])
def test_a_network_that_fails_is_json_for_scripts(command: str) -> None:
    error = error_for_scripts(run(command, "--json", "--url", "http://127.0.0.1:9"), 3)
    assert "127.0.0.1:9" in error


def test_what_pipedrive_refuses_is_json_for_scripts(pipedrive: Simulator, tmp_path: Path) -> None:
    fields = tmp_path / "fields.json"
    fields.write_text(json.dumps({"gclid": field_code("gclid")}), encoding="utf-8")
    env = {"PIPEDRIVE_API_KEY": "wrong", "PIPEDRIVE_URL": pipedrive.api_url}
    for command in ("fields check", "fields suggest"):
        options = ("--map", fields) if command == "fields check" else ()
        assert "401" in error_for_scripts(run(command, "--json", *options, **env), 3)


# ---- in a pipe ---------------------------------------------------------------------------------

ASKING = (
    *("alerts", "pixels list", "pixels show", "pixels snippet", "privacy receipts"),
    *("projects list", "projects show", "smoke", "stats campaigns", "stats live", "stats pixel"),
    *("stats project", "status"),
)


@pytest.fixture
def with_events(service: Service) -> Service:
    """A Worker with a long page address, a long name and an erasure."""
    page = f"https://shop.example/{'a-long-path/' * 20}"
    service.worker.send(some_event(page_url=page, utm_source="a source of many words" * 3))
    service.json(
        "projects",
        "create",
        "--name",
        f"a project of many words {'and words ' * 4}{some_visitor()}",
    )
    event = some_event(event_type="form_submit", form_data={"email": "jane@example.com"})
    service.worker.send(event)
    service.ppp("privacy", "erase", "--yes", answer="jane@example.com\n")
    return service


@pytest.mark.parametrize("command", ASKING)
def test_a_pipe_gets_whole_lines_however_narrow_the_terminal_is(
    with_events: Service, command: str
) -> None:
    url = ("--url", with_events.worker.url)
    narrow, wide = (run(command, *url, COLUMNS=width) for width in ("40", "400"))
    assert narrow.code in {0, 1}, narrow
    assert len(narrow.out.splitlines()) == len(wide.out.splitlines())
    assert "\x1b" not in narrow.out
    assert "…" not in narrow.out


def test_an_id_of_a_list_is_whole_in_a_pipe(with_events: Service) -> None:
    for project in with_events.json("projects", "list", "--all"):
        output = with_events.ppp("projects", "list", "--all")
        assert any(line.startswith(f"{project['id']}  ") for line in output.out.splitlines())


@pytest.mark.parametrize("width", ["40", "400"])
@pytest.mark.parametrize("options", [(), ("--by", "project"), ("--by", "reason")], ids=" ".join)
def test_the_lists_of_a_database_are_whole_in_a_pipe(
    storage: Path, options: tuple[str, ...], width: str
) -> None:
    target = ("--local", "--persist-to", storage)
    output = run("leads", *target, *options, COLUMNS=width)
    assert output.out == run("leads", *target, *options, COLUMNS="80").out


# ---- by construction ---------------------------------------------------------------------------


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield f"{node.module}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_only_show_table_makes_tables() -> None:
    modules = {"rich.table", "rich.padding", "rich.columns", "rich.panel", "textwrap"}
    for file in (ROOT / "ops").rglob("*.py"):
        if file.name != "table_layout.py":
            assert not modules & set(imports(file)), file
