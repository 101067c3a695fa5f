"""Everything outside of an isolate, in memory: D1 as SQLite, KV, R2, Pipedrive, alerts and time.

Every call to it may fail once, in each of the ways in which calls fail (`Fault`). Time moves only
when somebody sleeps or a test says so.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from random import Random
from typing import TypeVar

from paths import ROOT
from services.access.rate_limiting import ShardCounters
from simulator.account import Account
from simulator.api import Api
from simulator.fields import DEMO_FIELDS
from simulator.limits import Limits

Answer = TypeVar("Answer")

TOKEN = "0123456789abcdef" * 2  # opens nothing
# Long ago, so that no time of a history is in the future, as SQLite knows it.
START = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=300)


class Fault(Enum):
    """How a call fails."""

    REFUSED = "refused"
    ANSWER_LOST = "done, but the answer is lost"
    SLOW = "answered after six minutes"
    KILLED_BEFORE = "the isolate dies before it"
    KILLED_AFTER = "the isolate dies after it"


class KilledError(BaseException):
    """The isolate ends here."""


@dataclass
class Calls:
    """The calls to the outside so far, and which of them is to fail how."""

    names: list[str] = field(default_factory=list)
    failing: int | None = None
    fault: Fault = Fault.REFUSED
    broken: Collection[str] = ()
    """What refuses every call."""
    share_failing: float = 0
    """The share of all calls that fail, each in some way."""
    random: Random = field(default_factory=Random)

    def make(self, name: str, run: Callable[[], Answer], error: Exception) -> Answer:
        """Runs a call, unless it is the one that fails."""
        self.names.append(name)
        if name in self.broken:
            raise error
        if self.random.random() < self.share_failing:
            self.failing = len(self.names) - 1
            self.fault = self.random.choice([*Fault])
        if len(self.names) - 1 != self.failing:
            return run()
        if self.fault is Fault.REFUSED:
            raise error
        if self.fault is Fault.KILLED_BEFORE:
            raise KilledError
        answer = run()
        if self.fault is Fault.ANSWER_LOST:
            raise error
        if self.fault is Fault.KILLED_AFTER:
            raise KilledError
        # Longer than any lease.
        OUTSIDE.now += timedelta(minutes=6)
        return answer


@dataclass
class Outside:
    """The state of everything that an isolate does not hold itself."""

    seed: int = 0
    now: datetime = START
    calls: Calls = field(default_factory=Calls)
    key_values: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    shards: dict[str, ShardCounters] = field(default_factory=lambda: defaultdict(ShardCounters))
    alerts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Starts with an empty, migrated database and an account without persons."""
        self.random = Random(self.seed)  # noqa: S311  # the same story each time
        self.database = sqlite3.connect(":memory:", isolation_level=None)
        migrated_database().backup(self.database)
        prepare_connection(self.database)
        self.account = Account(DEMO_FIELDS)
        limits = Limits(requests_per_window=None, searches_per_window=None, block_after=None)
        self.crm = Api(self.account, limits, TOKEN)

    def begin_again_from(self, other: Outside) -> None:
        """Becomes what another one was, with no call made and the same random numbers to come."""
        self.__init__(self.seed)  # type: ignore[misc]  # the bindings hold this object
        other.database.backup(self.database)
        self.now = other.now
        self.key_values = dict(other.key_values)
        self.objects = dict(other.objects)
        self.alerts = list(other.alerts)

    def rows(self, sql: str, *values: object) -> list[dict[str, object]]:
        """What a query finds, without a call."""
        return [dict(row) for row in self.database.execute(sql, values)]

    def pass_time(self, **span: float) -> None:
        """Lets time pass, as `timedelta` takes it."""
        self.now += timedelta(**span)


# The bindings of all isolates lead here; each history begins with a new one.
OUTSIDE = Outside.__new__(Outside)


def new_outside(seed: int = 0) -> Outside:
    """Begins a history: everything is empty again."""
    OUTSIDE.__init__(seed)  # type: ignore[misc]  # the bindings hold this object
    return OUTSIDE


def prepare_connection(database: sqlite3.Connection) -> None:
    """Lets a database answer as D1 does, whose SQLite is newer than this machine's may be."""
    database.isolation_level = None
    database.create_function("concat_ws", -1, _concat_ws, deterministic=True)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")


def _concat_ws(separator: str, *values: object) -> str:
    return separator.join(str(value) for value in values if value is not None)


@cache
def migrated_database() -> sqlite3.Connection:
    """An empty database with all migrations."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.execute(
        "CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE,"
        " applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)"
    )
    for file in sorted((ROOT / "migrations").glob("*.sql")):
        database.executescript(file.read_text(encoding="utf-8"))
        database.execute("INSERT INTO d1_migrations (name) VALUES (?)", (file.name,))
    return database
