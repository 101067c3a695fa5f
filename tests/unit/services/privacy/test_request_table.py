import json
from datetime import UTC, datetime

import pytest

from services.archive.reading import read_event_line, visitor_ids_in
from services.archive.rewriting import day_of_key
from services.privacy.person_requests import PrivacyCursor, parse_privacy_cursor
from services.privacy.request_table import (
    COUNTED,
    PrivacyRequest,
    Progress,
    digest_of,
    read_progress,
    receipt_of,
)

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_receipt_counts_every_table_and_its_digest_covers_all_of_it() -> None:
    request = PrivacyRequest("r", "erase", "email", Progress(shared={"v"}, damaged={"k"}))
    receipt = receipt_of(request, {"sessions": 2}, AT)
    assert receipt["counts"] == dict.fromkeys(COUNTED, 0) | {"sessions": 2}
    assert (receipt["at"], receipt["shared_visitors"]) == ("2026-05-01T12:00:00Z", 1)
    assert receipt["sha256"] == digest_of(receipt)
    for name in set(receipt) - {"sha256"}:
        assert digest_of({**receipt, name: "changed"}) != receipt["sha256"]


def test_progress_is_read_as_it_was_stored() -> None:
    progress = Progress(
        "archive", "key", visitors={"b", "a"}, events={2}, archived={"p/d": {"": 1}}
    )
    assert read_progress(json.dumps(progress.as_json())) == progress


def test_of_a_shared_visitor_only_what_goes_whoever_visited_counts() -> None:
    progress = Progress(
        visitors={"own", "both"},
        shared={"both"},
        archived={"p/2": {"own": 2, "both": 5}, "p/1": {"": 1, "both": 1}, "p/3": {"both": 9}},
        archived_forms={"": [1], "own": [2], "both": [3]},
        received={"p/2": {"own": 1, "both": 5}},
    )
    assert progress.archived_days() == {"p/1": 1, "p/2": 2}
    assert progress.received_days() == {"p/2": 1}
    assert progress.forms() == [1, 2]


@pytest.mark.parametrize("text", ["", "~sessions~x", "r~nowhere~x", "r~sessions", "~"])
def test_what_is_no_cursor_is_none(text: str) -> None:
    assert parse_privacy_cursor(text) is None


@pytest.mark.parametrize(
    "cursor",
    [
        PrivacyCursor("r"),
        PrivacyCursor("r", "sessions", "a"),
        PrivacyCursor("r", "archived_events", "a/~/b"),
    ],
)
def test_a_cursor_is_read_as_it_was_sent(cursor: PrivacyCursor) -> None:
    assert parse_privacy_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    ("line", "visitors"),
    [
        ('{"id":1,"visitor_id":"v"}', ["v"]),
        ('{"id": 1, "visitor_id": "v", "x": 1}', ["v"]),
        ('{"visitor_id":null,"event_data":"{\\"visitor_id\\":\\"w\\"}"}', []),
        ('{"event_data":{"visitor_id":"w"},"visitor_id":"v"}', ["w", "v"]),
        ("{}", []),
    ],
)
def test_the_visitor_of_a_line_is_read_without_the_rest(line: str, visitors: list[str]) -> None:
    assert visitor_ids_in(line) == visitors


def test_an_event_of_others_is_read_whatever_it_holds() -> None:
    event = read_event_line(
        '{"id":1,"visitor_id":7,"form_data":{"email":"a@b.cd"},"page_url":null}'
    )
    assert (event["id"], event["visitor_id"]) == (1, "7")
    assert event["form_data"] == '{"email": "a@b.cd"}'
    assert event["page_url"] is event["page_title"] is None


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("archive/pixel/2026-05-01/1-2.ndjson.gz", "2026-05-01"),
        ("archive/pixel/2026-05-01/1-2.json", "2026-05-01"),
        ("archive/pixel/notes.json", None),
        ("backups/pixel/2026-05-01/1-2.json", None),
    ],
)
def test_the_day_of_a_key_is_of_the_archive_only(key: str, day: str | None) -> None:
    assert day_of_key(key) == day
