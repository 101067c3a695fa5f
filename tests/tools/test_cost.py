"""What a month costs, of counts that are given; the counting itself is the bench's."""

from __future__ import annotations

import pytest

from bench.cost import FIRST, LEAD, REPEAT, bill, count_kinds, format_bills, operations_of_month

ROWS = {"requests": 1.0, "D1 rows read": 10.0, "D1 rows written": 5.0}
KINDS = {REPEAT: ROWS, FIRST: ROWS, LEAD: {**ROWS, "requests": 2.0}}


def test_an_event_in_the_mean_has_the_requests_of_outcomes_and_what_a_lead_takes_of_kv() -> None:
    month = operations_of_month(KINDS, 2.0, {"KV writes": 4.0})
    assert month == {
        "requests": pytest.approx(1.02),
        "log lines": pytest.approx(1.02),
        "CPU milliseconds": 2.0,
        "D1 rows read": pytest.approx(10),
        "D1 rows written": pytest.approx(5),
        "KV writes": pytest.approx(0.08),
    }


def test_what_is_in_the_plan_costs_nothing_and_the_rest_its_price() -> None:
    month = {"requests": 1.0, "D1 rows written": 5.0}
    assert sum(bill(month, 1).values()) == 5
    paid = bill(month, 100)
    assert paid["requests"] == pytest.approx(90 * 0.30)
    assert paid["D1 rows written"] == pytest.approx(450)


def test_no_database_holds_more_than_ten_gigabytes() -> None:
    assert bill({}, 1_000)["D1 storage"] == pytest.approx(5 * 0.75)


def test_a_lead_counts_all_that_is_sent_for_it() -> None:
    counted = count_kinds(lambda _: {"requests": 1.0}, ("submitted", "accepted"))
    assert counted == {FIRST: {"requests": 1}, REPEAT: {"requests": 1}, LEAD: {"requests": 2}}


def test_the_bills_end_with_their_sums() -> None:
    table = format_bills({"one": {"requests": 1.0}})
    assert table.splitlines()[-1] == "| **in all** | **5.00** | **8.75** | **35.75** | **305.75** |"
