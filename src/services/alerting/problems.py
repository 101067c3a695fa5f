"""The problems that are alerted: severity, meaning, and the command that helps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["P1", "P2", "P3", "P4"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem; `name` is also the heading of its section in docs/runbook.md."""

    name: str
    severity: Severity
    means: str
    command: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem that exists now, with its details, such as numbers."""

    problem: Problem
    details: str


DATABASE_FAILING = Problem(
    "database_failing",
    "P1",
    "no event is stored; pixels keep theirs and send them again",
    "ppp status --env production",
)
DATABASE_EMPTY = Problem(
    "database_empty",
    "P1",
    "somebody emptied or re-created the database; deploy nothing, restore it",
    "ppp restore --env production --dry-run",
)
DATABASE_LOST = Problem(
    "database_lost",
    "P1",
    "the database is another one, was set back or lacks what it had; what it does not take waits"
    " in R2 or at the pixels, no backup is made and none is deleted; deploy nothing, restore it",
    "ppp restore --env production --dry-run",
)
WAITING_FULL = Problem(
    "waiting_full",
    "P1",
    "when there is no room left in R2, events of old pixels are lost; new pixels keep theirs for"
    " three and a half days",
    "ppp replay --env production",
)
EVENTS_WAITING = Problem(
    "events_waiting",
    "P2",
    "the database does not take events that wait in R2 for more than an hour; none is lost while"
    " there is room",
    "ppp replay --env production",
)
SCHEMA_UNEXPECTED = Problem(
    "schema_unexpected",
    "P1",
    "code and database do not fit together; events may be refused",
    "npx wrangler d1 migrations list DB --env production --remote",
)
PART_FAILING = Problem(
    "part_failing",
    "P2",
    "tracking goes on; timers, repeats or limits do not work as they should",
    "ppp status --env production",
)
NO_EVENTS = Problem(
    "no_events",
    "P2",
    "sites are down, the script is blocked or gone, or requests do not reach the Worker",
    "ppp security-check --env production",
)
MANY_ERRORS = Problem(
    "many_errors",
    "P2",
    "more than 5 % of requests are answered 5xx; pixels send their events again",
    "ppp logs --env production --level error",
)
SOME_ERRORS = Problem(
    "some_errors",
    "P3",
    "more than 1 % of requests are answered 5xx; pixels send their events again",
    "ppp logs --env production --level error",
)
LEADS_WAITING = Problem(
    "leads_waiting",
    "P2",
    "leads reach Pipedrive late; none is lost",
    "ppp leads --env production",
)
LEADS_HELD = Problem(
    "leads_held",
    "P3",
    "leads that may be forged wait for a person; none is sent by itself, and none is lost",
    "ppp leads --state held --env production",
)
BREAKER_OPEN = Problem(
    "pipedrive_breaker_open",
    "P2",
    "Pipedrive is left alone for a while; leads wait and none is lost",
    "ppp leads --env production",
)
BUDGET_LOW = Problem(
    "pipedrive_budget_low",
    "P3",
    "when the day's tokens are spent, leads wait until the next day; none is lost",
    "ppp status --env production",
)
BACKUP_OLD = Problem(
    "backup_old",
    "P2",
    "what came since the last verified backup is lost if the database is",
    "ppp backup --env production",
)
BACKUP_CHAIN_BROKEN = Problem(
    "backup_chain_broken",
    "P2",
    "no restore could take the next hourly backup; a full one is made in its place, and what came"
    " since the last whole one is lost if the database is before that is verified",
    "ppp backups --env production",
)
BACKUP_FAILED = Problem(
    "backup_failed",
    "P3",
    "the newest backup could not be read back; another one is begun by itself",
    "ppp backups --env production",
)
DATABASE_LARGE = Problem(
    "database_large",
    "P3",
    "D1 refuses to write above its limit; archive earlier",
    "ppp status --env production",
)
JOB_FAILING = Problem(
    "job_failing",
    "P3",
    "nothing is lost; what that job moves or deletes stays too long, and the database grows",
    "ppp logs --env production --level warn",
)
CRON_LATE = Problem(
    "cron_late",
    "P3",
    "leads, backups and these checks were late; the first run after it makes up for it",
    "ppp status --env production",
)

# What follows from a lost database by itself: who is told of the loss is not told of these.
CONSEQUENCES_OF_LOSS = (
    *(DATABASE_FAILING, DATABASE_EMPTY, SCHEMA_UNEXPECTED, NO_EVENTS, MANY_ERRORS, SOME_ERRORS),
    *(BACKUP_OLD, BACKUP_CHAIN_BROKEN, BACKUP_FAILED, JOB_FAILING, EVENTS_WAITING),
)
