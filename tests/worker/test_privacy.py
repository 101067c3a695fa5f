"""One person found, exported and erased, in real workerd, on a real D1, KV and R2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pyodide_bundle import Bundle
from services.core.ndjson_parts import pack, unpack
from services.privacy.request_table import RECEIPT_COUNTERS, digest_of
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import (
    PIXEL,
    PROJECT,
    Answer,
    Row,
    Worker,
    running_worker,
    some_event,
    some_visitor,
)

# So few that nearly every request of these tests takes more than one portion.
STEPS = 2
NO_COUNTS = dict.fromkeys(RECEIPT_COUNTERS, 0)
OLD_EVENT = """
INSERT INTO tracking_events (project_id, pixel_id, visitor_id, event_type, page_url, form_data)
VALUES (?, ?, ?, ?, ?, ?) RETURNING id
"""


@pytest.fixture(scope="module")
def keyed(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys that does little in one portion, and a lead of somebody else."""
    settings = {"API_KEYS": keys(), "PRIVACY_STEPS": str(STEPS), "LOG_LEVEL": "debug"}
    with running_worker(env_vars=settings) as running:
        running.send(some_lead("somebody.else@example.com"))
        yield running


def some_email() -> str:
    return f"jane.{some_visitor()}@example.com"


def some_lead(email: str, visitor: str | None = None, **fields: object) -> dict[str, object]:
    return some_event(
        visitor_cookie=visitor or some_visitor(),
        event_type="form_submit",
        form_data={"email": email, "first_name": "Jane"},
        **fields,
    )


def ask(worker: Worker, action: str, body: object, key: str = ADMIN_KEY) -> Answer:
    return worker.fetch(
        f"/api/privacy/{action}",
        method="POST",
        headers={"x-api-key": key, "content-type": "application/json"},
        body=json.dumps(body),
    )


def data(answer: Answer) -> Row:
    assert answer.status == 200, answer.body
    row: Row = answer.json()["data"]
    return row


def portions(worker: Worker, action: str, **body: object) -> list[Row]:
    """All answers of a request, each gone on with by its cursor."""
    answers = [data(ask(worker, action, body))]
    while not answers[-1]["done"]:
        assert len(answers) < 100
        answers.append(data(ask(worker, action, {**body, "cursor": answers[-1]["cursor"]})))
    return answers


def search_result(worker: Worker, **subject: object) -> Row:
    row: Row = portions(worker, "find", **subject)[-1]["found"]
    return row


def erased(worker: Worker, **subject: object) -> Row:
    receipt: Row = portions(worker, "erase", confirm=True, **subject)[-1]["receipt"]
    return receipt


def counts_of(summary: Row) -> dict[str, int]:
    return {table: summary[table]["count"] for table in RECEIPT_COUNTERS}


def ids(worker: Worker, sql: str, *values: object) -> list[Any]:
    return [row["id"] for row in worker.query(sql, *values)]


@pytest.mark.parametrize("requested", ["münchen", "xn--mnchen-3ya"])
def test_an_internationalized_domain_is_one_person_in_both_spellings(
    keyed: Worker, requested: str
) -> None:
    name, old_visitor = some_visitor(), some_visitor()
    email = f"{name}@{requested}.example"
    new = keyed.send(some_lead(f"{name}@münchen.example")).json()
    view = keyed.send(some_event(visitor_cookie=old_visitor)).json()
    # As the Worker stored it before it knew that the two are one.
    old = json.dumps({"email": f"{name}@münchen.example"}, ensure_ascii=False)
    [row] = keyed.query(
        OLD_EVENT, PROJECT, PIXEL, view["visitor_id"], "form_submit", "https://a.example/", old
    )
    mentions = f"https://shop.example/?x={name}%40m%C3%BCnchen.example"
    keyed.query(OLD_EVENT, PROJECT, PIXEL, view["visitor_id"], "pageview", mentions, None)

    summary = search_result(keyed, email=email)
    assert {new["event_id"], row["id"], view["event_id"]} < set(summary["tracking_events"]["ids"])
    assert summary["tracking_events"]["count"] == 4
    exported = portions(keyed, "export", email=email)
    rows = [row for page in exported for row in page["rows"] if page["place"] == "tracking_events"]
    assert len(rows) == 4
    assert erased(keyed, email=email)["counts"]["tracking_events"] == 4
    assert search_result(keyed, email=email)["tracking_events"]["count"] == 0


def test_everything_about_a_person_is_found_and_erased_with_a_receipt(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    for page in range(3):
        keyed.send(some_event(visitor_cookie=cookie, page_url=f"https://shop.example/{page}"))
    lead = keyed.send(some_lead(email, cookie)).json()
    visitor_events = ids(
        keyed, "SELECT id FROM tracking_events WHERE visitor_id = ?", lead["visitor_id"]
    )
    other_events = keyed.query("SELECT count(*) AS number FROM tracking_events")[0]["number"] - 4
    keyed.query(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES (?, ?, ?)",
        *("default", 77, lead["event_id"]),
    )

    summary = search_result(keyed, email=f"  {email.upper()} ")
    assert counts_of(summary) == NO_COUNTS | {
        "tracking_events": 4,
        "sessions": 1,
        "visitors": 1,
        "pipedrive_persons": 1,
        "kv_keys": 2,
    }
    assert summary["tracking_events"]["ids"] == visitor_events
    assert summary["sessions"]["ids"] == [lead["session_id"]]
    assert summary["visitors"]["ids"] == [lead["visitor_id"]]
    assert summary["pipedrive_persons"]["ids"] == [{"destination": "default", "person_id": 77}]
    assert summary["projects"] == [PROJECT]

    receipt = erased(keyed, email=email)
    assert receipt["counts"] == counts_of(summary)
    assert receipt["sha256"] == digest_of(receipt)
    assert counts_of(search_result(keyed, email=email)) == NO_COUNTS
    assert (
        keyed.query("SELECT count(*) AS number FROM tracking_events")[0]["number"] == other_events
    )
    noted = json.loads(keyed.stored(f"erasures/{receipt['id']}.json") or b"")
    assert sorted(noted["event_ids"]) == visitor_events
    assert noted["session_ids"] == [lead["session_id"]]
    assert noted["visitor_ids"] == [lead["visitor_id"]]
    index = json.loads(keyed.stored("erasures/index.json") or b"")
    assert index["receipts"][0] == receipt["id"]


# Whose it is


def test_what_others_sent_in_the_same_browser_stays(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    keyed.send(some_event(visitor_cookie=cookie, event_key="a-page-of-both"))
    own_lead = keyed.send(some_lead(email, cookie)).json()
    other = keyed.send(some_lead(some_email(), cookie)).json()
    thanks = keyed.send(
        some_event(visitor_cookie=cookie, page_url="https://shop.example/thanks")
    ).json()
    # As addresses were stored before what is personal was left out.
    keyed.query(
        "UPDATE tracking_events SET page_url = page_url || '?email=' || ? WHERE id = ?",
        email,
        thanks["event_id"],
    )

    summary = search_result(keyed, email=email)
    assert summary["shared_visitors"] == {"count": 1, "ids": [own_lead["visitor_id"]]}
    assert summary["tracking_events"]["ids"] == [own_lead["event_id"], thanks["event_id"]]
    receipt = erased(keyed, email=email)
    assert receipt["shared_visitors"] == 1
    assert receipt["counts"]["tracking_events"] == 2
    assert receipt["counts"]["sessions"] == receipt["counts"]["visitors"] == 0
    remaining = "SELECT id FROM tracking_events WHERE visitor_id = ? ORDER BY id DESC"
    assert ids(keyed, remaining, own_lead["visitor_id"])[0] == other["event_id"]
    assert len(ids(keyed, remaining, own_lead["visitor_id"])) == 2


@pytest.mark.parametrize("before", ["", "pxl_"])
def test_by_their_cookie_a_visitor_goes_whole(keyed: Worker, before: str) -> None:
    cookie = before + some_visitor()
    for email in (some_email(), some_email()):
        keyed.send(some_lead(email, cookie))
    receipt = erased(keyed, visitor_cookie=cookie)
    assert receipt["by"] == "visitor_cookie"
    assert receipt["counts"]["tracking_events"] == 2
    assert receipt["counts"]["visitors"] == 1
    assert portions(keyed, "find", visitor_cookie=cookie)[-1]["nothing_found"] is True


def old_event(worker: Worker, form: str | None, page: str, kind: str = "form_submit") -> int:
    """An event as the old Worker stored it, of a visitor whose row is gone."""
    visitor = f"old-{some_visitor()}"
    row = worker.query(OLD_EVENT, PROJECT, PIXEL, visitor, kind, page, form)[0]
    number: int = row["id"]
    return number


PAGE = "https://shop.example/"


@pytest.mark.parametrize("shape", ["plain", "twice", "other name", "in the address"])
def test_forms_of_the_old_worker_are_found_in_whatever_shape(keyed: Worker, shape: str) -> None:
    email = some_email()
    shapes = {
        "plain": (json.dumps({"Email": email.upper(), "message": "hello"}), PAGE),
        "twice": (json.dumps(json.dumps({"your-email": f" {email} "})), PAGE),
        "other name": (json.dumps({"fields": {"Correo": email}}), PAGE),
        "in the address": (None, f"{PAGE}thanks?your_email={email.replace('@', '%40')}"),
    }
    event_id = old_event(keyed, *shapes[shape])
    assert search_result(keyed, email=email)["tracking_events"]["ids"] == [event_id]
    assert erased(keyed, email=email)["counts"]["tracking_events"] == 1


def test_who_only_mentions_the_address_is_another_person(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    page = keyed.send(some_event(visitor_cookie=cookie)).json()
    form = json.dumps({"email": "bob@example.com", "message": f"Ask {email}."})
    event_id = old_event(keyed, form, PAGE)
    keyed.query(
        "UPDATE tracking_events SET visitor_id = ? WHERE id = ?", page["visitor_id"], event_id
    )
    assert erased(keyed, email=email)["counts"] == NO_COUNTS | {"tracking_events": 1}
    assert keyed.event(page["event_id"])


def test_an_address_within_another_one_is_not_it(keyed: Worker) -> None:
    email = some_email()
    keyed.send(some_lead(f"not.{email}"))
    keyed.send(some_lead(f"{email}.au"))
    assert portions(keyed, "find", email=email)[-1]["nothing_found"] is True


# Portions


def test_a_person_with_thousands_of_events_goes_in_portions(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    lead = keyed.send(some_lead(email, cookie)).json()
    keyed.query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3200) "
        "INSERT INTO tracking_events (project_id, pixel_id, visitor_id, session_id, page_url) "
        "SELECT ?, ?, ?, ?, 'https://shop.example/' || i FROM n",
        *(PROJECT, PIXEL, lead["visitor_id"], lead["session_id"]),
    )
    pages = portions(keyed, "export", email=email)
    rows = [row for page in pages if page["place"] == "tracking_events" for row in page["rows"]]
    assert len(rows) == len({row["id"] for row in rows}) == 3_201
    answers = portions(keyed, "erase", email=email, confirm=True)
    assert len(answers) > 3
    receipt = answers[-1]["receipt"]
    assert receipt["counts"]["tracking_events"] == 3_201
    noted = json.loads(keyed.stored(f"erasures/{receipt['id']}.json") or b"")
    assert len(noted["event_ids"]) == 3_201


def test_a_lead_that_is_being_sent_is_waited_for(keyed: Worker) -> None:
    email = some_email()
    lead = keyed.send(some_lead(email)).json()
    leased = "UPDATE tracking_events SET pipedrive_lease = 'r-1', pipedrive_due_at = datetime("
    keyed.query(f"{leased}'now', '+4 minutes') WHERE id = ?", lead["event_id"])
    body: dict[str, object] = {"email": email, "confirm": True}
    for _ in range(20):
        answer = data(ask(keyed, "erase", body))
        if "waits_until" in answer:
            break
        body["cursor"] = answer["cursor"]
    until = datetime.fromisoformat(answer["waits_until"])
    assert timedelta(minutes=3) < until - datetime.now(UTC) <= timedelta(minutes=4)
    assert keyed.event(lead["event_id"])
    assert keyed.query("SELECT id FROM visitors WHERE id = ?", lead["visitor_id"])

    keyed.query(f"{leased}'now', '-1 second') WHERE id = ?", lead["event_id"])
    rest = portions(keyed, "erase", **{**body, "cursor": answer["cursor"]})
    assert rest[-1]["receipt"]["counts"]["tracking_events"] == 1
    assert rest[-1]["receipt"]["counts"]["visitors"] == 1


def test_who_did_not_hear_the_end_is_told_again(keyed: Worker) -> None:
    email = some_email()
    keyed.send(some_lead(email))
    answers = portions(keyed, "erase", email=email, confirm=True)
    body = {"email": email, "confirm": True, "cursor": answers[-2]["cursor"]}
    assert data(ask(keyed, "erase", body)) == answers[-1]


def test_an_erasure_that_was_left_is_begun_anew(keyed: Worker) -> None:
    email = some_email()
    keyed.send(some_lead(email))
    data(ask(keyed, "erase", {"email": email, "confirm": True}))
    assert erased(keyed, email=email)["counts"]["tracking_events"] == 1
    assert erased(keyed, email=email)["counts"] == NO_COUNTS


# The archive


def archive(worker: Worker, day: str, batch: str, *events: Row) -> str:
    """Writes a part of the archive as the archive job does; returns its key."""
    packed = pack([json.dumps(event, separators=(",", ":")) for event in events])
    name = f"archive/{PIXEL}/{day}/{batch}"
    manifest = {"format": 1, "pixel_id": PIXEL, "day": day, "batch": batch, "count": packed.rows}
    manifest |= {"first_id": events[0]["id"], "last_id": events[-1]["id"]}
    manifest |= {"sha256": packed.sha256, "bytes": len(packed.content)}
    worker.store(f"{name}.ndjson.gz", packed.content)
    worker.store(f"{name}.json", json.dumps(manifest).encode())
    return f"{name}.ndjson.gz"


def archived(worker: Worker, event_id: int) -> Row:
    """Takes an event out of D1, for a part of the archive."""
    row = worker.event(event_id)
    worker.query("DELETE FROM tracking_events WHERE id = ?", event_id)
    return row


def lines_of(worker: Worker, key: str) -> list[int]:
    """The ids in a part of the archive, which is what its manifest says."""
    manifest = json.loads(worker.stored(key.replace(".ndjson.gz", ".json")) or b"")
    content = worker.stored(key)
    assert manifest["bytes"] == len(content or b"")
    lines = unpack(key, content, manifest["count"], manifest["sha256"])
    return [json.loads(line)["id"] for line in lines]


def test_archived_events_go_too_though_only_the_archive_knows_the_person(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    other = archived(keyed, keyed.send(some_event()).json()["event_id"])
    first = keyed.send(some_event(visitor_cookie=cookie, event_key="the-first-page")).json()
    lead = keyed.send(some_lead(email, cookie)).json()
    keyed.query(
        "INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id) VALUES (?, ?, ?)",
        *("default", 78, lead["event_id"]),
    )
    page, form = (archived(keyed, event["event_id"]) for event in (first, lead))
    keyed.query("DELETE FROM sessions WHERE visitor_id = ?", lead["visitor_id"])
    keyed.query("DELETE FROM visitors WHERE id = ?", lead["visitor_id"])
    # The page view lies before the form that tells whose it is.
    mixed = archive(keyed, "2026-01-01", "1-2", other, page)
    alone = archive(keyed, "2026-01-02", "3-3", form)

    summary = search_result(keyed, email=email)
    days = {f"{PIXEL}/2026-01-01": 1, f"{PIXEL}/2026-01-02": 1}
    assert summary["archived_events"] == {"count": 2, "days": days}
    assert summary["projects"] == [PROJECT]
    exported = portions(keyed, "export", email=email)
    rows = [row for page in exported if page["place"] == "archived_events" for row in page["rows"]]
    assert rows == [page, form]

    receipt = erased(keyed, email=email)
    assert receipt["counts"] == NO_COUNTS | {"archived_events": 2, "pipedrive_persons": 1}
    assert lines_of(keyed, mixed) == [other["id"]]
    assert keyed.stored_keys("archive/" + PIXEL + "/2026-01-02") == []
    assert alone not in keyed.stored_keys()
    noted = json.loads(keyed.stored(f"erasures/{receipt['id']}.json") or b"")
    assert noted["event_ids"] == [page["id"], form["id"]]
    assert portions(keyed, "find", email=email)[-1]["nothing_found"] is True
    keyed.forget(*keyed.stored_keys("archive/"))


def test_a_damaged_part_is_named_and_left_as_it_is(keyed: Worker) -> None:
    email = some_email()
    row = archived(keyed, keyed.send(some_lead(email)).json()["event_id"])
    key = archive(keyed, "2026-01-03", "1-1", row)
    content = keyed.stored(key) or b""
    keyed.store(key, content[:-4])
    assert search_result(keyed, email=email)["damaged_parts"] == [key]
    assert erased(keyed, email=email)["damaged_parts"] == [key]
    assert keyed.stored(key) == content[:-4]
    keyed.forget(*keyed.stored_keys("archive/"))


def test_a_replacement_that_broke_off_is_finished(keyed: Worker) -> None:
    email = some_email()
    other = archived(keyed, keyed.send(some_event()).json()["event_id"])
    own_lead = archived(keyed, keyed.send(some_lead(email)).json()["event_id"])
    key = archive(keyed, "2026-01-04", "1-2", other, own_lead)
    body: dict[str, object] = {"email": email, "confirm": True}
    answer = data(ask(keyed, "erase", body))
    # As if the process had been killed between the part and its manifest.
    new = pack([json.dumps(other, separators=(",", ":"))])
    keyed.store(key, new.content)
    keyed.query(
        "UPDATE privacy_requests SET progress = json_set(progress, '$.stage', 'archive_parts', "
        "'$.after', NULL, '$.rewriting', json_array(?, ?, '1')), "
        "counts = json_set(counts, '$.archived_events', 1) WHERE id = ?",
        *(key, new.sha256, answer["request"]),
    )
    rest = portions(keyed, "erase", **{**body, "cursor": answer["cursor"]})
    assert rest[-1]["receipt"]["counts"]["archived_events"] == 1
    assert rest[-1]["receipt"]["damaged_parts"] == []
    assert lines_of(keyed, key) == [other["id"]]
    keyed.forget(*keyed.stored_keys("archive/"))


# What else there is


def test_rows_of_the_old_log_go_too(keyed: Worker) -> None:
    email = some_email()
    lead = keyed.send(some_lead(email)).json()
    log = (
        "INSERT INTO system_logs (level, category, action, message, context, visitor_id, event_id) "
        "VALUES ('INFO', 'sync', 'sent', ?, ?, ?, ?) RETURNING id"
    )
    visitor_events = [
        keyed.query(log, "by visitor", None, lead["visitor_id"], None)[0]["id"],
        keyed.query(log, "by event", None, None, str(lead["event_id"]))[0]["id"],
        keyed.query(log, "by address", json.dumps({"to": email.upper()}), None, None)[0]["id"],
    ]
    keyed.query(log, "of others", json.dumps({"to": f"x{email}"}), "somebody", "1")
    assert search_result(keyed, email=email)["system_logs"] == {"count": 3, "ids": visitor_events}
    receipt = erased(keyed, email=email)
    assert receipt["counts"]["system_logs"] == 3
    noted = json.loads(keyed.stored(f"erasures/{receipt['id']}.json") or b"")
    assert noted["log_ids"] == visitor_events
    assert keyed.query("SELECT count(*) AS number FROM system_logs")[0]["number"] == 1


def test_an_export_has_every_column_and_what_kv_remembers(keyed: Worker) -> None:
    email = some_email()
    lead = keyed.send(some_lead(email)).json()
    pages = portions(keyed, "export", email=email)
    exported = {page["place"]: page["rows"] for page in pages if page["rows"]}
    assert exported["tracking_events"] == [keyed.event(lead["event_id"])]
    [visitor] = keyed.query("SELECT * FROM visitors WHERE id = ?", lead["visitor_id"])
    assert exported["visitors"] == [visitor]
    [session] = keyed.query("SELECT * FROM sessions WHERE id = ?", lead["session_id"])
    assert exported["sessions"] == [session]
    assert {row["key"].split(":")[0] for row in exported["kv_keys"]} == {"submission", "sync"}
    assert all(row["value"] for row in exported["kv_keys"])
    [summary] = [page["found"] for page in pages if "found" in page]
    assert summary["tracking_events"]["ids"] == [lead["event_id"]]
    assert keyed.event(lead["event_id"])


def test_an_export_about_nobody_says_so(keyed: Worker) -> None:
    pages = portions(keyed, "export", email=some_email())
    assert [page["nothing_found"] for page in pages if "found" in page] == [True]
    assert not any(page["rows"] for page in pages)


def test_receipts_are_listed_and_say_nothing_of_whom(keyed: Worker) -> None:
    email = some_email()
    keyed.send(some_lead(email))
    receipt = erased(keyed, email=email)
    other = erased(keyed, email=some_email())
    remaining = data(ask(keyed, "erase", {"email": email, "confirm": True}))
    headers = {"x-api-key": ADMIN_KEY}
    answer = keyed.fetch("/api/privacy/receipts?limit=2", headers=headers).json()
    receipts = answer["data"]
    while answer["next_cursor"]:
        cursor = answer["next_cursor"].replace(" ", "%20")
        path = f"/api/privacy/receipts?limit=2&cursor={cursor}"
        answer = keyed.fetch(path, headers=headers).json()
        receipts += answer["data"]
    assert len(receipts) == len({entry["id"] for entry in receipts})
    states = {entry["id"]: entry for entry in receipts}
    assert states[receipt["id"]] == {**receipt, "state": "done"}
    assert states[other["id"]]["counts"] == NO_COUNTS
    assert states[remaining["request"]]["state"] == "unfinished"
    single = keyed.fetch(f"/api/privacy/receipts/{receipt['id']}", headers=headers)
    assert single.json()["data"] == {**receipt, "state": "done"}
    stored = keyed.query("SELECT * FROM privacy_requests WHERE id = ?", receipt["id"])
    assert email not in json.dumps(stored)
    assert (stored[0]["subject_check"], stored[0]["progress"]) == (None, None)
    assert keyed.fetch("/api/privacy/receipts/unknown", headers=headers).status == 404


def test_no_log_line_names_the_person(keyed: Worker) -> None:
    email, cookie = some_email(), some_visitor()
    keyed.send(some_lead(email, cookie))
    keyed.act("clear_logs")
    for action, extra_fields in (("find", {}), ("export", {}), ("erase", {"confirm": True})):
        portions(keyed, action, email=email, **extra_fields)
        portions(keyed, action, visitor_cookie=cookie, **extra_fields)
        ask(keyed, action, {"email": email, "cursor": "unknown", **extra_fields})
        ask(keyed, action, {"email": f"{email} {email}"})
    logged = [entry["message"] for entry in keyed.act("logs")]
    assert [line for line in logged if "privacy_request" in line]
    assert not [line for line in logged if email in line or cookie in line]


# What is refused


def problems(answer: Answer) -> list[str]:
    assert answer.status == 400, answer.body
    details: list[str] = answer.json()["details"]
    return details


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], "the body must be a JSON object"),
        ({}, "say whom: either email or visitor_cookie"),
        ({"email": "a@b.cd", "visitor_cookie": "0" * 16}, "say whom: either email or"),
        ({"email": "jane"}, "email: must be an e-mail address"),
        ({"email": 7}, "email: must be an e-mail address"),
        ({"visitor_cookie": "jane"}, "visitor_cookie: must be 16 hex digits"),
        ({"email": "a@b.cd", "all": True}, "all: is unknown; there are email, visitor_cookie"),
        ({"email": "a@b.cd", "cursor": "x~y~z"}, "cursor: must be the cursor of the answer"),
    ],
)
def test_what_cannot_be_understood_is_said(keyed: Worker, body: object, problem: str) -> None:
    [refusal] = problems(ask(keyed, "find", body))
    assert refusal.startswith(problem)


def test_nothing_is_erased_without_a_word(keyed: Worker) -> None:
    email = some_email()
    event_id = keyed.send(some_lead(email)).json()["event_id"]
    [refusal] = problems(ask(keyed, "erase", {"email": email}))
    assert refusal.startswith("confirm: must be true")
    preview = portions(keyed, "erase", email=email, dry_run=True)[-1]
    assert preview["found"]["tracking_events"]["ids"] == [event_id]
    assert keyed.event(event_id)


@pytest.mark.parametrize("switch", ["confirm", "dry_run"])
def test_a_switch_that_is_nearly_true_erases_nothing(keyed: Worker, switch: str) -> None:
    email = some_email()
    event_id = keyed.send(some_lead(email)).json()["event_id"]
    body = {"email": email, "confirm": True} | {switch: "true"}
    assert problems(ask(keyed, "erase", body)) == [f"{switch}: must be true or false"]
    assert keyed.event(event_id)


@pytest.mark.parametrize("cursor", ["2026", "2026,x", ","])
def test_a_cursor_of_receipts_is_that_of_a_page(keyed: Worker, cursor: str) -> None:
    path = f"/api/privacy/receipts?cursor={cursor}"
    refusals = problems(keyed.fetch(path, headers={"x-api-key": ADMIN_KEY}))
    assert refusals == ["cursor: must be the next_cursor of another page"]


def test_a_cursor_is_of_one_person_and_one_action(keyed: Worker) -> None:
    email = some_email()
    keyed.send(some_lead(email))
    cursor = data(ask(keyed, "find", {"email": email}))["cursor"]
    for action, body in (
        ("find", {"email": some_email()}),
        ("export", {"email": email}),
        ("erase", {"email": email, "confirm": True}),
    ):
        answer = ask(keyed, action, {**body, "cursor": cursor})
        assert answer.status == 404
        assert "begin again without a cursor" in answer.json()["error"]


@pytest.mark.parametrize("action", ["find", "export", "erase"])
def test_it_needs_a_key_with_the_role_admin(keyed: Worker, action: str) -> None:
    assert ask(keyed, action, {}, key=READ_KEY).status == 403
    assert ask(keyed, action, {}, key="guessed").status == 401
    receipts = keyed.fetch("/api/privacy/receipts", headers={"x-api-key": READ_KEY})
    assert receipts.status == 403
