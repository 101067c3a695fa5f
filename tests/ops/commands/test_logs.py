"""`ppp logs`: the log, readable."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from dev_worker import with_time
from ops.checks.log_lines import read_lines
from tests.harness.worker import some_event
from tests.ops.asking import Service
from tests.ops.running import Output, fails, here, ppp

RUN = {
    "level": "info",
    "event": "sync_run",
    "request_id": "r1",
    "outcome": "drained",
    "calls": {"a": 1},
}
ALERT = {"level": "error", "event": "alert", "request_id": "r2", "text": "it\x1b[31m is"}
LINES = "\n".join(["wrangler says hello", json.dumps(RUN), "{broken", json.dumps(ALERT)])
# What Cloudflare sends for one invocation, as `wrangler tail --format json` prints it.
TAIL = {
    "outcome": "exceededCpu",
    "scriptName": "ppp-pixel",
    "eventTimestamp": 1_777_636_800_000,
    "event": {
        "request": {
            "url": "https://pixel.salesmagic.us/e?email=jane@example.com",
            "method": "POST",
            "headers": {"cf-connecting-ip": "203.0.113.7"},
        }
    },
    "logs": [
        {"message": [json.dumps(RUN)], "level": "log", "timestamp": 1_777_636_801_000},
        {"message": ["something else"], "level": "error", "timestamp": 1_777_636_802_000},
    ],
    "exceptions": [{"name": "RangeError", "message": "Maximum call stack", "timestamp": 1}],
}


def run(text: str, *arguments: object) -> Output:
    return here("logs", "--stdin", *arguments, answer=text)


def test_lines_are_readable_and_harmless() -> None:
    output = run(LINES)
    assert output.code == 0
    assert [line.strip() for line in output.out.splitlines()] == [
        "info  sync_run  outcome=drained calls={a=1}  [r1]",
        "error alert  text=it[31m is  [r2]",
    ]


def test_a_line_of_make_dev_is_shown_with_its_time() -> None:
    output = run(with_time(json.dumps(RUN) + "\n"))
    time_text, _, text = output.out.partition(" ")
    assert datetime.strptime(time_text, "%H:%M:%S")  # noqa: DTZ007  # a time of the day
    assert text.strip() == "info  sync_run  outcome=drained calls={a=1}  [r1]"


def test_lines_are_chosen_by_level_event_and_request() -> None:
    for arguments, events in (
        (("--level", "warn"), ["alert"]),
        (("--event", "sync_run"), ["sync_run"]),
        (("--event", "sync_run", "--event", "alert"), ["sync_run", "alert"]),
        (("--request", "r2"), ["alert"]),
        (("--limit", 1), ["sync_run"]),
    ):
        output = run(LINES, "--json", *arguments)
        assert [json.loads(line)["event"] for line in output.out.splitlines()] == events


def test_what_the_tail_says_of_an_invocation_is_taken_apart() -> None:
    thrown = "name=RangeError message=Maximum call stack"
    for text in (json.dumps(TAIL, indent=4), json.dumps(TAIL)):
        output = run(f"{text}\n{text}\n")
        lines = output.out.splitlines()
        assert (
            lines[:4]
            == lines[4:]
            == [
                "12:00:01 info  sync_run  outcome=drained calls={a=1}  [r1]",
                "12:00:02 error printed  text=something else",
                f"12:00:00 error exception  method=POST path=/e {thrown}",
                "12:00:00 error ended  method=POST path=/e outcome=exceededCpu",
            ]
        )
        assert "jane@example.com" not in output.out
        assert "203.0.113.7" not in output.out


def test_a_script_gets_the_line_as_it_was_written() -> None:
    [line] = run(LINES, "--json", "--event", "sync_run").out.splitlines()
    assert json.loads(line) == RUN


def test_the_lines_of_a_real_worker_are_read(service: Service) -> None:
    service.worker.act("clear_logs")
    assert service.worker.send(some_event(pixel_id="nobody-knows-it")).status_code == 400
    messages = [entry["message"] for entry in service.worker.act("logs")]
    [line] = [line for line in read_lines(messages) if line.event == "event_refused"]
    assert line.level == "info"
    assert line.fields["reason"] == "Invalid pixel_id"


def test_a_log_without_a_wanted_line_is_told_by_the_exit_code() -> None:
    output = run(LINES, "--event", "nothing")
    assert (output.code, output.out) == (1, "")


def test_here_it_is_said_where_the_log_is() -> None:
    assert "`make dev | ./ppp logs --stdin`" in fails(here("logs", "--local"), 2)
    assert "--env production, or --stdin" in fails(here("logs"), 2)


def test_who_is_not_logged_in_is_told_how_to(home: Path) -> None:
    output = ppp("logs", "--env", "production", home=home)
    assert "npx wrangler login" in fails(output, 3)


@pytest.mark.parametrize("text", ["", "{\n}\n", "{}\n[]\n1\n", "{\nbroken\n}\n", '{"level": 1}'])
def test_what_is_no_line_of_ours_is_left_out(text: str) -> None:
    assert list(read_lines(text.splitlines())) == []
