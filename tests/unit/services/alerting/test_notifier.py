"""A problem is notified once, again after an hour, and when it is over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.alerting.alert_states import NEVER_TOLD, AlertMemory, AlertState
from services.alerting.notifier import Notifier
from services.alerting.on_call import Responders
from services.alerting.problems import BACKUP_OLD, LEADS_WAITING, Finding
from services.alerting.webhook import AlertWebhook
from services.core.logs import Log
from services.core.ports import HttpAnswer, NetworkError
from tests.unit.memory import MemoryHttp, MemoryKeyValues, Reply, Time, scripted

LEADS = Finding(LEADS_WAITING, "2 wait")
BACKUP = Finding(BACKUP_OLD, "there is none")
OK = HttpAnswer(200, "ok", {})


class Story:
    """Runs of the job, five minutes apart."""

    def __init__(self, *replies: Reply) -> None:
        self.time, self.key_values = Time(), MemoryKeyValues()
        self.on_call: dict[str, Responders] = {}
        self.http = MemoryHttp(self.time, scripted(replies or [OK] * 20))

    def run(self, *findings: Finding) -> Sequence[dict[str, str]]:
        """The messages of one run."""
        before = len(self.http.sent)
        webhook = AlertWebhook(self.http, "https://hooks.example/x")
        log = Log("info", "request-1")
        notifier = Notifier(
            *(webhook, AlertMemory(self.key_values), self.time.clock, log),
            *("https://w.example/runbook", self.on_call),
        )

        async def check() -> None:
            for finding in findings:
                await notifier.notify(finding)
            await notifier.resolve((LEADS_WAITING, BACKUP_OLD))

        asyncio.run(check())
        self.time.now += timedelta(minutes=5)
        return [json.loads(sent.body or "") for sent in self.http.sent[before:]]


def states(sent: Sequence[dict[str, str]]) -> list[tuple[str, str]]:
    return [(message["problem"], message["state"]) for message in sent]


def test_a_problem_is_notified_once_then_every_hour_then_when_it_is_over() -> None:
    story = Story()
    [new] = story.run(LEADS)
    assert new == {
        "problem": "leads_waiting",
        "severity": "P2",
        "state": "new",
        "since": "2026-05-01 12:00:00",
        "text": "PPP Pixel: [P2] new: leads_waiting since 2026-05-01 12:00:00 UTC: 2 wait."
        " It means: leads reach Pipedrive late; none is lost."
        " Do: ppp leads --env production https://w.example/runbook#leads_waiting",
    }
    messages = [states(story.run(LEADS)) for _ in range(24)]
    assert [index for index, sent in enumerate(messages, start=1) if sent] == [12, 24]
    assert messages[11] == [("leads_waiting", "still there")]
    [resolved] = story.run()
    assert (resolved["state"], resolved["since"]) == ("over", "2026-05-01 12:00:00")
    assert resolved["text"] == (
        "PPP Pixel: [P2] over: leads_waiting, which began 2026-05-01 12:00:00 UTC."
        " https://w.example/runbook#leads_waiting"
    )
    assert story.run() == []
    assert states(story.run(LEADS)) == [("leads_waiting", "new")]


def test_each_problem_has_a_state_of_its_own() -> None:
    story = Story()
    assert states(story.run(LEADS)) == [("leads_waiting", "new")]
    assert states(story.run(LEADS, BACKUP)) == [("backup_old", "new")]
    assert states(story.run(BACKUP)) == [("leads_waiting", "over")]


def test_one_problem_is_one_message_a_run() -> None:
    assert len(Story().run(LEADS, Finding(LEADS_WAITING, "3 wait"))) == 1


def test_a_message_that_did_not_arrive_is_sent_by_the_next_run() -> None:
    story = Story(NetworkError("the connection failed"), OK, HttpAnswer(500, "", {}), OK)
    assert states(story.run(LEADS)) == states(story.run(LEADS)) == [("leads_waiting", "new")]
    assert story.run(LEADS) == []
    assert states(story.run()) == states(story.run()) == [("leads_waiting", "over")]
    assert story.run() == []


def test_a_problem_whose_message_did_not_arrive_is_open_since_it_was_seen_first() -> None:
    story = Story(NetworkError("the connection failed"), NetworkError("once more"), OK)
    story.run(LEADS)
    state = json.loads(story.key_values.values["alerts"])["leads_waiting"]
    assert (state["since"], state["told_at"]) == ("2026-05-01 12:00:00", NEVER_TOLD)
    story.run(LEADS)
    [arrived] = story.run(LEADS)
    assert (arrived["state"], arrived["since"]) == ("new", "2026-05-01 12:00:00")
    assert story.run(LEADS) == []


def test_while_kv_fails_messages_are_repeated() -> None:
    story = Story()
    story.key_values.operations = 0
    assert states(story.run(LEADS)) == states(story.run(LEADS)) == [("leads_waiting", "new")]


def test_a_problem_that_was_not_checked_is_not_over() -> None:
    story = Story()
    story.run(LEADS)
    notifier = Notifier(
        AlertWebhook(story.http, None),
        AlertMemory(story.key_values),
        story.time.clock,
        Log("info", "r"),
        "",
    )
    asyncio.run(notifier.resolve((BACKUP_OLD,)))
    assert story.run(LEADS) == []


def test_the_reminders_of_an_acknowledged_problem_wait_and_its_end_is_sent() -> None:
    story = Story()
    story.run(LEADS)
    memory = AlertMemory(story.key_values)

    async def acknowledge() -> None:
        [state] = (await memory.states() or {}).values()
        await memory.acknowledge("leads_waiting", state, "Kim", story.time.clock(), 2)

    asyncio.run(acknowledge())
    messages = [states(story.run(LEADS)) for _ in range(30)]
    assert [index for index, sent in enumerate(messages, start=1) if sent] == [25]
    assert states(story.run()) == [("leads_waiting", "over")]


def test_an_acknowledgement_is_about_one_occurrence() -> None:
    story = Story()
    story.run(LEADS)
    memory = AlertMemory(story.key_values)
    earlier = AlertState("P2", "2026-04-30 12:00:00", "2026-04-30 12:00:00")
    now = story.time.clock()
    asyncio.run(memory.acknowledge("leads_waiting", earlier, None, now, 72))
    messages = [states(story.run(LEADS)) for _ in range(12)]
    assert messages[-1] == [("leads_waiting", "still there")]


@pytest.mark.parametrize(
    "stored",
    [
        *("", "{", "[]", "3", "null", '{"leads_waiting": 3}', '{"leads_waiting": {}}'),
        '{"leads_waiting": {"severity": "P2", "since": "yesterday", "told_at": "now"}}',
        '{"leads_waiting": {"severity": "P2", "since": null, "told_at": null}}',
    ],
)
def test_what_cannot_be_read_in_kv_silences_nothing(stored: str) -> None:
    story = Story()
    asyncio.run(story.key_values.put("alerts", stored, 60))
    asyncio.run(story.key_values.put("alerts_sent", stored, 60))
    assert states(story.run(LEADS)) == [("leads_waiting", "new")]
    assert story.run(LEADS) == []


def test_fields_of_another_version_are_no_harm() -> None:
    story = Story()
    state = {"severity": "P2", "since": "2026-05-01 11:59:00", "told_at": "2026-05-01 11:59:00"}
    stored = json.dumps({"leads_waiting": {**state, "new": 1}})
    asyncio.run(story.key_values.put("alerts", stored, 60))
    assert story.run(LEADS) == []


@pytest.mark.parametrize(
    ("told_at", "again"),
    [
        ("2027-05-01 12:00:00", True),
        ("2027-05-01T12:00:00+00:00", True),
        ("2026-05-01T11:59:00", False),
        ("2026-05-01 12:01:00", False),
    ],
    ids=["a clock was ahead", "with an offset", "without one", "a minute ahead"],
)
def test_a_time_that_is_ahead_silences_nothing(told_at: str, *, again: bool) -> None:
    story = Story()
    state = {"severity": "P2", "since": "2026-05-01 11:00:00", "told_at": told_at}
    asyncio.run(story.key_values.put("alerts", json.dumps({"leads_waiting": state}), 60))
    assert states(story.run(LEADS)) == ([("leads_waiting", "still there")] if again else [])


def test_the_messages_are_remembered_the_newest_first() -> None:
    story = Story(OK, HttpAnswer(500, "", {}), OK)
    story.run(LEADS)
    story.run(LEADS, BACKUP)
    sent = asyncio.run(AlertMemory(story.key_values).sent())
    assert [(message["problem"], message["arrived"]) for message in sent] == [
        ("backup_old", False),
        ("leads_waiting", True),
    ]


@pytest.mark.parametrize(("url", "log_only"), [(None, True), ("https://hooks.example/x", False)])
def test_it_is_remembered_whether_only_the_log_has_a_message(
    url: str | None, *, log_only: bool
) -> None:
    story = Story()
    memory = AlertMemory(story.key_values)
    webhook = AlertWebhook(story.http, url)
    notifier = Notifier(webhook, memory, story.time.clock, Log("info", "r"), "")

    async def notify() -> None:
        await notifier.notify(LEADS)
        await notifier.resolve((LEADS_WAITING,))

    asyncio.run(notify())
    [sent] = asyncio.run(memory.sent())
    assert (sent["arrived"], sent["log_only"]) == (True, log_only)
    # It is not repeated before an hour has passed.
    assert story.run(LEADS) == []


def test_a_message_names_whom_to_call_unless_it_is_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    story = Story()
    story.on_call = {"P2": Responders("Kim", contact="+49 1"), "P1": Responders("Lee")}
    [new] = story.run(LEADS)
    assert new["text"].endswith("#leads_waiting Call: first Kim (+49 1)")
    [resolved] = story.run()
    assert "Kim" not in resolved["text"]
    assert "Kim" not in capsys.readouterr().out
    assert "Kim" not in json.dumps(story.key_values.values)
