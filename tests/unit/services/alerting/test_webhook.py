import asyncio
import json
from dataclasses import replace

import pytest

from services.alerting.webhook import TIMEOUT_SECONDS, AlertMessage, AlertWebhook
from services.core.logs import Log
from services.core.ports import HttpAnswer, NetworkError
from tests.unit.memory import MemoryHttp, Reply, Time, scripted

URL = "https://hooks.example/secret"
LOG = Log("info", "request-1")
MESSAGE = AlertMessage("breaker_open", "P2", "new", "2026-05-01 12:00:00", "Pipedrive is down")


def send(http: MemoryHttp, url: str | None) -> None:
    asyncio.run(AlertWebhook(http, url).send(LOG, MESSAGE))


def http_with(*replies: Reply) -> MemoryHttp:
    return MemoryHttp(Time(), scripted(replies))


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_an_alert_is_a_line_in_the_log_and_a_message_to_the_webhook(
    capsys: pytest.CaptureFixture[str],
) -> None:
    http = http_with(HttpAnswer(200, "ok", {}))
    send(http, URL)
    [sent] = http.sent
    assert (sent.method, sent.url, sent.seconds) == ("POST", URL, TIMEOUT_SECONDS)
    assert json.loads(sent.body or "") == {
        "text": "PPP Pixel: Pipedrive is down",
        "problem": "breaker_open",
        "severity": "P2",
        "state": "new",
        "since": "2026-05-01 12:00:00",
    }
    [line] = lines(capsys)
    assert (line["level"], line["event"]) == ("error", "alert")
    assert (line["problem"], line["text"]) == ("breaker_open", "Pipedrive is down")


def test_without_a_webhook_the_line_is_the_alert(capsys: pytest.CaptureFixture[str]) -> None:
    http = http_with()
    send(http, None)
    assert http.sent == []
    assert [line["event"] for line in lines(capsys)] == ["alert"]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (NetworkError("the connection failed"), "the connection failed"),
        (HttpAnswer(302, "", {}), "answered 302"),
        (HttpAnswer(404, "", {}), "answered 404"),
        (HttpAnswer(500, "", {}), "answered 500"),
    ],
)
def test_an_alert_that_does_not_arrive_is_logged_without_the_address(
    capsys: pytest.CaptureFixture[str], reply: Reply, reason: str
) -> None:
    send(http_with(reply), URL)
    _, line = lines(capsys)
    assert (line["event"], line["reason"]) == ("alert_not_sent", reason)
    assert "secret" not in json.dumps(line)


def test_whom_to_call_is_sent_and_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    http = http_with(HttpAnswer(200, "ok", {}))
    message = replace(MESSAGE, call="Call: first Kim (+49 1)")
    asyncio.run(AlertWebhook(http, URL).send(LOG, message))
    [sent] = http.sent
    content = json.loads(sent.body or "")
    assert content["text"] == "PPP Pixel: Pipedrive is down Call: first Kim (+49 1)"
    assert "call" not in content
    assert "Kim" not in capsys.readouterr().out + repr(message)
