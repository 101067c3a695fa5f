"""`ppp privacy`, on a real Worker."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from services.privacy.request_table import digest_of
from tests.harness.worker import some_event, some_visitor
from tests.ops.asking import ADMIN_KEY, READ_KEY, Service
from tests.ops.running import fails
from tests.worker.archive.test_received import DAY, send
from tests.worker.archive.test_received_persons import batch_of, form

NOBODY = "nobody@example.com\n"
YES = {"erase": ("--yes",)}


def some_person(service: Service) -> tuple[str, int]:
    """The address of somebody who sent a form, and its event."""
    email = f"jane.{some_visitor()}@example.com"
    event = some_event(event_type="form_submit", form_data={"email": email})
    event_id: int = service.worker.send(event).json()["event_id"]
    return email, event_id


def test_what_is_stored_is_counted_without_showing_the_address(service: Service) -> None:
    email, _ = some_person(service)
    output = service.ppp("privacy", "find", answer=f"{email}\n")
    assert output.code == 0
    lines = [line.split() for line in output.out.splitlines()]
    assert ["events", "1"] in lines
    assert ["visitors", "1"] in lines
    assert "projects: ppp-demo-project\n" in output.out
    assert email not in output.out + output.err


def test_a_script_pipes_it_in_and_reads_json(service: Service) -> None:
    email, event_id = some_person(service)
    output = service.ppp("privacy", "find", "--json", answer=email)
    assert output.code == 0
    assert output.json["tracking_events"] == {"count": 1, "ids": [event_id]}


def test_nothing_stored_is_said_and_told_to_the_shell(service: Service) -> None:
    for command in ("find", "erase", "export"):
        output = service.ppp("privacy", command, answer=NOBODY)
        assert output.code == 1
        assert "nothing is stored about this person" in output.err
        answer = service.ppp("privacy", command, "--json", *YES.get(command, ()), answer=NOBODY)
        assert (answer.code, bool(answer.json)) == (1, True)
    assert not Path("privacy-export.json").exists()


def test_an_export_is_a_file_for_one_person_only(service: Service, tmp_path: Path) -> None:
    email, event_id = some_person(service)
    file = tmp_path / "export.json"
    export_command = ("privacy", "export", "--output", file)
    output = service.ppp(*export_command, answer=email)
    assert (output.code, output.out) == (0, f"{file}: 5 rows\n")
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["tracking_events"] == [service.worker.event(event_id)]
    assert len(content["visitors"]) == len(content["sessions"]) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "add --force" in fails(service.ppp(*export_command, answer=email), 2)
    second = service.ppp(*export_command, "--force", "--json", answer=email)
    assert second.json["tracking_events"] == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["export.json"]


def test_erasing_shows_what_goes_asks_and_gives_a_receipt(service: Service) -> None:
    email, event_id = some_person(service)
    declined = service.ppp("privacy", "erase", answer=f"{email}\nn\n")
    assert declined.code == 1
    assert "nothing was changed" in declined.out
    preview = service.ppp("privacy", "erase", "--dry-run", answer=email)
    assert preview.code == 0
    lines = [line.split() for line in preview.out.splitlines()]
    assert ["would", "be", "erased", "rows"] in lines
    assert ["events", "1"] in lines
    assert preview.err.endswith("nothing was erased\n")
    assert service.worker.event(event_id)

    erased = service.ppp("privacy", "erase", answer=f"{email}\ny\n")
    assert erased.code == 0
    assert "It cannot be undone." in erased.out
    rows = "SELECT id FROM tracking_events WHERE id = ?"
    assert service.worker.query(rows, event_id) == []
    receipt = erased.out.split("receipt ")[1].split(" of ")[0]
    listed = service.json("privacy", "receipts")
    [listed_receipt] = [entry for entry in listed if entry["id"] == receipt]
    assert listed_receipt["counts"]["tracking_events"] == 1
    assert receipt in service.ppp("privacy", "receipts").out


def test_what_others_sent_is_shown_exported_and_erased(service: Service, tmp_path: Path) -> None:
    email = f"jane.{some_visitor()}@example.com"
    sent = batch_of(form(1, "theirs-0009", email))
    assert send(service.worker, sent, ADMIN_KEY).status == 200
    preview = service.ppp("privacy", "find", answer=email)
    assert ["events", "that", "others", "sent", "here", "1"] in map(
        str.split, preview.out.split("\n")
    )
    assert f"days that others sent here: theirs-0009/{DAY}\n" in preview.out
    file = tmp_path / "export.json"
    service.ppp("privacy", "export", "--output", file, answer=email)
    [row] = json.loads(file.read_text(encoding="utf-8"))["received_events"]
    assert row["form_data"] == json.dumps({"email": email})
    erased = service.ppp("privacy", "erase", "--yes", "--json", answer=email)
    assert erased.json["counts"]["received_events"] == 1


def test_a_script_erases_by_cookie(service: Service) -> None:
    cookie = some_visitor()
    service.worker.send(some_event(visitor_cookie=cookie))
    erase = ("privacy", "erase", "--cookie", cookie)
    assert "add --yes or --dry-run" in fails(service.ppp(*erase, "--json"), 2)
    dry = service.ppp(*erase, "--json", "--dry-run")
    assert dry.json["would_erase"]["visitors"]["count"] == 1
    receipt = service.ppp(*erase, "--json", "--yes").json
    assert receipt["counts"]["visitors"] == 1
    assert receipt["sha256"] == digest_of(receipt)


@pytest.mark.parametrize(
    ("arguments", "answer", "code", "remedy"),
    [
        (("find",), "", 2, "pipe it in, or name a --cookie"),
        (("find",), "jane\n", 2, "email: must be an e-mail address"),
        (("find", "--cookie", "jane"), "", 2, "visitor_cookie: must be 16 hex digits"),
    ],
)
def test_what_is_missing_or_wrong_is_said(
    service: Service, arguments: tuple[str, ...], answer: str, code: int, remedy: str
) -> None:
    assert remedy in fails(service.ppp("privacy", *arguments, answer=answer), code)


def test_it_takes_a_key_with_the_role_admin(service: Service) -> None:
    output = service.ppp("privacy", "receipts", key=READ_KEY)
    assert "role admin (403)" in fails(output, 3)
