"""`ppp alerts`, on a real Worker whose KV remembers alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ops.checks.on_call import EXAMPLE, read_responders
from ops.commands import alerts as ops_alerts
from services.alerting.alert_states import NEVER_TOLD
from tests.ops.asking import READ_KEY, Service
from tests.ops.running import fails, here

NOW = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
STATE = {"severity": "P1", "since": NOW, "told_at": NOW}
SENT = {
    **STATE,
    "problem": "database_failing",
    "state": "new",
    "text": "It fails.",
    "at": NOW,
    "arrived": True,
}


@pytest.fixture
def alarmed(service: Service) -> Iterator[Service]:
    """A Worker with one open alert."""
    values = {"alerts": json.dumps({"database_failing": STATE}), "alerts_sent": json.dumps([SENT])}
    service.worker.act("kv_put", entries=list(values.items()))
    yield service
    service.worker.act("kv_clear")


def test_open_alerts_are_listed_with_whom_to_call_and_what_was_sent(alarmed: Service) -> None:
    output = alarmed.ppp("alerts", key=READ_KEY)
    assert output.code == 1
    assert f"! P1 database_failing since {NOW} UTC" in output.out
    assert "call: first " in output.out
    assert "nobody acknowledged it" in output.out
    assert "sent, the newest first" in output.out


def test_an_open_alert_of_which_no_message_arrived_is_listed_with_that(alarmed: Service) -> None:
    state = json.dumps({"database_lost": STATE | {"told_at": NEVER_TOLD}})
    alarmed.worker.act("kv_put", entries=[("alerts", state)])
    output = alarmed.ppp("alerts", key=READ_KEY)
    assert output.code == 1
    assert f"! P1 database_lost since {NOW} UTC" in output.out
    assert "no message about it arrived yet" in output.out


@pytest.mark.parametrize(
    ("fields", "arrival"),
    [
        ({"arrived": True}, "yes"),
        ({"arrived": True, "log_only": False}, "yes"),
        ({"arrived": False, "log_only": False}, "no"),
        ({"arrived": True, "log_only": True}, "log only"),
    ],
    ids=["of an older version", "sent", "not sent", "without a webhook"],
)
def test_a_message_that_only_the_log_has_did_not_arrive(
    alarmed: Service, fields: dict[str, bool], arrival: str
) -> None:
    message = {name: value for name, value in SENT.items() if name != "arrived"} | fields
    alarmed.worker.act("kv_put", entries=[("alerts_sent", json.dumps([message]))])
    output = alarmed.ppp("alerts")
    assert output.out.splitlines()[-1].endswith(f"  database_failing  {arrival}")
    assert ("ALERT_WEBHOOK_URL" in output.err) == (arrival == "log only")


def test_where_nobody_is_named_the_example_is_named_with_its_folder(
    alarmed: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ops_alerts, "CONTACTS", tmp_path / "oncall.toml")
    output = alarmed.ppp("alerts")
    assert "copy config/oncall.example.toml to config/oncall.toml" in output.err


def test_a_typo_in_the_table_of_contacts_hides_no_alert(
    alarmed: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    contacts = tmp_path / "oncall.toml"
    contacts.write_text('[P1]\nfirst = "Kim\n', encoding="utf-8")
    monkeypatch.setattr(ops_alerts, "read_responders", lambda: read_responders(contacts))
    output = alarmed.ppp("alerts")
    assert "database_failing" in output.out
    assert "nobody is named" in output.out
    assert "whom to call is not known: " in output.err
    assert "oncall.toml cannot be read" in output.err


def test_an_alert_is_acknowledged_with_an_admins_key(alarmed: Service) -> None:
    refused = alarmed.ppp("alerts", "ack", "database_failing", key=READ_KEY)
    assert "403" in fails(refused, 3)
    output = alarmed.ppp("alerts", "ack", "database_failing", "--by", "Kim", "--hours", 2, "--json")
    assert output.code == 0, output
    assert (output.json["since"], output.json["by"]) == (NOW, "Kim")
    listed = alarmed.ppp("alerts")
    assert listed.code == 0
    assert "by Kim" in listed.out


def test_an_alert_that_is_not_open_cannot_be_acknowledged(alarmed: Service) -> None:
    output = alarmed.ppp("alerts", "ack", "no_such_alert")
    assert "No such alert is open (404)" in fails(output, 1)


def test_the_secret_of_who_is_on_call_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops_alerts, "CONTACTS", EXAMPLE)
    output = here("alerts", "oncall")
    assert output.code == 0
    [line] = output.out.splitlines()
    assert json.loads(line)["P1"]["first"] == "the person on call"
    assert output.err.endswith("| npx wrangler secret put ON_CALL --env production\n")
    assert here("alerts", "oncall", "--json").json == json.loads(line)


def test_without_names_there_is_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ops_alerts, "CONTACTS", tmp_path / "none.toml")
    assert "nobody is named yet" in fails(here("alerts", "oncall"), 2)
