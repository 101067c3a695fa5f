"""Who is told of a problem, and when: once, again after an hour, and when it is over.

What was told is one value in KV, so that it is remembered while the database fails.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from services.alerting.problems import Finding, Problem
from services.alerting.webhook import Alerts, Message
from services.core.logs import Log
from services.core.ports import Clock, KeyValues, UnavailableError
from services.core.stored_time import format_stored_time, parse_stored_time

MEMORY = "alerts"
REMEMBERED_SECONDS = 30 * 86_400
REMINDER = timedelta(hours=1)
# A run is some seconds early or late.
EARLY = timedelta(minutes=2)


@dataclass(slots=True)
class Told:
    """A problem that somebody was told of."""

    severity: str
    since: str
    told_at: str


@dataclass(slots=True)
class Watch:
    """Tells of problems during one run, and remembers them for the next ones."""

    alerts: Alerts
    key_values: KeyValues
    clock: Clock
    log: Log
    runbook_url: str
    _told: dict[str, Told] | None = None
    _found: set[str] = field(default_factory=set)

    async def tell(self, finding: Finding) -> None:
        """Tells of a problem, unless that was done lately. Never raises."""
        told = await self._memory()
        problem, now = finding.problem, self.clock()
        if problem.name in self._found:
            return
        self._found.add(problem.name)
        known = told.get(problem.name)
        if known and now - parse_stored_time(known.told_at) < REMINDER - EARLY:
            return
        since = known.since if known else format_stored_time(now)
        state = "still there" if known else "new"
        if await self._send(problem, state, finding.seen, since):
            told[problem.name] = Told(problem.severity, since, format_stored_time(now))

    async def settle(self, problems: Sequence[Problem]) -> None:
        """Ends a run that looked for these problems: tells which are over. Never raises."""
        told = await self._memory()
        for problem in problems:
            if problem.name not in told or problem.name in self._found:
                continue
            if await self._send(problem, "over", "", told[problem.name].since):
                del told[problem.name]
        said = json.dumps({name: asdict(each) for name, each in told.items()})
        try:
            await self.key_values.put(MEMORY, said, REMEMBERED_SECONDS)
        except UnavailableError as error:
            self.log.warning("alerts_not_remembered", reason=str(error))

    async def _memory(self) -> dict[str, Told]:
        if self._told is None:
            self._told = await self._remembered()
        return self._told

    async def _remembered(self) -> dict[str, Told]:
        try:
            content = json.loads(await self.key_values.get(MEMORY) or "{}")
        except UnavailableError as error:
            # Better told twice than not at all.
            self.log.warning("alerts_not_remembered", reason=str(error))
            return {}
        return {name: Told(**each) for name, each in content.items()}

    async def _send(self, problem: Problem, state: str, seen: str, since: str) -> bool:
        page = f"{self.runbook_url}#{problem.name}"
        if state == "over":
            text = f"[{problem.severity}] over: {problem.name}, which began {since} UTC. {page}"
        else:
            text = (
                f"[{problem.severity}] {state}: {problem.name} since {since} UTC: {seen}."
                f" It means: {problem.means}. Do: {problem.command} {page}"
            )
        message = Message(problem.name, problem.severity, state, since, text)
        return await self.alerts.send(self.log, message)
