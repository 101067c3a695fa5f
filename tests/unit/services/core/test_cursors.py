"""Cursors as clients get and send them."""

import pytest

from services.core.cursors import (
    NEWEST_RECEIPT,
    EventPosition,
    ReceiptPosition,
    event_position,
    parse_event_position,
    parse_receipt_position,
)

RECEIPT = ReceiptPosition("2026-05-01 12:00:00", "0123456789abcdef" * 2)


def test_the_cursor_of_an_export_is_read_as_it_is_written() -> None:
    cursor = EventPosition("2026-05-01 12:00:00", 99)
    assert str(cursor) == "2026-05-01 12:00:00,99"
    assert parse_event_position(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "99", "2026-05-01 12:00:00", "2026-05-01 12:00:00,", "x,99", "2026-05-01,-9"]
)
def test_anything_else_is_no_cursor_of_an_export(text: str) -> None:
    assert parse_event_position(text) is None


def test_events_are_in_the_order_of_their_times_and_ids() -> None:
    rows = [
        {"timestamp": "2026-05-01 12:00:01", "id": 2},
        {"timestamp": "2026-05-01 12:00:00", "id": 10},
        {"timestamp": "2026-05-01 12:00:00", "id": 9},
    ]
    assert [position.event_id for position in sorted(map(event_position, rows))] == [9, 10, 2]


def test_the_cursor_of_the_receipts_is_read_as_it_is_written() -> None:
    assert str(RECEIPT) == f"2026-05-01 12:00:00,{RECEIPT.receipt_id}"
    assert parse_receipt_position(str(RECEIPT)) == RECEIPT


@pytest.mark.parametrize(
    "text",
    ["", str(NEWEST_RECEIPT), "2026-05-01 12:00:00,99", f"2026-05-01,{RECEIPT.receipt_id}"],
)
def test_anything_else_is_no_cursor_of_the_receipts(text: str) -> None:
    assert parse_receipt_position(text) is None
