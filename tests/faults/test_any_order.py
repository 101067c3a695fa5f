"""Whatever happens in whatever order, with calls that fail in between: every promise is kept.

`FAULTS_HISTORIES=2000` plays so many histories of up to a hundred steps.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Sequence

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.faults.outside import OUTSIDE, Fault, Outside, migrated_database, new_outside
from tests.faults.promises import broken_promises
from tests.faults.story import Story

HISTORIES = int(os.environ.get("FAULTS_HISTORIES", "40"))
STEPS = int(os.environ.get("FAULTS_STEPS", "25"))
VISITORS = st.sampled_from("123")
EMAILS = st.sampled_from(["jane@example.com", "old@example.com", "nobody@example.com"])
PAGES = st.sampled_from(["/", "/?utm_source=li&utm_medium=paid", "/?gclid=abc", "/contact"])


class World(RuleBasedStateMachine):
    """Browsers, the cron, somebody with a key, isolates and an outside that fails."""

    def __init__(self) -> None:
        super().__init__()
        new_outside()
        self.story = Story(isolates=[None, None], kept=[])
        self.sent: list[tuple[str, str, str]] = []
        self.events = 0
        self.lost: Outside | None = None
        self.log = io.StringIO()
        for name in ("Jane", "Old"):
            OUTSIDE.account.add_person(
                name, [f"{name.lower()}@example.com"], update_time="2020-01-01T00:00:00Z"
            )
        with self._logged():
            # What was there is known from the first run of the cron on.
            self.story.view("1", "first-view")
            self.story.run_cron()

    @rule(visitor=VISITORS, page=PAGES)
    def somebody_looks_at_a_page(self, visitor: str, page: str) -> None:
        with self._logged():
            self.story.view(visitor, self._new_key(), page)

    @rule(visitor=VISITORS, email=EMAILS, outcome=st.sampled_from(["", "accepted", "rejected"]))
    def somebody_sends_a_form(self, visitor: str, email: str, outcome: str) -> None:
        key = self._new_key()
        self.sent.append((visitor, key, email))
        with self._logged():
            self.story.submit(visitor, key, email, f"/{key}", outcome)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def a_form_is_sent_again(self, data: st.DataObject) -> None:
        visitor, key, email = data.draw(st.sampled_from(self.sent))
        with self._logged():
            self.story.submit(visitor, key, email, f"/{key}", "accepted")

    @rule(minutes=st.sampled_from([0, 1, 5, 5, 60, 1_440]))
    def the_cron_runs(self, minutes: int) -> None:
        with self._logged():
            self.story.run_cron(minutes=minutes)

    @rule()
    def the_clock_leaps(self) -> None:
        OUTSIDE.pass_time(minutes=90)

    @rule()
    def another_isolate_is_asked(self) -> None:
        self.story.ask_next_isolate()

    @rule()
    def an_isolate_dies(self) -> None:
        self.story.kill()

    @rule(after=st.integers(0, 60), fault=st.sampled_from(Fault))
    def a_call_is_going_to_fail(self, after: int, fault: Fault) -> None:
        OUTSIDE.calls.failing = len(OUTSIDE.calls.names) + after
        OUTSIDE.calls.fault = fault

    @precondition(lambda self: self.lost is None)
    @rule(visitor=VISITORS)
    def somebody_comes_and_is_erased(self, visitor: str) -> None:
        key = self._new_key()
        email = f"{key}@example.com"
        with self._logged():
            self.story.submit(f"a{visitor}{key[-3:]}", key, email, f"/{key}")
            self.story.erase(email)
            while email not in self.story.erased:
                # Who gives up does it again: in better weather, behind the run of another one.
                assert self.story.problems
                self.story.problems.clear()
                self._end_bad_weather()
                OUTSIDE.pass_time(minutes=30)
                self.story.send_kept()
                self.story.erase(email)

    @precondition(lambda self: self.lost is None)
    @rule()
    def somebody_makes_a_backup(self) -> None:
        with self._logged():
            self.story.back_up()
        # One whose first answer was lost is continued by the cron.
        self.story.problems = [
            problem for problem in self.story.problems if "is under way" not in problem
        ]

    @precondition(lambda self: self.lost is None)
    @rule()
    def an_empty_database_is_bound(self) -> None:
        before = Outside()
        OUTSIDE.database.backup(before.database)
        self.lost = before
        migrated_database().backup(OUTSIDE.database)
        OUTSIDE.database.execute("UPDATE database_identity SET id = lower(hex(randomblob(16)))")

    @precondition(lambda self: self.lost is not None)
    @rule()
    def the_right_database_is_bound_again(self) -> None:
        if self.lost:
            self.lost.database.backup(OUTSIDE.database)
        self.lost = None

    @invariant()
    def no_problem_was_met(self) -> None:
        assert self.story.problems == []

    def teardown(self) -> None:
        """Some quiet days, after which all that was due has happened."""
        self.the_right_database_is_bound_again()
        with self._logged():
            self._end_bad_weather()
            for _ in range(3):
                self.story.run_cron()
            self.story.send_kept()
            for _ in range(4):
                self.story.run_cron(minutes=15)
            OUTSIDE.pass_time(hours=7)
            for _ in range(4):
                self.story.run_cron(minutes=800)
        problems = [*broken_promises(self.story, self.log.getvalue()), *self._unsent()]
        assert problems == []

    def _unsent(self) -> Sequence[str]:
        return [f"{event['event_key']} was never taken" for event, _ in self.story.kept or []]

    def _end_bad_weather(self) -> None:
        OUTSIDE.calls.failing = None

    def _new_key(self) -> str:
        self.events += 1
        return f"event-{self.events:04}"

    def _logged(self) -> contextlib.redirect_stdout[io.StringIO]:
        return contextlib.redirect_stdout(self.log)


World.TestCase.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[*HealthCheck],
    phases=[Phase.generate],
    derandomize="FAULTS_HISTORIES" not in os.environ,
    database=None,
    print_blob=True,
)
TestAnyOrder = World.TestCase
