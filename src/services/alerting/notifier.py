"""Notifies of each problem once, again every hour, and when it is over.

The states are in KV (`alert_states.py`), so that they survive a failing database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.alerting.alert_states import NEVER_TOLD, AlertMemory, AlertState
from services.alerting.on_call import Responders
from services.alerting.problems import Finding, Problem
from services.alerting.webhook import AlertMessage, AlertWebhook
from services.core.logs import Log
from services.core.ports import Clock, UnavailableError
from services.core.stored_time import format_stored_time, parse_stored_time

REMINDER_INTERVAL = timedelta(hours=1)
# A cron run is some seconds early or late.
CRON_TOLERANCE = timedelta(minutes=2)


@dataclass(slots=True)
class Notifier:
    """Notifies of problems during one run, and stores their states for the next one."""

    webhook: AlertWebhook
    memory: AlertMemory
    clock: Clock
    log: Log
    runbook_url: str
    on_call: Mapping[str, Responders] = field(default_factory=dict, repr=False)
    _states: dict[str, AlertState] | None = None
    _notified: set[str] = field(default_factory=set)
    _sent: list[dict[str, object]] = field(default_factory=list)

    async def notify(self, finding: Finding) -> None:
        """Sends a message about a problem, unless one was sent within the hour. Never raises.

        The reminders of a problem that somebody acknowledged wait.
        """
        states = await self._load_states()
        problem, now = finding.problem, self.clock()
        if problem.name in self._notified:
            return
        self._notified.add(problem.name)
        state = states.get(problem.name)
        if state and self._was_notified_recently(state):
            return
        if state and await self._is_acknowledged(problem.name, state):
            return
        since = state.since if state else format_stored_time(now)
        told_at = state.told_at if state else NEVER_TOLD
        word = "new" if told_at == NEVER_TOLD else "still there"
        if await self._send(problem, word, finding.details, since):
            told_at = format_stored_time(now)
        # One that did not arrive is open all the same, and is sent by the next run.
        states[problem.name] = AlertState(problem.severity, since, told_at)

    def _was_notified_recently(self, state: AlertState) -> bool:
        """Whether a message was sent; one from the future counts as none: a clock was ahead."""
        time = self.clock() - parse_stored_time(state.told_at)
        return -CRON_TOLERANCE <= time < REMINDER_INTERVAL - CRON_TOLERANCE

    async def resolve(self, checked: Sequence[Problem]) -> None:
        """Ends a run: sends which of the problems that it checked are over. Never raises."""
        states = await self._load_states()
        for problem in checked:
            if problem.name not in states or problem.name in self._notified:
                continue
            if await self._send(problem, "over", "", states[problem.name].since):
                del states[problem.name]
        try:
            await self.memory.save_states(states)
            if self._sent:
                await self.memory.add_sent(self._sent[::-1])
                self._sent.clear()
        except UnavailableError as error:
            self.log.warning("alerts_not_remembered", reason=str(error))

    async def _load_states(self) -> dict[str, AlertState]:
        if self._states is None:
            self._states = await self._stored_states()
        return self._states

    async def _stored_states(self) -> dict[str, AlertState]:
        try:
            states = await self.memory.states()
        except UnavailableError as error:
            # A repeated message is better than none.
            self.log.warning("alerts_not_remembered", reason=str(error))
            return {}
        if states is None:
            self.log.warning("alerts_not_remembered", reason="what KV holds cannot be read")
        return states or {}

    async def _is_acknowledged(self, problem: str, state: AlertState) -> bool:
        try:
            acknowledgement = await self.memory.acknowledgement(problem)
        except UnavailableError as error:
            self.log.warning("alerts_not_remembered", reason=str(error))
            return False
        return acknowledgement is not None and acknowledgement.covers(state, self.clock())

    async def _send(self, problem: Problem, state: str, details: str, since: str) -> bool:
        page = f"{self.runbook_url}#{problem.name}"
        if state == "over":
            text = f"[{problem.severity}] over: {problem.name}, which began {since} UTC. {page}"
        else:
            text = (
                f"[{problem.severity}] {state}: {problem.name} since {since} UTC: {details}."
                f" It means: {problem.means}. Do: {problem.command} {page}"
            )
        responders = self.on_call.get(problem.severity)
        call = f"Call: {responders}" if responders and state != "over" else ""
        message = AlertMessage(problem.name, problem.severity, state, since, text, call)
        has_arrived = await self.webhook.send(self.log, message)
        sent: dict[str, object] = message.fields() | {
            "at": format_stored_time(self.clock()),
            "arrived": has_arrived,
            "log_only": not self.webhook.is_set,
        }
        self._sent.append(sent)
        return has_arrived
