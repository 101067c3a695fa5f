"""Notifies of each problem once, again every hour, and when it is over.

The state of all alerts is one value in KV, so that it survives a failing database.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from services.alerting.problems import Finding, Problem
from services.alerting.webhook import AlertMessage, AlertWebhook
from services.core.logs import Log
from services.core.ports import Clock, KeyValues, UnavailableError
from services.core.stored_time import format_stored_time, parse_stored_time

STATES_KEY = "alerts"
STATES_TTL_SECONDS = 30 * 86_400
REMINDER_INTERVAL = timedelta(hours=1)
# A cron run is some seconds early or late.
CRON_TOLERANCE = timedelta(minutes=2)


@dataclass(slots=True)
class AlertState:
    """A problem that was notified and is not over. The names of the fields are keys in KV."""

    severity: str
    since: str
    told_at: str


@dataclass(slots=True)
class Notifier:
    """Notifies of problems during one run, and stores their states for the next one."""

    webhook: AlertWebhook
    key_values: KeyValues
    clock: Clock
    log: Log
    runbook_url: str
    _states: dict[str, AlertState] | None = None
    _notified: set[str] = field(default_factory=set)

    async def notify(self, finding: Finding) -> None:
        """Sends a message about a problem, unless one was sent within the hour. Never raises."""
        states = await self._load_states()
        problem, now = finding.problem, self.clock()
        if problem.name in self._notified:
            return
        self._notified.add(problem.name)
        state = states.get(problem.name)
        if state and now - parse_stored_time(state.told_at) < REMINDER_INTERVAL - CRON_TOLERANCE:
            return
        since = state.since if state else format_stored_time(now)
        if await self._send(problem, "still there" if state else "new", finding.details, since):
            states[problem.name] = AlertState(problem.severity, since, format_stored_time(now))

    async def resolve(self, checked: Sequence[Problem]) -> None:
        """Ends a run: sends which of the problems that it checked are over. Never raises."""
        states = await self._load_states()
        for problem in checked:
            if problem.name not in states or problem.name in self._notified:
                continue
            if await self._send(problem, "over", "", states[problem.name].since):
                del states[problem.name]
        text = json.dumps({name: asdict(state) for name, state in states.items()})
        try:
            await self.key_values.put(STATES_KEY, text, STATES_TTL_SECONDS)
        except UnavailableError as error:
            self.log.warning("alerts_not_remembered", reason=str(error))

    async def _load_states(self) -> dict[str, AlertState]:
        if self._states is None:
            self._states = await self._stored_states()
        return self._states

    async def _stored_states(self) -> dict[str, AlertState]:
        try:
            content = json.loads(await self.key_values.get(STATES_KEY) or "{}")
        except UnavailableError as error:
            # A repeated message is better than none.
            self.log.warning("alerts_not_remembered", reason=str(error))
            return {}
        return {name: AlertState(**fields) for name, fields in content.items()}

    async def _send(self, problem: Problem, state: str, details: str, since: str) -> bool:
        page = f"{self.runbook_url}#{problem.name}"
        if state == "over":
            text = f"[{problem.severity}] over: {problem.name}, which began {since} UTC. {page}"
        else:
            text = (
                f"[{problem.severity}] {state}: {problem.name} since {since} UTC: {details}."
                f" It means: {problem.means}. Do: {problem.command} {page}"
            )
        message = AlertMessage(problem.name, problem.severity, state, since, text)
        return await self.webhook.send(self.log, message)
