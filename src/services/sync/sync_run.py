"""One run of the delayed sync: takes what is due, portion by portion, within its budget."""

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

# Search by e-mail and by name, some candidates, the person, the update.
REQUESTS_OF_A_LEAD = 6


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What one run may do; `seconds` and `requests` to Pipedrive, `portion` leads at a time.

    A lease of `lease_seconds` is longer than a portion may take.
    """

    seconds: int
    requests: int
    portion: int
    lease_seconds: int


@dataclass(slots=True)
class SyncRun:
    """One run. `troubles` fills with what opened a breaker; each is told by `tell`."""

    settings: RunSettings
    apis: Mapping[str, PipedriveClient]
    portions: PortionSync
    outbox: Outbox
    timers: Timers
    budget: Budget
    tell: Callable[[Finding], Awaitable[None]]
    clock: Clock
    log: Log
    troubles: list[str]
    _counts: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Sends what is due; one log line and one row of the ledger tell what came of it.

        Raises:
            UnavailableError: D1 failed; what it did not take is due again when its lease ends.
        """
        if not self.apis:
            self.log.warning("sync_not_configured", reason="PIPEDRIVE_API_KEY is not set")
            return
        if not await self.outbox.begin(self.clock()):
            self.log.info("sync_busy")
            return
        ended, outcomes = await self._all_portions()
        self.outbox.summary |= self._summary()
        await self.outbox.end(outcomes, self.clock(), ended)
        self.log.info("sync_run", outcome=ended, **self._summary())

    async def _all_portions(self) -> tuple[str, Sequence[Outcome]]:
        """Why it ended, and the outcomes of the last portion, which are not written yet."""
        outcomes: Sequence[Outcome] = ()
        async for timers in self._reminders():
            more = True
            while more:
                if ended := self._must_end():
                    return ended, outcomes
                most = self._most()
                leased = await self._exchange(outcomes, timers, most)
                outcomes = await self._send(leased)
                more = len(leased) == most
            if timers:
                await self.timers.forget(timers)
        return "drained", outcomes

    async def _reminders(self) -> AsyncIterator[DueTimers | None]:
        """The timers that went off, then None: whatever nothing reminded us of."""
        try:
            async for timers in self.timers.due(self.clock()):
                yield timers
        except UnavailableError as error:
            self.log.warning("timers_unavailable", reason=str(error))
        yield None

    def _must_end(self) -> str | None:
        now = self.clock()
        if all(api.state.blocked_until(now) for api in self.apis.values()):
            return "pipedrive_unavailable"
        return None if self.budget.has(now, REQUESTS_OF_A_LEAD) else "budget_spent"

    def _most(self) -> int:
        left = self.budget.requests - self.budget.spent
        return max(1, min(self.settings.portion, left // REQUESTS_OF_A_LEAD))

    async def _exchange(
        self, outcomes: Sequence[Outcome], timers: DueTimers | None, most: int
    ) -> Sequence[Submission]:
        self.outbox.summary |= self._summary()
        ids = timers.event_ids if timers else None
        return await self.outbox.exchange(outcomes, self.clock(), most, ids)

    async def _send(self, leased: Sequence[Submission]) -> Sequence[Outcome]:
        if not leased:
            return ()
        # A lead that is begun now still ends before the lease does.
        lead_seconds = self.portions.settings.lead_seconds
        time = timedelta(seconds=self.settings.lease_seconds - 2 * lead_seconds)
        outcomes = await self.portions.send(leased, self.clock() + time)
        self._counts.update(_kind(outcome) for outcome in outcomes)
        for trouble in self.troubles:
            await self.tell(Finding(BREAKER_OPEN, trouble))
        self.troubles.clear()
        return outcomes

    def _summary(self) -> dict[str, object]:
        calls: Counter[str] = Counter()
        for api in self.apis.values():
            calls.update(api.calls)
        return {
            **{kind: self._counts[kind] for kind in ("synced", "not_found", "error", "put_back")},
            "calls": dict(calls),
            "portions": self.outbox.portions,
            "round_trips": self.outbox.round_trips,
            "timer_lists": self.timers.lists,
        }


def _kind(outcome: Outcome) -> str:
    return outcome.status or "put_back"
