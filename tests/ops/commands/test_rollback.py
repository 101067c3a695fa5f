"""`ppp rollback`: what it lists, and where it has to end on a machine without Cloudflare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import ops.cloudflare.account as ops_account
import ops.commands.rollback as ops_rollback
import ops.deploy.traffic as ops_traffic
from ops.cloudflare import wrangler_command
from ops.cloudflare.bucket import Bucket
from ops.commands.rollback import require_health
from ops.deploy.deployment_log import LOG_KEY, append_to_log
from ops.terminal.errors import NoAnswerError
from pyodide_bundle import Bundle
from tests.ops.deployed import local
from tests.ops.running import Output, fails, here, ppp
from tests.ops.traffic_cloud import TrafficCloud
from wrangler import WranglerError

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


GOOD, BAD = "the-good-version", "the-bad-version"
HAND, DEPLOYED = "rolled back by hand", "3.1.0 at abc"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> TrafficCloud:
    """A bad version serves; the good one was before it. Whatever has all traffic is healthy."""
    cloud = TrafficCloud(({GOOD: 100}, DEPLOYED), ({BAD: 100}, DEPLOYED))
    monkeypatch.setattr(wrangler_command, "wrangler", cloud.run)
    for module in (ops_traffic, ops_account, ops_rollback):
        monkeypatch.setattr(module, "RETRY_PAUSES_SECONDS", (0, 0))
    monkeypatch.setattr(ops_rollback, "require_health", lambda *_: "answers and is healthy")
    return cloud


def roll_back(*arguments: object) -> Output:
    return here("rollback", *arguments, "--env", "production")


def logged(cloud: TrafficCloud) -> list[tuple[str, str]]:
    """Version and previous version of each line of the log."""
    lines = [json.loads(line) for line in cloud.objects.get(LOG_KEY, b"").splitlines()]
    return [(line["worker_version"], line["previous_version"]) for line in lines]


def test_the_version_before_gets_all_traffic(cloud: TrafficCloud) -> None:
    output = roll_back("--yes")
    assert (output.code, cloud.shares) == (0, {GOOD: 100})
    assert f"{GOOD} has all the traffic, and answers and is healthy" in output.err
    assert logged(cloud) == [(GOOD, BAD)]


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_lost_answer_leaves_the_good_version_serving_however_often_it_is_repeated(
    cloud: TrafficCloud, failures: int
) -> None:
    cloud.failures, cloud.is_lost = failures, True
    assert roll_back("--yes").code == 0
    for _ in range(2):
        repeated = roll_back("--yes")
        assert repeated.code == 0
        assert f"{GOOD} serves already: nothing was changed" in repeated.err
        assert f"./ppp rollback {BAD} --env production" in repeated.err
    assert cloud.shares == {GOOD: 100}
    assert logged(cloud) == [(GOOD, BAD)]


def test_a_rollback_whose_command_was_killed_is_not_undone_by_the_next_and_is_logged(
    cloud: TrafficCloud,
) -> None:
    cloud.deployments.append(({GOOD: 100}, HAND))
    assert roll_back("--yes").code == 0
    assert cloud.splits() == []
    assert logged(cloud) == [(GOOD, BAD)]
    assert roll_back("--dry-run", "--json").json["serves_already"]


def test_what_could_not_be_done_is_said_with_the_version_to_name(cloud: TrafficCloud) -> None:
    cloud.failures = 3
    line = fails(roll_back("--yes"), 3)
    assert f"{GOOD} does not have all the traffic (fetch failed; what serves: {BAD})" in line
    assert f"./ppp rollback {GOOD} --env production" in line
    assert cloud.shares == {BAD: 100}


@pytest.mark.parametrize("is_lost", [True, False])
def test_after_ctrl_c_it_is_said_what_serves(cloud: TrafficCloud, *, is_lost: bool) -> None:
    cloud.failures, cloud.is_lost, cloud.error = 1, is_lost, KeyboardInterrupt()
    output = roll_back("--yes")
    assert "Traceback" not in output.err
    if is_lost:
        assert (output.code, cloud.shares) == (0, {GOOD: 100})
    else:
        assert f"stopped by hand; what serves: {BAD}" in fails(output, 3)


@pytest.mark.parametrize("messages", [[f"back from {DEPLOYED}"], [HAND, "secret"]])
def test_a_version_that_came_back_already_stays(cloud: TrafficCloud, messages: list[str]) -> None:
    cloud.deployments += [({GOOD: 100}, message) for message in messages]
    assert "serves already" in roll_back("--yes").err
    assert cloud.splits() == []


def test_a_version_that_is_named_goes_forth_again(cloud: TrafficCloud) -> None:
    roll_back("--yes")
    assert roll_back(BAD, "--yes").code == 0
    assert cloud.shares == {BAD: 100}
    assert "serves already" in roll_back(BAD, "--yes").err


@pytest.mark.parametrize("content", [None, b'{"id": "1"}\n{"id"'], ids=["no answer", "damaged"])
def test_a_log_that_cannot_be_read_keeps_nobody_from_going_back(
    cloud: TrafficCloud, content: bytes | None
) -> None:
    if content is None:
        cloud.failing, cloud.failures = "r2 object", 99
    else:
        cloud.objects[LOG_KEY] = content
    output = roll_back("--yes")
    assert (output.code, cloud.shares) == (0, {GOOD: 100})
    assert "the log of deployments could not be read" in output.err
    assert cloud.objects.get(LOG_KEY) == content


def test_a_version_on_another_database_is_not_gone_back_to(cloud: TrafficCloud) -> None:
    cloud.databases = {GOOD: "lost-database", BAD: "database-of-today"}
    line = fails(roll_back("--yes"), 1)
    assert f"{GOOD} is bound to the database lost-database" in line
    assert "./ppp deploy --at-once" in line
    assert cloud.splits() == []


def test_behind_ten_deployments_the_log_knows_the_version_before(cloud: TrafficCloud) -> None:
    taken_back = [({GOOD: 90.0, f"try-{number}": 10.0}, DEPLOYED) for number in range(6)]
    cloud.deployments = [*taken_back, ({GOOD: 100}, "3.1.0 at def"), *taken_back]
    bucket = {"id": "1", "kind": "deployment", "at": "2026-11-20T03:00:00Z", "database_id": "d"}
    entries = [
        bucket | {"id": "1", "state": "finished", "worker_version": "older"},
        bucket | {"id": "2", "state": "finished", "worker_version": GOOD},
        bucket | {"id": "3", "state": "rolled back", "worker_version": "try-5"},
    ]
    cloud.objects[LOG_KEY] = "".join(f"{json.dumps(entry)}\n" for entry in entries).encode()
    cloud.deployments.append(({GOOD: 100}, "3.1.0 at ghi"))
    assert roll_back("--yes").code == 0
    assert cloud.shares == {"older": 100}


def test_where_nobody_knows_an_earlier_version_it_is_said_how_to_find_one(
    cloud: TrafficCloud,
) -> None:
    cloud.deployments = [({BAD: 100}, DEPLOYED)]
    output = roll_back("--yes")
    assert output.code == 1
    assert "npx wrangler versions list --env production" in output.err


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Authentication error [code: 10000]", "wrangler is not logged in"),
        ("Invalid access token [code: 9109]", "wrangler is not logged in"),
        ("Internal error [code: 10001]", "no reason for another login"),
        ("fetch failed", "no reason for another login"),
    ],
)
def test_an_outage_is_not_called_a_missing_login(
    cloud: TrafficCloud, message: str, expected: str
) -> None:
    cloud.failing, cloud.failures = "whoami", 9
    cloud.error = WranglerError(f"wrangler failed:\n[ERROR] {message}")
    line = fails(roll_back("--yes"), 3)
    assert expected in line
    assert message in line


def test_one_failed_answer_of_cloudflare_changes_nothing(cloud: TrafficCloud) -> None:
    for failing in ("whoami", "deployments list", "versions deploy"):
        cloud.deployments = [({GOOD: 100}, DEPLOYED), ({BAD: 100}, DEPLOYED)]
        cloud.failing, cloud.failures = failing, 1
        assert roll_back("--yes").code == 0
        assert cloud.shares == {GOOD: 100}


def test_the_version_that_a_deployment_took_back_is_named_not_an_older_one(
    cloud: TrafficCloud,
) -> None:
    cloud.deployments = [
        ({"the-javascript-worker": 100}, "-"),
        ({GOOD: 100}, DEPLOYED),
        ({BAD: 10, GOOD: 90}, DEPLOYED),
        ({GOOD: 100}, f"back from {DEPLOYED}"),
    ]
    assert f"./ppp rollback {BAD} --env production" in roll_back("--dry-run").err
