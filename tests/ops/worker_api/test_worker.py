"""Which Worker a command asks, with which key, and what is said when it does not answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

import dev_state
from dev_state import DevState
from file_lock import only_one
from ops.cloudflare.target import Environment
from ops.terminal.errors import WrongUsageError
from ops.worker_api import worker as ops_worker
from ops.worker_api.worker import choose_worker, find_key
from tests.harness.listening import listening
from tests.harness.road import Road, running_road
from tests.ops.asking import ADMIN_KEY, READ_KEY, Service
from tests.ops.running import fails, here


@pytest.fixture
def road(service: Service) -> Iterator[Road]:
    """A way to the Worker for a client of its own."""
    with running_road(service.worker.url) as running:
        yield running


@pytest.fixture(autouse=True)
def dev_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the key of `make dev` would be; there is none."""
    file = tmp_path / "dev-api-key"
    monkeypatch.setattr(ops_worker, "DEV_KEY", file)
    monkeypatch.delenv("PPP_API_KEY", raising=False)
    return file


# ---- which one ---------------------------------------------------------------------------------


def test_production_is_where_its_route_leads() -> None:
    worker = choose_worker(Environment.PRODUCTION, None, local=False)
    assert str(worker) == "production: https://pixel.salesmagic.us"


def test_an_address_is_known_for_what_it_is() -> None:
    for url, name in (
        ("https://pixel.salesmagic.us/", "production"),
        ("http://127.0.0.1:9000", "local"),
        ("http://[::1]:9000", "local"),
        ("https://ppp.example.workers.dev", "elsewhere"),
    ):
        assert choose_worker(None, url, local=False).name == name


def test_local_is_the_make_dev_of_this_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev_state, "ROOT", tmp_path)
    monkeypatch.setattr(dev_state, "STATE", tmp_path / "dev.json")
    state = DevState(str(tmp_path), 1, "", 9000, 9001, 9002, "", is_ready=True)
    (tmp_path / "dev.json").write_text(json.dumps(asdict(state)), encoding="utf-8")
    assert "no `make dev` of this checkout runs" in fails(here("status", "--local"), 3)
    with only_one(tmp_path):
        assert choose_worker(None, None, local=True).url == "http://localhost:9000"


@pytest.mark.parametrize(
    ("environment", "url", "local"),
    [
        (None, None, False),
        (Environment.PRODUCTION, None, True),
        (None, "http://localhost:9000", True),
        (Environment.PRODUCTION, "http://localhost:9000", False),
    ],
)
def test_no_worker_is_assumed(
    environment: Environment | None, url: str | None, *, local: bool
) -> None:
    with pytest.raises(WrongUsageError, match=r"either --local .*, --env production or --url"):
        choose_worker(environment, url, local=local)


@pytest.mark.parametrize(
    "url",
    [
        *("", "pixel.example", "ftp://pixel.example", "https://pixel.example/api"),
        *("https://", "https://u:p@pixel.example", "http://pixel.example", "http://["),
    ],
)
def test_an_address_that_would_show_the_key_or_makes_no_sense_is_refused(url: str) -> None:
    with pytest.raises(WrongUsageError, match="--url must"):
        choose_worker(None, url, local=False)


def test_it_is_always_said_on_stderr_which_worker_is_asked(service: Service) -> None:
    for arguments in (("projects", "list"), ("projects", "list", "--json")):
        output = service.ppp(*arguments)
        assert output.err.startswith(f"local: {service.worker.url} (with PPP_API_KEY)\n")
        assert ADMIN_KEY not in output.out + output.err


# ---- with which key ----------------------------------------------------------------------------


def test_the_key_of_make_dev_is_used_on_this_machine_only(service: Service, dev_key: Path) -> None:
    dev_key.write_text(f"{READ_KEY}\n", encoding="utf-8")
    output = here("projects", "list", "--url", service.worker.url)
    assert output.code == 0
    assert "(with the key of `make dev`)" in output.err
    assert find_key(choose_worker(Environment.PRODUCTION, None, local=False)) is None


def test_without_a_key_it_is_said_how_to_set_one() -> None:
    line = fails(here("projects", "list", "--env", "production"), 2)
    assert "PPP_API_KEY is not set: `read -rs PPP_API_KEY && export PPP_API_KEY`" in line
    assert "make dev" not in line
    here_too = here("projects", "list", "--url", "http://127.0.0.1:9")
    assert "run `make dev` once" in fails(here_too, 2)


@pytest.mark.parametrize("key", ["two words", "tab\t", "krön"])
def test_a_key_that_cannot_be_one_is_not_sent(key: str) -> None:
    output = here("projects", "list", "--url", "http://127.0.0.1:9", env={"PPP_API_KEY": key})
    assert "holds a character that no key has" in fails(output, 2)


def test_a_key_that_the_worker_does_not_know_is_not_repeated(road: Road) -> None:
    output = here("projects", "list", "--url", road.url, env={"PPP_API_KEY": "guessed-key"})
    line = fails(output, 3)
    assert "does not know the key (401), which is PPP_API_KEY" in line
    assert "guessed-key" not in output.out + output.err


# ---- when it does not answer -------------------------------------------------------------------


def test_an_hour_of_waiting_is_said_and_not_done(road: Road) -> None:
    road.refuse(429, retry_after=3_000, path="/api/manage/projects")
    line = fails(here("projects", "list", "--url", road.url, env={"PPP_API_KEY": ADMIN_KEY}), 3)
    assert "the limit of requests is reached (429): try again in 50 min" in line
    assert [request.status for request in road.requests] == [429]


def test_a_short_wait_is_done_as_told(service: Service, road: Road) -> None:
    road.refuse(429, requests=2, retry_after=1, path="/api/manage/projects")
    output = here("projects", "list", "--url", road.url, env={"PPP_API_KEY": ADMIN_KEY})
    assert output.code in {0, 1}
    assert output.err.count("the limit of requests is reached: waiting 1 s as the Worker asks") == 2
    assert [request.status for request in road.requests] == [429, 429, 200]


def test_a_worker_that_cannot_work_is_told_from_one_that_is_not_there(road: Road) -> None:
    road.refuse(503, retry_after=30, path="/api/manage/projects")
    requested_path = here("projects", "list", "--url", road.url, env={"PPP_API_KEY": ADMIN_KEY})
    line = fails(requested_path, 3)
    assert "answered 503" in line
    assert "try again in 30 s" in line


def test_where_nothing_listens_it_is_asked_whether_make_dev_runs() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        line = fails(here("projects", "list", "--url", url, env={"PPP_API_KEY": ADMIN_KEY}), 3)
    assert f"nothing answers at {url}: is `make dev` running?" in line


def test_a_connection_that_breaks_is_one_line(road: Road) -> None:
    road.cut()
    line = fails(here("projects", "list", "--url", road.url, env={"PPP_API_KEY": ADMIN_KEY}), 3)
    assert "broke its answer off" in line


class _SomethingElse(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<h1>It works!</h1>")

    def log_message(self, *_: object) -> None:
        pass


def test_what_is_not_the_worker_is_called_so() -> None:
    with listening(_SomethingElse) as port:
        url = f"http://127.0.0.1:{port}"
        output = here("projects", "list", "--url", url, env={"PPP_API_KEY": ADMIN_KEY})
    assert "is not PPP Pixel's API" in fails(output, 3)
