import json
from datetime import UTC, datetime

from services.privacy.request_table import (
    RECEIPT_COUNTERS,
    PrivacyRequest,
    SearchProgress,
    digest_of,
    read_progress,
    receipt_of,
)

AT = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_receipt_counts_every_table_and_its_digest_covers_all_of_it() -> None:
    request = PrivacyRequest("r", "erase", "email", SearchProgress(shared={"v"}, damaged={"k"}))
    receipt = receipt_of(request, {"sessions": 2}, AT)
    assert receipt["counts"] == dict.fromkeys(RECEIPT_COUNTERS, 0) | {"sessions": 2}
    assert (receipt["at"], receipt["shared_visitors"]) == ("2026-05-01T12:00:00Z", 1)
    assert receipt["sha256"] == digest_of(receipt)
    for name in set(receipt) - {"sha256"}:
        assert digest_of({**receipt, name: "changed"}) != receipt["sha256"]


def test_progress_is_read_as_it_was_stored() -> None:
    progress = SearchProgress(
        "archive", "key", visitors={"b", "a"}, events={2}, archived={"p/d": {"": 1}}
    )
    assert read_progress(json.dumps(progress.as_json())) == progress


def test_of_a_shared_visitor_only_events_with_the_address_count() -> None:
    progress = SearchProgress(
        visitors={"own", "both"},
        shared={"both"},
        archived={"p/2": {"own": 2, "both": 5}, "p/1": {"": 1, "both": 1}, "p/3": {"both": 9}},
        archived_forms={"": [1], "own": [2], "both": [3]},
        received={"p/2": {"own": 1, "both": 5}},
    )
    assert progress.archived_days() == {"p/1": 1, "p/2": 2}
    assert progress.received_days() == {"p/2": 1}
    assert progress.archived_form_ids() == [1, 2]
