"""One run of the delayed sync: sends what is due, portion by portion, within its budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from services.alerting.problems import BREAKER_OPEN, Finding
from services.core.logs import Log
from services.core.ports import Clock, UnavailableError
from services.pipedrive.client import PipedriveClient
from services.pipedrive.limits import Budget
from services.sync.outbox import Outbox, Outcome
from services.sync.portion import PortionSync
from services.sync.submissions import Submission
from services.sync.timers import DueTimers, Timers

COUNTED = ("synced", "not_found", "error", "rejected", "held", "put_back", "suspicious")
# Searches by e-mail and by name, some candidates, the person, the update.
MAX_REQUESTS_OF_A_LEAD = 6


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What one run may spend: `seconds`, `requests` to Pipedrive, `portion` leads at a time.

    A lease of `lease_seconds` is longer than a portion may take.
    """

    seconds: int
    requests: int
    portion: int
    lease_seconds: int


@dataclass(slots=True)
class SyncRun:
    """One run. Each of `breaker_reasons`, why a breaker opened, is passed to `notify`."""

    settings: RunSettings
    apis: Mapping[str, PipedriveClient]
    portions: PortionSync
    outbox: Outbox
    timers: Timers
    budget: Budget
    notify: Callable[[Finding], Awaitable[None]]
    clock: Clock
    log: Log
    breaker_reasons: list[str]
    _counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Sends what is due; one log line and one row of the ledger hold the counts.

        Raises:
            UnavailableError: D1 failed; leased submissions are due again when their lease ends.
        """
        if not self.apis:
            self.log.warning("sync_not_configured", reason="PIPEDRIVE_API_KEY is not set")
            return
        if not await self.outbox.begin(self.clock()):
            self.log.info("sync_busy")
            return
        end_reason, outcomes = await self._send_portions()
        self.outbox.summary |= self._summary()
        await self.outbox.end(outcomes, self.clock(), end_reason)
        self.log.info("sync_run", outcome=end_reason, **self._summary())

    async def _send_portions(self) -> tuple[str, Sequence[Outcome]]:
        """Why the run ended, and the outcomes of the last portion, which are not written yet."""
        outcomes: Sequence[Outcome] = ()
        async for timers in self._due_timers():
            is_full = True
            while is_full:
                if end_reason := self._end_reason():
                    return end_reason, outcomes
                size = self._portion_size()
                leased = await self._exchange(outcomes, timers, size)
                outcomes = await self._send(leased)
                is_full = len(leased) == size
            if timers:
                await self.timers.delete(timers)
        return "drained", outcomes

    async def _due_timers(self) -> AsyncIterator[DueTimers | None]:
        """Pages of expired timers, then None for all else that is due."""
        try:
            async for timers in self.timers.due(self.clock()):
                yield timers
        except UnavailableError as error:
            self.log.warning("timers_unavailable", reason=str(error))
        yield None

    def _end_reason(self) -> str | None:
        now = self.clock()
        if all(api.state.blocked_until(now) for api in self.apis.values()):
            return "pipedrive_unavailable"
        return None if self.budget.has(now, MAX_REQUESTS_OF_A_LEAD) else "budget_spent"

    def _portion_size(self) -> int:
        requests = self.budget.requests - self.budget.spent
        return max(1, min(self.settings.portion, requests // MAX_REQUESTS_OF_A_LEAD))

    async def _exchange(
        self, outcomes: Sequence[Outcome], timers: DueTimers | None, size: int
    ) -> Sequence[Submission]:
        self.outbox.summary |= self._summary()
        event_ids = timers.event_ids if timers else None
        return await self.outbox.exchange(outcomes, self.clock(), size, event_ids)

    async def _send(self, leased: Sequence[Submission]) -> Sequence[Outcome]:
        if not leased:
            return ()
        # A lead that starts before `stop_at` ends before the lease does.
        lead_seconds = self.portions.settings.lead_seconds
        sending_time = timedelta(seconds=self.settings.lease_seconds - 2 * lead_seconds)
        outcomes = await self.portions.send(leased, self.clock() + sending_time)
        self._counts.update(_count_name(outcome) for outcome in outcomes)
        # One that is put back is judged again.
        ended = [outcome.submission for outcome in outcomes if outcome.status]
        self._counts["suspicious"] += sum(bool(submission.suspicion) for submission in ended)
        for reason in self.breaker_reasons:
            await self.notify(Finding(BREAKER_OPEN, reason))
        self.breaker_reasons.clear()
        return outcomes

    def _summary(self) -> dict[str, object]:
        calls: Counter[str] = Counter()
        for api in self.apis.values():
            calls.update(api.calls)
        return {
            **{kind: self._counts[kind] for kind in COUNTED},
            "calls": dict(calls),
            "portions": self.outbox.portions,
            "round_trips": self.outbox.round_trips,
            "timer_lists": self.timers.lists,
        }


def _count_name(outcome: Outcome) -> str:
    return outcome.status or "put_back"
