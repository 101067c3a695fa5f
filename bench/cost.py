"""`make costbench`: what a month costs at list prices, from operations that are counted here.

A visitor's first page view, the next one and a lead with its outcome are sent to this product and
to the usual way of such Workers (bench/usual); D1 says how many rows they took. What KV takes is
known by the code: a lead's answer is looked for and remembered, its timer set and removed.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from pathlib import Path

import httpx

from bench.competitors import USUAL_COUNTED, running
from bench.prices import D1_GIGABYTES, LARGEST_DATABASE_GB, PLAN, PRICES, READ_ON
from bench.tables import COST_BEGIN, COST_END, write_between
from local_config import prepare_local_config
from tests.harness.worker import Worker, running_worker, some_event

REPEAT, FIRST, LEAD = "page view", "first page view of a visitor", "lead"
# How many of a thousand events.
MIX = {REPEAT: 880, FIRST: 100, LEAD: 20}
MILLIONS = (1, 10, 100, 1_000)
# Of long texts with visitor, session and indexes: docs/performance.md, 1.26 GB for a million.
BYTES_AN_EVENT = 1_260
LEAD_IN_KV = {"KV reads": 2.0, "KV writes": 4.0}
# CPU of workerd an event of the mixed load, in docs/performance.md; Cloudflare's cores are others.
CPU = {"this product": 4.95, "the usual way": 8.33}
Operations = dict[str, float]
Event = Mapping[str, object]


def count_kinds(
    send: Callable[[Event], Operations], outcomes: Sequence[str]
) -> dict[str, Operations]:
    """Operations by kind of event, of a visitor who comes, stays and leaves a lead.

    The lead is sent once for each of its outcomes.
    """
    visitor = secrets.token_hex(8)

    def event(number: int, **fields: object) -> Event:
        return some_event(visitor_cookie=visitor, event_key=f"{visitor}{number}", **fields)

    form = {"email": f"{visitor}@shop.example", "name": "Ada Lovelace"}
    lead = {"event_type": "form_submit", "form_data": form}
    counted = {FIRST: send(event(1)), REPEAT: send(event(2))}
    sent = (send(event(3, outcome=outcome, **lead)) for outcome in outcomes)
    return counted | {LEAD: reduce(add, sent)}


def add(counted: Operations, added: Operations) -> Operations:
    """The sums of two counts, name by name."""
    return {name: counted.get(name, 0) + added.get(name, 0) for name in {**counted, **added}}


def operations_of_month(
    kinds: Mapping[str, Operations], cpu: float, in_kv: Operations
) -> Operations:
    """Operations of one event in the mean, of all that is paid for (see bench.prices)."""
    kinds = {**kinds, LEAD: add(kinds[LEAD], in_kv)}
    shares = (
        {name: count * share / 1000 for name, count in kinds[kind].items()}
        for kind, share in MIX.items()
    )
    month = reduce(add, shares)
    return month | {"log lines": month["requests"], "CPU milliseconds": cpu}


def bill(month: Operations, millions: float) -> dict[str, float]:
    """Dollars by what is paid for, for so many million events in a month that stay for a month."""
    gigabytes = min(millions * BYTES_AN_EVENT / 1000, LARGEST_DATABASE_GB)
    lines = {name: price.bill(month.get(name, 0) * millions) for name, price in PRICES.items()}
    return {"the plan": PLAN, **lines, "D1 storage": D1_GIGABYTES.bill(gigabytes)}


def format_counts(counted: Mapping[str, Mapping[str, Operations]]) -> str:
    """A Markdown table: a row for a kind of event, three columns for a product."""
    head = [f"{name}: {count}" for name in counted for count in ("round trips", "read", "written")]
    lines = [f"| | {' | '.join(head)} |", f"| --- {'| --- ' * len(head)}|"]
    for kind in MIX:
        cells = [
            f"{kinds[kind][count]:.0f}"
            for kinds in counted.values()
            for count in ("round trips", "D1 rows read", "D1 rows written")
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return "\n".join(lines)


def format_bills(months: Mapping[str, Operations]) -> str:
    """A Markdown table: a row for what is paid for, a column for each traffic and product."""
    columns = [(name, millions) for millions in MILLIONS for name in months]
    bills = [bill(months[name], millions) for name, millions in columns]
    head = " | ".join(f"{millions:,} million, {name}" for name, millions in columns)
    lines = [f"| dollars a month | {head} |", f"| --- {'| --- ' * len(columns)}|"]
    lines += [
        f"| {line} | {' | '.join(f'{paid[line]:,.2f}' for paid in bills)} |" for line in bills[0]
    ]
    totals = " | ".join(f"**{sum(paid.values()):,.2f}**" for paid in bills)
    return "\n".join([*lines, f"| **in all** | {totals} |"])


def count_product(worker: Worker) -> dict[str, Operations]:
    """What this product's events take, by its log lines `event_cost`."""

    def send(event: Event) -> Operations:
        worker.act("clear_logs")
        worker.send(event).raise_for_status()
        costs = [line for line in worker.log_lines() if line["event"] == "event_cost"]
        return {
            "requests": 1,
            "round trips": sum(cost["round_trips"] for cost in costs),
            "D1 rows read": sum(cost["rows_read"] for cost in costs),
            "D1 rows written": sum(cost["rows_written"] for cost in costs),
        }

    return count_kinds(send, ("submitted", "accepted"))


def count_usual(url: str) -> dict[str, Operations]:
    """What the events of the usual way take, by the headers of its answers."""

    def send(event: Event) -> Operations:
        answer = httpx.post(url, content=json.dumps(event)).raise_for_status()
        return {
            "requests": 1,
            "round trips": float(answer.headers["x-queries"]),
            "D1 rows read": float(answer.headers["x-read"]),
            "D1 rows written": float(answer.headers["x-written"]),
        }

    return count_kinds(send, ("",))


def main() -> int:
    """Counts, prints the tables and writes them into docs/performance.md."""
    prepare_local_config()
    with running_worker(env_vars={"LOG_LEVEL": "debug"}) as worker:
        product = count_product(worker)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder), [USUAL_COUNTED]) as workers,
    ):
        usual = count_usual(workers[USUAL_COUNTED].url)
    counted = {"this product": product, "the usual way": usual}
    in_kv = {"this product": LEAD_IN_KV, "the usual way": {}}
    months = {
        name: operations_of_month(counted[name], cpu, in_kv[name]) for name, cpu in CPU.items()
    }
    text = f"Prices of {READ_ON}.\n\n{format_counts(counted)}\n\n{format_bills(months)}\n"
    print(text)
    write_between(COST_BEGIN, COST_END, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
