import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

import dev_settings
import dev_worker
from demo_site import DEMO_PIXEL
from dev import add_person, welcome
from dev_conflicts import require_free
from dev_settings import development_key, uses_own_account, worker_settings
from dev_worker import DevError, Worker
from new_api_key import new_api_key
from paths import ROOT
from services.access.api_keys import find_key, read_api_keys
from services.pipedrive.fields import FIELD_NAMES, read_field_map
from simulator.server import simulator


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_free_port_passes_and_stays_free(taken_port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free: int = probe.getsockname()[1]
    require_free(free, "PORT")
    require_free(free, "PORT")


@pytest.mark.parametrize("option", ["PORT", "DEMO_PORT", "PIPEDRIVE_PORT"])
def test_a_taken_port_is_named_with_the_option(taken_port: int, option: str) -> None:
    with pytest.raises(DevError) as refused:
        require_free(taken_port, option)
    assert str(refused.value) == (
        f"port {taken_port} is taken by process {os.getpid()} ({Path(sys.executable).name}): "
        f"stop it, or run `make dev {option}=<another>`"
    )


def test_a_problem_is_one_line_and_no_traceback(taken_port: int) -> None:
    process = subprocess.run(
        [sys.executable, ROOT / "tools" / "dev.py", "--port", str(taken_port)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 1
    assert process.stderr.startswith(f"error: port {taken_port} is taken")
    assert len(process.stderr.splitlines()) == 1


# The API key of this machine


@pytest.fixture
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets the key's two files lie in a folder of the test's own."""
    monkeypatch.setattr(dev_settings, "DEV_VARS", tmp_path / ".dev.vars")
    monkeypatch.setattr(dev_settings, "DEV_KEY", tmp_path / "dev-api-key")
    return tmp_path


def test_the_first_run_makes_a_key_that_the_worker_takes(own_files: Path) -> None:
    key = development_key()
    name, _, quoted = (own_files / ".dev.vars").read_text(encoding="utf-8").partition("=")
    keys = read_api_keys(quoted.strip().strip("'")).keys
    assert name == "API_KEYS"
    key_entry = find_key(keys, key)
    assert key_entry is not None
    assert key_entry.opens("admin")


def test_the_key_itself_is_for_nobody_else_to_read(own_files: Path) -> None:
    key = development_key()
    assert (own_files / "dev-api-key").stat().st_mode & 0o777 == 0o600
    assert key not in (own_files / ".dev.vars").read_text(encoding="utf-8")


def test_later_runs_keep_the_key(own_files: Path) -> None:
    assert development_key() == development_key()


def test_a_file_that_somebody_wrote_is_left_alone(own_files: Path) -> None:
    written = f"API_KEYS='{json.dumps([])}'\n"
    (own_files / ".dev.vars").write_text(written, encoding="utf-8")
    assert ".dev.vars" in development_key()
    assert (own_files / ".dev.vars").read_text(encoding="utf-8") == written


def test_a_key_that_somebody_took_out_is_not_shown(own_files: Path) -> None:
    key = development_key()
    entry = new_api_key("other", "admin")[1]
    (own_files / ".dev.vars").write_text(f"API_KEYS='{json.dumps([entry])}'\n", encoding="utf-8")
    assert key not in development_key()


def test_the_example_copied_as_it_is_gets_a_key_too(own_files: Path) -> None:
    example = (ROOT / ".dev.vars.example").read_text(encoding="utf-8")
    (own_files / ".dev.vars").write_text(example, encoding="utf-8")
    key = development_key()
    written = (own_files / ".dev.vars").read_text(encoding="utf-8")
    [line] = written.removeprefix(example).splitlines()
    key_entry = find_key(read_api_keys(line.removeprefix("API_KEYS=").strip("'")).keys, key)
    assert key_entry is not None
    assert not uses_own_account()
    assert development_key() == key


# The Worker


class HealthPage(BaseHTTPRequestHandler):
    """Answers as a Worker would whose health is that of its server."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("X-Request-Id", "1")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def sleeping_process() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], text=True)


class LostPage(HealthPage):
    """Answers as a Worker whose database is not the one of the mark."""

    def do_GET(self) -> None:
        self.send_response(503)
        self.send_header("X-Request-Id", "1")
        self.end_headers()
        self.wfile.write(b'{"checks": {"database": {"error": "database_lost"}}}')


def test_what_to_do_about_a_lost_database_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), LostPage) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        worker = Worker(sleeping_process(), url)
        worker.wait()
        worker.stop()
        server.shutdown()
    assert "./ppp restore --local" in capsys.readouterr().out


def test_a_worker_that_stopped_is_not_waited_for() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], text=True)
    process.wait()
    with pytest.raises(DevError, match=r"wrangler stopped \(status 0\)"):
        Worker(process, "http://127.0.0.1:9").wait()


def test_a_worker_is_waited_for_until_it_is_healthy() -> None:
    with HTTPServer(("127.0.0.1", 0), HealthPage) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        worker = Worker(sleeping_process(), f"http://127.0.0.1:{server.server_address[1]}")
        worker.wait()
        worker.stop()
        server.shutdown()
    assert worker.process.poll() is not None


def test_a_worker_that_is_not_healthy_in_time_is_told_with_its_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dev_worker, "START_SECONDS", 0.3)
    worker = Worker(sleeping_process(), "http://127.0.0.1:9")
    with pytest.raises(DevError, match=r"not healthy after .* http://127.0.0.1:9/health"):
        worker.wait()
    worker.stop()


def test_stopping_twice_harms_nobody() -> None:
    worker = Worker(sleeping_process(), "http://127.0.0.1:9")
    worker.stop()
    worker.stop()


def test_the_welcome_says_what_to_open_and_how_to_stop() -> None:
    text = welcome(
        "http://localhost:8787", "http://127.0.0.1:8788", "secret-key", "http://127.0.0.1:8789"
    )
    assert "http://127.0.0.1:8788/?utm_source=google" in text
    assert (
        f"-H 'X-API-Key: secret-key' http://localhost:8787/api/reports/realtime/{DEMO_PIXEL}"
        in (text)
    )
    assert "Pipedrive     http://127.0.0.1:8789" in text
    assert "Ctrl+C" in text


# The simulated Pipedrive


def test_the_worker_is_told_of_the_simulator_and_of_a_map_that_fits_it() -> None:
    with simulator() as pipedrive:
        variables = worker_settings(pipedrive)
        fields = read_field_map(variables["PIPEDRIVE_FIELDS"])
        codes = {field.field_code for field in pipedrive.account.fields}
    assert variables["PIPEDRIVE_URL"] == pipedrive.api_url
    assert variables["PIPEDRIVE_API_KEY"] == pipedrive.token
    assert set(fields) == set(FIELD_NAMES)
    assert set(fields.values()) <= codes


def test_an_account_of_ones_own_is_used_instead(own_files: Path) -> None:
    assert not uses_own_account()
    (own_files / ".dev.vars").write_text("# PIPEDRIVE_API_KEY=mine\n", encoding="utf-8")
    assert not uses_own_account()
    (own_files / ".dev.vars").write_text("PIPEDRIVE_API_KEY=mine\n", encoding="utf-8")
    assert uses_own_account()
    assert worker_settings(None) == {"SYNC_DELAY_SECONDS": "10"}


def test_who_fills_in_the_demo_form_becomes_a_person_once() -> None:
    with simulator() as pipedrive:
        before = len(pipedrive.account.persons())
        form = {"first_name": "Grace", "last_name": "Hopper", "email": "Grace@example.com"}
        for sent in (form, form | {"email": "grace@example.com"}, {"first_name": "Nobody"}):
            add_person(pipedrive, sent)
        names = [person.name for person in pipedrive.account.persons()]
    assert len(names) == before + 1
    assert "Grace Hopper" in names


def test_without_a_simulator_nobody_is_added() -> None:
    add_person(None, {"email": "grace@example.com"})
