"""`ppp keys`, run as a person runs it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from paths import ROOT
from services.access.api_keys import find_key, read_api_keys
from tests.ops.running import Output, fails, here, ppp

OTHER = {"name": "Marketing", "role": "read", "sha256": "ab" * 32, "since": "2026-01-01"}


def new(home: Path, *arguments: object, answer: str = "") -> Output:
    return ppp("keys", "new", *arguments, home=home, answer=answer)


def existing(home: Path, content: object) -> Path:
    file = home / "api-keys.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


@pytest.mark.parametrize("role", ["read", "admin"])
def test_a_script_gets_a_key_that_the_worker_takes_by_its_line(home: Path, role: str) -> None:
    output = new(home, "--name", "ops", "--role", role, "--json")
    assert output.code == 0
    key = find_key(read_api_keys(output.json["api_keys"]).keys, output.json["key"])
    assert key is not None
    assert (key.name, key.role, key.sha256) == ("ops", role, output.json["sha256"])
    assert output.json["key"] not in output.json["api_keys"] + output.err


@pytest.mark.parametrize("leads", [True, False])
def test_a_key_may_see_persons_where_it_is_made_so(home: Path, *, leads: bool) -> None:
    options = ["--leads"] if leads else []
    said = new(home, "--name", "sales", "--role", "read", *options, "--json")
    [key] = read_api_keys(said.json["api_keys"]).keys
    assert key.has("leads") == leads


def test_a_key_is_limited_to_the_projects_that_are_named(home: Path) -> None:
    limits = ("--project", "client-a", "--project", " client-b ", "--project", "client-a")
    output = new(home, "--name", "client", "--role", "read", *limits, "--json")
    [key] = read_api_keys(output.json["api_keys"]).keys
    assert key.projects == frozenset(("client-a", "client-b"))
    line = existing(home, json.loads(output.json["api_keys"]))
    assert ppp("keys", "check", line, home=home).out == "read   client, only client-a, client-b\n"


def test_an_empty_project_makes_no_key(home: Path) -> None:
    refused = new(home, "--name", "client", "--role", "read", "--project", " ")
    assert "--project needs the id of a project" in fails(refused, 2)


def test_a_person_sees_the_key_once_and_what_to_do_with_its_line(home: Path) -> None:
    output = new(home, "--name", "ops", "--role", "read")
    lines = output.out.splitlines()
    key = lines[lines.index("The key, shown this once:") + 1]
    secret = lines[lines.index("The whole secret API_KEYS:") + 1]
    assert len(key) == 43
    assert find_key(read_api_keys(secret).keys, key)
    assert output.out.count(key) == 1
    assert key not in output.err
    assert "npx wrangler secret put API_KEYS --env production" in output.out
    assert "--existing" in output.err


def test_the_key_is_written_to_no_file(home: Path) -> None:
    new(home, "--name", "ops", "--role", "read")
    assert list(home.iterdir()) == []


def test_no_two_keys_are_alike(home: Path) -> None:
    keys = {new(home, "--name", "a", "--role", "read", "--json").json["key"] for _ in range(2)}
    assert len(keys) == 2


@pytest.mark.parametrize("from_stdin", [True, False])
def test_keys_that_are_set_already_stay_as_they_are(home: Path, *, from_stdin: bool) -> None:
    file = "-" if from_stdin else existing(home, [OTHER])
    arguments = ("--name", "ops", "--role", "admin", "--json", "--existing", file)
    output = new(home, *arguments, answer=json.dumps([OTHER]) if from_stdin else "")
    assert output.code == 0
    first, second = json.loads(output.json["api_keys"])
    assert first == OTHER
    assert (second["name"], second["role"]) == ("ops", "admin")
    assert "--existing" not in output.err


def new_in(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: object) -> Output:
    monkeypatch.chdir(folder)
    return here("keys", "new", *arguments)


def test_the_last_line_of_the_upgrade_has_all_keys(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each command as docs/upgrade.md has it, from the checkout's folder."""
    text = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
    commands = re.findall(r"^ *\./ppp (keys new .*?)(?: &&)?$", text, re.MULTILINE)
    keys = list[str]()
    for command in commands:
        output = new_in(monkeypatch, home, *shlex.split(command)[2:], "--json")
        assert output.code == 0, output
        keys.append(output.json["key"])
    secret = read_api_keys((home / "api-keys.json").read_text(encoding="utf-8"))
    assert len(keys) == 3
    assert all(find_key(secret.keys, key) for key in keys)
    assert secret.problems == ()


def test_a_file_for_the_line_is_made_and_named_for_the_secret(home: Path) -> None:
    file = home / "the keys.json"
    output = new(home, "--name", "ops", "--role", "admin", "--into", file)
    assert output.code == 0, output
    assert f"--env production < '{file}'" in output.out
    assert file.stat().st_mode & 0o777 == 0o600
    [key] = read_api_keys(file.read_text(encoding="utf-8")).keys
    assert key.name == "ops"
    assert list(home.iterdir()) == [file]


@pytest.mark.parametrize("content", ["plain-key-one,plain-key-two", "[", "\x00"])
def test_a_file_that_is_no_such_line_stays_as_it_is(home: Path, content: str) -> None:
    file = home / "api-keys.json"
    file.write_text(content, encoding="utf-8")
    fails(new(home, "--name", "ops", "--role", "admin", "--into", file), 2)
    assert file.read_text(encoding="utf-8") == content


def test_a_file_in_no_folder_is_named(home: Path) -> None:
    output = new(home, "--name", "ops", "--role", "admin", "--into", home / "no" / "keys.json")
    assert "keys.json cannot be written" in fails(output, 2)


def test_the_keys_come_from_one_file(home: Path) -> None:
    file = existing(home, [OTHER])
    output = new(home, "--name", "o", "--role", "read", "--into", file, "--existing", file)
    assert "leave out --existing" in fails(output, 2)


def test_a_taken_name_is_refused(home: Path) -> None:
    file = existing(home, [OTHER])
    line = fails(new(home, "--name", "marketing", "--role", "read", "--existing", file), 2)
    assert "a key is called marketing already: choose another name" in line


@pytest.mark.parametrize("content", [{"hunter2": 1}, [{"name": "hunter2"}], "hunter2"])
def test_a_line_that_the_worker_would_refuse_is_refused_without_telling_it(
    home: Path, content: object
) -> None:
    output = new(home, "--name", "ops", "--role", "read", "--existing", existing(home, content))
    assert "API_KEYS" in fails(output, 2)
    assert "hunter2" not in output.out + output.err


def test_a_file_that_is_not_there_is_named(home: Path) -> None:
    output = new(home, "--name", "ops", "--role", "read", "--existing", home / "nowhere.json")
    assert "nowhere.json cannot be read" in fails(output, 2)


@pytest.mark.parametrize("name", ["", " ops", "x" * 65, "a\nb", "\x1b[31m"])
def test_a_name_is_one_short_line(home: Path, name: str) -> None:
    assert "--name must be 1 to 64" in fails(new(home, "--name", name, "--role", "read"), 2)


def test_a_role_is_one_of_two(home: Path) -> None:
    assert "owner" in fails(new(home, "--name", "ops", "--role", "owner"), 2)


UUIDS = ("2b0f7d0e-6f0a-4a52-9a7e-0d6f3f2f1c11", "8a1c4f4e-3c57-4a57-8a57-1d2e3f4a5b6c")


def test_a_kept_text_of_the_old_worker_is_looked_through(home: Path) -> None:
    fine = ppp("keys", "check", home=home, answer=",".join(UUIDS))
    assert (fine.code, fine.out) == (0, "admin  old key 1\nadmin  old key 2\n")
    output = ppp("keys", "check", home=home, answer=f"{UUIDS[0]},a-plain-key,short,disabled")
    assert output.code == 1
    lines = output.out.splitlines()
    assert lines[:2] == ["admin  old key 1", "admin  old key 2"]
    assert "left out is key 3, 4" in lines[2]
    assert lines[3].startswith("! key 2 is no UUID")
    counted = ppp("keys", "check", home=home, answer=f"short,a-plain-key,{UUIDS[0]}").out
    assert counted.splitlines()[:2] == ["admin  old key 2", "admin  old key 3"]
    assert "! key 2 is no UUID" in counted
    for secret in (*UUIDS, "a-plain-key"):
        assert secret not in output.out + output.err


def test_a_line_of_keys_with_names_is_looked_through(home: Path) -> None:
    file = existing(home, [OTHER, {"name": "wrong"}])
    output = ppp("keys", "check", file, "--json", home=home)
    assert output.code == 1
    assert output.json["keys"] == [{"name": "Marketing", "role": "read", "projects": None}]
    assert not output.json["is_old_format"]
    [problem] = output.json["problems"]
    assert problem.endswith("left out is entry 2")


def test_a_text_without_a_key_is_a_problem(home: Path) -> None:
    assert ppp("keys", "check", home=home).code == 1
    assert "cannot be read" in fails(ppp("keys", "check", home / "none", home=home), 2)
