"""What must be true after every act: no row and no lead is lost, and the tool says what serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.contents import changed_columns, digest_columns
from rehearsal.old_production import EVENTS_PER_VISITOR
from rehearsal.stage import PERSON, RehearsalError, Stage
from rehearsal.traffic import RETURNING_VISITORS
from stand_in.runtime import StatementError

READ_REHEARSED = "SELECT page_url FROM tracking_events WHERE page_url LIKE 'https://shop.example.com/rehearsal/%'"
COUNT_INHERITED = (
    "SELECT count(*) AS number FROM tracking_events"
    " WHERE page_url = 'https://shop.example.com/?utm_source=google'"
)
COUNT_ROWS = """
SELECT
  (SELECT count(*) FROM projects) AS projects,
  (SELECT count(*) FROM pixels) AS pixels,
  (SELECT count(*) FROM visitors) AS visitors,
  (SELECT count(*) FROM sessions) AS sessions,
  (SELECT count(*) FROM tracking_events) AS events
"""
READ_COOKIES = "SELECT visitor_cookie AS cookie FROM visitors WHERE visitor_cookie LIKE 'pxl_%'"
COUNT_LEADS = (
    "SELECT count(*) AS number FROM tracking_events WHERE event_type = 'form_submit'"
    " AND page_url LIKE 'https://shop.example.com/rehearsal/%'"
)
READ_DOUBLED = (
    "SELECT page_url FROM tracking_events WHERE event_type = 'form_submit'"
    " AND page_url LIKE 'https://shop.example.com/rehearsal/%'"
    " GROUP BY page_url HAVING count(*) > 1"
)
COUNT_SYNCED = f"{COUNT_LEADS} AND pipedrive_sync_status = 'synced'"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was counted after an act."""

    inherited: int
    rehearsed: int
    leads: int
    in_pipedrive: int
    written_again: int
    unchanged_columns: int
    sent: int
    refused: Mapping[str, int]
    old_visitors: int
    new_visitors: int
    rows: Mapping[str, int]
    version: str

    def __str__(self) -> str:
        refused = ", ".join(f"{count:,} {status}" for status, count in sorted(self.refused.items()))
        return (
            f"{self.inherited:,} old and {self.rehearsed:,} new events are stored, of {self.sent:,}"
            f" that were sent and answered 200, {self.leads:,} of them leads, of which"
            f" {self.in_pipedrive:,} were due and are in Pipedrive, {self._repeats()}; no value in"
            f" {self.unchanged_columns} old columns of the old rows is another one; other answers"
            f" since the start, after which an event was sent again: {refused or 'none'};"
            f" {self.old_visitors:,} of the old visitors came again and {self.new_visitors:,} new"
            " ones came, and are there, each once;"
            f" {self.rows['visitors']:,} visitors, {self.rows['sessions']:,} sessions;"
            f" {self.version} serves"
        )

    def _repeats(self) -> str:
        return (
            f"{self.written_again:,} of them written again" if self.written_again else "each once"
        )


def prove(stage: Stage, inherited: int) -> Proof:
    """Count, compare and return what there is.

    Raises:
        RehearsalError: a row is lost, or another version answers than the tool says.
    """
    stage.traffic.settle()
    if stage.traffic.unsent:
        raise RehearsalError(f"{len(stage.traffic.unsent)} events are still refused")
    answered = stage.traffic.addresses()
    stored = {row["page_url"] for row in _rows(stage, READ_REHEARSED)}
    lost = [address for address in answered if address not in stored]
    if lost:
        raise RehearsalError(f"{len(lost)} events were answered 200 and are not stored: {lost[:3]}")
    number = _rows(stage, COUNT_INHERITED)[0]["number"]
    if number != inherited:
        raise RehearsalError(f"{number:,} of {inherited:,} old events are there")
    if doubled := [row["page_url"] for row in _rows(stage, READ_DOUBLED)]:
        raise RehearsalError(f"{len(doubled)} leads are stored twice: {doubled[:3]}")
    leads = _rows(stage, COUNT_LEADS)[0]["number"]
    counts = count_rows(stage)
    fewest = inherited // EVENTS_PER_VISITOR
    if min(counts["visitors"], counts["sessions"]) < fewest:
        raise RehearsalError(f"of {fewest:,} old visitors and sessions there are {counts}")
    cookies = stage.traffic.visitors()
    copies = Counter(row["cookie"] for row in _rows(stage, READ_COOKIES))
    if wrong := [cookie for cookie in cookies if copies[cookie] != 1]:
        raise RehearsalError(f"{len(wrong)} visitors are not there, or not once: {wrong[:3]}")
    synced, rewritten = _require_leads_in_pipedrive(stage)
    file = stage.cloud.cloud.database_path(stage.database_id)
    digests = digest_columns(file, inherited, stage.digests)
    if changed := changed_columns(stage.digests, digests):
        raise RehearsalError(f"old rows say something else in {', '.join(changed)}")
    old = cookies & set(RETURNING_VISITORS)
    return Proof(
        inherited=number,
        rehearsed=len(stored),
        leads=leads,
        in_pipedrive=synced,
        written_again=rewritten,
        unchanged_columns=len(digests),
        sent=len(answered),
        refused=dict(stage.traffic.refused),
        old_visitors=len(old),
        new_visitors=len(cookies - old),
        rows=counts,
        version=_serving_version(stage),
    )


def _require_leads_in_pipedrive(stage: Stage) -> tuple[int, int]:
    """Return how many leads are marked as sent, and how many of them were written again.

    Raises:
        RehearsalError: one is marked that Pipedrive does not have.
    """
    marked = _rows(stage, COUNT_SYNCED)[0]["number"]
    persons = [person for person in stage.pipedrive.account.persons() if person.name == PERSON]
    written = [len(person.writes) for person in persons if person.writes]
    if marked > len(written):
        raise RehearsalError(f"{marked:,} leads count as sent, Pipedrive has {len(written):,}")
    return len(written), sum(times > 1 for times in written)


def count_rows(stage: Stage) -> Mapping[str, int]:
    """Return how many rows each of the old tables has."""
    return _rows(stage, COUNT_ROWS)[0]


def _serving_version(stage: Stage) -> str:
    """Return the version that answers, if it is the one that wrangler names."""
    command = ("deployments", "status", "--json", "--env", "production")
    status = stage.wrangler(*command).expect(0).json
    shares = {entry["version_id"]: entry["percentage"] for entry in status["versions"]}
    health = stage.traffic.http.get("/health").json()
    serving = health.get("worker_version")
    if len(shares) != 1 or (serving and serving not in shares):
        raise RehearsalError(f"wrangler says {shares}, and {serving} answers")
    return str(serving or "the old Worker")


def _rows(stage: Stage, sql: str) -> list[dict[str, Any]]:
    runtime = stage.cloud.cloud.runtime
    try:
        [answer] = runtime.query(stage.database_id, [(sql, [])], raw=False)
    except StatementError as error:
        raise RehearsalError(f"the database does not answer: {error}") from None
    rows: list[dict[str, Any]] = answer["results"]
    return rows
