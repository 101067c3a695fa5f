"""`make dev` as a tree of processes: one for each checkout, watched, and gone when it ends.

wrangler is a small program here, whose child serves; everything else is real.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import urllib.request
from functools import partial
from pathlib import Path

import pytest

from local_storage import database_file, with_database
from paths import ROOT
from pyodide_bundle import Bundle
from tests.tools.checkout import Checkout, is_alive, new_checkout, until

pytestmark = pytest.mark.timeout(600)

WRANGLER = ROOT / "tests" / "tools" / "fake_wrangler.py"
QUICK = ("dev.SILENT_SECONDS = worker.SILENT_SECONDS = 2", "worker.PULSE_SECONDS = 0.2")


@pytest.fixture(scope="module")
def checkout(local_config: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return new_checkout(tmp_path_factory.mktemp("checkouts") / "ours", WRANGLER)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_whole_tree(checkout: Checkout, number: signal.Signals) -> None:
    with checkout.dev() as dev:
        state = dev.state()
        assert dev.end(number) == 128 + number
        until(lambda: not is_alive(state["worker"]), 60)
    assert not (checkout.root / ".wrangler" / "dev.json").exists()
    assert '"time": "' in next(line for line in dev.said().splitlines() if '"started"' in line)


def test_a_worker_that_died_is_started_again(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        state = dev.state()
        os.kill(state["worker"], signal.SIGKILL)
        until(lambda: "the Worker runs again" in dev.said())
        assert "wrangler stopped (status -9); starting the Worker again" in dev.said()
        with urllib.request.urlopen(f"http://127.0.0.1:{state['port']}/health") as answer:
            assert answer.status == 200
        assert dev.state()["worker"] != state["worker"]
        until(lambda: not is_alive(state["worker"]), 60)


def test_it_ends_with_a_wrangler_that_stops_again_and_again(checkout: Checkout) -> None:
    with checkout.dev() as dev:

        def has_restarted(times: int) -> bool:
            return dev.said().count("the Worker runs again") == times

        for number in range(3):
            until(partial(has_restarted, number))
            group = dev.state()["worker"]
            os.kill(group, signal.SIGKILL)
        assert dev.process.wait(60) == 1
        assert "error: wrangler stopped (status -9); what it said stands above" in dev.said()
        until(lambda: not is_alive(group), 10)


def test_a_second_one_says_which_runs(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        dev.state()
        output = checkout.run(*checkout.command())
    assert output.code == 1
    assert (
        f"`make dev` of this checkout runs already: process {dev.process.pid}, since" in output.err
    )
    assert f"the Worker on port {checkout.ports[0]}" in output.err


def test_a_worker_that_does_not_answer_is_started_again(checkout: Checkout) -> None:
    with checkout.dev(*QUICK) as dev:
        state = dev.state()
        with urllib.request.urlopen(f"http://127.0.0.1:{state['port']}/silence"):
            pass
        until(lambda: "the Worker runs again" in dev.said())
        assert "the Worker has not answered for 2 seconds; starting the Worker again" in dev.said()
        assert dev.state()["worker"] != state["worker"]
        until(lambda: not is_alive(state["worker"]), 60)


def test_storage_that_is_deleted_is_noticed_and_made_anew(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        database = Path(dev.state()["database"])
        shutil.rmtree(checkout.root / ".wrangler")
        until(lambda: "was deleted, and what was in it is gone" in dev.said(), 10)
        until(lambda: "the Worker runs again" in dev.said())
        assert Path(dev.state()["database"]) == database
        assert database.exists()


def test_a_state_file_that_is_deleted_is_written_again(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        state = dev.state()
        (checkout.root / ".wrangler" / "dev.json").unlink()
        until(lambda: "dev.json was deleted; it is written again" in dev.said(), 10)
        assert dev.state() == state


def test_a_restored_database_is_changed_over_to(checkout: Checkout) -> None:
    database_id = "11111111-1111-4111-8111-111111111111"
    storage = checkout.root / ".wrangler" / "state"
    with checkout.dev() as dev:
        before = dev.state()
        config = checkout.root / "wrangler.local.json"
        config.write_text(with_database(config.read_text(), database_id))
        (storage / "served-database").write_text(database_id)
        until(lambda: "a restore put another database in place" in dev.said())
        until(lambda: "the Worker runs again" in dev.said())
        after = dev.state()
        assert after["worker"] != before["worker"]
        assert after["database"] == str(database_file(database_id, storage))
        shutil.rmtree(storage)
        until(lambda: "was deleted" in dev.said())
        until(lambda: dev.said().count("the Worker runs again") > 1)
        assert dev.state()["database"] == before["database"]


def test_what_a_killed_one_left_behind_is_named(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        state = dev.state()
        dev.process.kill()
        dev.process.wait()
        command = checkout.ppp("status", "--local")
        restarted = checkout.run(*checkout.command())
        (checkout.root / ".wrangler" / "dev.json").unlink()
        by_port = checkout.run(*checkout.command())
    assert command.code == 3
    assert f"no `make dev` of this checkout runs (process {state['process']} was" in command.err
    assert restarted.code == by_port.code == 1
    assert f"still runs (process {state['worker']}): end it with `kill -9 -- -" in restarted.err
    assert f"port {state['port']} is taken by process" in by_port.err
    assert "left behind by a `make dev` of this checkout" in by_port.err
    assert f"`kill -9 -- -{state['worker']}`" in by_port.err


def test_the_state_of_another_checkout_is_not_ours(checkout: Checkout) -> None:
    with checkout.dev() as dev:
        file = checkout.root / ".wrangler" / "dev.json"
        state = dev.state()
        dev.end(signal.SIGTERM)
        # As if the folder had been copied, and the number of the process were in use again.
        copied = state | {"checkout": "/somewhere/else", "process": os.getpid()}
        file.write_text(json.dumps(copied))
        output = checkout.ppp("projects", "list", "--local")
    assert output.code == 3
    assert (
        "no `make dev` of this checkout runs (dev.json was copied from /somewhere/else)"
        in output.err
    )
