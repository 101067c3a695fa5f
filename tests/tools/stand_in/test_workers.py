"""The real wrangler deploys to the stand-in: versions, shares, rollback, secrets, triggers."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from local_config import read_wrangler_toml
from pyodide_bundle import DEVELOPMENT_FLAGS
from stand_in.cloud import local_flags
from stand_in.faults import ApiFault
from tests.tools.stand_in.cloud import NAMESPACE, Tiny

TWO_CLASSES = ("Counter", "Another")


def deployed_shares(tiny: Tiny) -> dict[str, float]:
    status = tiny.read_json("deployments", "status", "--json")
    return {entry["version_id"]: entry["percentage"] for entry in status["versions"]}


def uploaded(tiny: Tiny) -> str:
    tiny.wrangler("versions", "upload", "--message", "a test")
    return str(tiny.read_json("versions", "list", "--json")[-1]["id"])


def test_a_worker_lives_through_its_versions(tiny: Tiny) -> None:
    code, output = tiny.try_wrangler("deployments", "status", "--json")
    assert code == 1
    assert "This Worker does not exist on your account" in output

    # The first deployment: code, assets, migration, route and cron.
    tiny.wrangler("deploy", "--message", "first")
    [first] = deployed_shares(tiny)
    assert tiny.ask() == "one"
    assert tiny.ask("/hello.txt") == "hello of one"
    assert json.loads(tiny.ask("/rows"))["results"] == [{"one": 1}]
    assert tiny.cloud.cron("tiny", "*/5 * * * *", 0) == {"version": first, "outcome": "ok"}
    assert tiny.cloud.cloud.runtime.store("kv", NAMESPACE, "GET", "cron").text == "*/5 * * * *"

    # A secret is a new version of the same code, and keeps its value to itself.
    tiny.wrangler("secret", "put", "SECRET", answer="hidden\n")
    assert tiny.ask("/secret") == "hidden"
    assert tiny.read_json("secret", "list") == [{"name": "SECRET", "type": "secret_text"}]
    [old] = deployed_shares(tiny)
    assert old != first
    assert "hidden" not in tiny.wrangler("versions", "view", old, "--json")

    # A version without traffic answers who asks for it, and has the secret of the last one.
    tiny.write("two")
    new = uploaded(tiny)
    assert tiny.ask() == "one"
    tiny.wrangler("versions", "deploy", f"{new}@0%", f"{old}@100%", "--yes")
    override = {"Cloudflare-Workers-Version-Overrides": f'tiny="{new}"'}
    assert {tiny.ask() for _ in range(5)} == {"one"}
    assert tiny.ask(headers=override) == "two"
    assert tiny.ask("/secret", override) == "hidden"

    # Shares are kept exactly.
    tiny.wrangler("versions", "deploy", f"{new}@10%", f"{old}@90%", "--yes")
    assert Counter(tiny.ask() for _ in range(40)) == {"one": 36, "two": 4}
    tiny.wrangler("versions", "deploy", f"{new}@100%", "--yes")
    assert tiny.ask("/hello.txt") == "hello of two"
    assert deployed_shares(tiny) == {new: 100}

    # Back, and no secret is changed while the newest version is not the one that runs.
    tiny.wrangler("rollback", old, "--yes", "--message", "back")
    assert tiny.ask() == "one"
    code, output = tiny.try_wrangler("secret", "put", "SECRET", answer="other\n")
    assert code == 1
    assert "latest version of your Worker isn't currently deployed" in " ".join(output.split())
    messages = [
        entry["annotations"].get("workers/message")
        for entry in tiny.read_json("deployments", "list", "--json")
    ]
    assert messages[-1] == "back"

    # A new Durable Object class cannot be a version without traffic, and is never undone.
    tiny.write("three", classes=TWO_CLASSES)
    code, output = tiny.try_wrangler("versions", "upload")
    assert code == 1
    assert "pending Durable Object migration" in output
    tiny.wrangler("deploy")
    assert tiny.ask() == "three"
    code, output = tiny.try_wrangler("versions", "deploy", f"{old}@100%", "--yes")
    assert code == 1
    assert "a Durable Object migration lies between" in " ".join(output.split())
    assert tiny.ask() == "three"


def test_a_var_and_a_secret_of_one_name_refuse_each_other(tiny: Tiny) -> None:
    with_var = {"vars": {"PLAIN": "seen"}}
    tiny.write("with a var", classes=TWO_CLASSES, **with_var)
    tiny.wrangler("deploy")
    code, output = tiny.try_wrangler("secret", "put", "PLAIN", answer="hidden\n")
    assert code == 1
    assert "Binding name 'PLAIN' already in use" in " ".join(output.split())
    assert "10053" in output
    tiny.write("without it", classes=TWO_CLASSES)
    tiny.wrangler("deploy")
    tiny.wrangler("secret", "put", "PLAIN", answer="hidden\n")
    tiny.write("with both", classes=TWO_CLASSES, **with_var)
    code, output = tiny.try_wrangler("deploy")
    assert code == 1
    assert "10053" in output
    tiny.write("three", classes=TWO_CLASSES)
    tiny.wrangler("deploy")


def test_code_without_a_class_of_the_durable_objects_is_refused(tiny: Tiny) -> None:
    # As that of an older repository.
    tiny.write("four", migrations=[])
    code, output = tiny.try_wrangler("deploy")
    assert code == 1
    assert "10064" in output
    assert "does not export class 'Another'" in " ".join(output.split())
    assert tiny.ask() == "three"


def test_a_version_that_does_not_start_is_refused(tiny: Tiny) -> None:
    tiny.write("broken", classes=TWO_CLASSES)
    with (tiny.folder / "worker.js").open("a", encoding="utf-8") as source:
        source.write("throw new Error('it does not start');")
    code, output = tiny.try_wrangler("deploy")
    assert code == 1
    assert "it does not start" in output
    assert "10021" in output


@pytest.mark.parametrize("kind", ["error", "limit", "reset", "expired"])
def test_a_failed_call_changed_nothing(tiny: Tiny, kind: str) -> None:
    before = deployed_shares(tiny)
    tiny.cloud.faults.add(ApiFault(kind, "POST .*/deployments", times=9))
    code, _ = tiny.try_wrangler("versions", "deploy", f"{next(iter(before))}@100%", "--yes")
    tiny.cloud.faults.clear()
    assert code == 1
    assert deployed_shares(tiny) == before


def test_an_answer_is_lost_behind_its_change(tiny: Tiny) -> None:
    tiny.cloud.faults.add(ApiFault("lost", "PUT .*/schedules"))
    tiny.write("other times", classes=TWO_CLASSES, triggers={"crons": ["0 * * * *"]})
    code, _ = tiny.try_wrangler("triggers", "deploy")
    assert code == 1
    assert tiny.cloud.cloud.worker("tiny").crons == ["0 * * * *"]


def test_each_version_runs_with_its_own_flags_none_of_them_twice() -> None:
    own = read_wrangler_toml()["compatibility_flags"]
    for flags in (own, ["python_workers"], [*own, "another"], []):
        running = local_flags(flags)
        assert len(running) == len(set(running))
        assert set(flags) - set(running) <= {"python_workers"}
        assert set(running) - set(flags) <= set(DEVELOPMENT_FLAGS)


def test_whoever_follows_the_log_sees_what_a_version_writes(tiny: Tiny) -> None:
    tiny.wrangler("deploy", "--message", "first")
    with tiny.following("tail", "--format", "json") as lines:
        while not tiny.cloud.cloud.runtime.act("followers", worker="tiny"):
            time.sleep(0.1)
        tiny.ask()
        printed = "".join(iter(lines.readline, "}\n")) + "}"
    event = json.loads(printed)
    assert (event["scriptName"], event["outcome"]) == ("tiny", "ok")
    assert json.loads(event["logs"][0]["message"][0])["event"] == "asked"
