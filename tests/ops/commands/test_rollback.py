"""`ppp rollback`: what it lists, and where it has to end on a machine without Cloudflare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ops.cloudflare.bucket import Bucket
from ops.commands.rollback import require_health
from ops.deploy.deployment_log import LOG_KEY, append_to_log
from ops.terminal.errors import NoAnswerError
from pyodide_bundle import Bundle
from tests.ops.deployed import local
from tests.ops.running import fails, here, ppp

STARTED = {
    "id": "20261120T030000Z",
    "kind": "deployment",
    "state": "started",
    "at": "2026-11-20T03:00:00Z",
    "database_id": "777a0ed8-e3ee-42fc-ad9b-12f7964c1c0b",
    "version": "3.1.0",
    "worker_version": "new-version",
    "backup": "20261120T025900Z-manual",
    "reason": None,
}


def test_the_log_is_listed_and_the_last_line_of_an_id_counts(
    local_config: Bundle, tmp_path: Path
) -> None:
    bucket = Bucket(local(tmp_path))
    append_to_log(bucket, STARTED)
    append_to_log(bucket, STARTED | {"state": "rolled back", "reason": "with 10 % it was ill"})
    output = here("rollback", "--local", "--persist-to", tmp_path)
    assert output.code == 1
    printed = " ".join(output.out.split())
    assert "2026-11-20 03:00 rolled back 3.1.0 new-version" in printed
    assert printed.count("20261120T030000Z: ") == 1
    assert "backup 20261120T025900Z-manual, reason with 10 % it was ill" in printed
    assert "there are no versions on this machine" in output.err


def test_a_damaged_log_is_said_and_never_written_over(local_config: Bundle, tmp_path: Path) -> None:
    bucket = Bucket(local(tmp_path))
    bucket.write(LOG_KEY, b'{"id": "1"}\n{"id"')
    with pytest.raises(NoAnswerError, match="is damaged: put it right by hand"):
        append_to_log(bucket, STARTED)
    assert bucket.read(LOG_KEY) == b'{"id": "1"}\n{"id"'


def test_a_log_that_cannot_be_read_is_noted_and_does_not_end_the_command(
    local_config: Bundle, tmp_path: Path
) -> None:
    Bucket(local(tmp_path)).write(LOG_KEY, b"damaged")
    output = here("rollback", "--local", "--persist-to", tmp_path)
    assert output.code == 1
    assert "the log of deployments could not be read: " in output.err
    assert "there are no versions on this machine" in output.err
    assert "is empty" not in output.out


class HealthHandler(BaseHTTPRequestHandler):
    """Answers `/health` with the next answer, the last one again and again."""

    answers: list[tuple[int, object]]

    def do_GET(self) -> None:
        status, body = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@contextmanager
def health_of(*answers: tuple[int, object]) -> Iterator[str]:
    handler = type("Answers", (HealthHandler,), {"answers": list(answers)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def healthy(version: str | None) -> tuple[int, object]:
    return 200, {"worker_version": version} if version else {"status": "ok"}


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([healthy("old")], "answers and is healthy"),
        ([healthy("new"), healthy("new"), healthy("old")], "answers and is healthy"),
        ([(503, {"worker_version": "old"}), healthy("old")], "answers and is healthy"),
        ([healthy(None)], "does not tell its version"),
    ],
    ids=["at once", "after others", "after a while", "JavaScript"],
)
def test_the_version_that_answers_is_compared(
    answers: list[tuple[int, object]], expected: str
) -> None:
    with health_of(*answers) as url:
        assert expected in require_health(url, "old", sleep=lambda _: None)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (healthy("new"), "is answered by the version new"),
        ((503, {"worker_version": "old"}), "says 503"),
    ],
)
def test_a_rollback_that_did_not_arrive_is_not_healthy(
    answer: tuple[int, object], expected: str
) -> None:
    with health_of(answer) as url, pytest.raises(NoAnswerError, match=expected):
        require_health(url, "old", sleep=lambda _: None)


def test_nobody_is_logged_in(home: Path, local_config: Bundle) -> None:
    output = ppp("rollback", "some-version", "--env", "production", "--yes", home=home)
    assert "npx wrangler login" in fails(output, 3)
