"""Every problem is checked, so that its end is reported."""

from __future__ import annotations

from services.alerting import problems
from services.alerting.problems import Problem
from services.monitoring.checks_run import (
    DATA_PROBLEMS,
    HEALTH_PROBLEMS,
    LOSS_PROBLEMS,
    WAITING_PROBLEMS,
    check_waiting,
)


def test_every_problem_is_checked_once() -> None:
    declared = [value for value in vars(problems).values() if isinstance(value, Problem)]
    checked = (*HEALTH_PROBLEMS, *LOSS_PROBLEMS, *WAITING_PROBLEMS, *DATA_PROBLEMS)
    assert sorted(checked, key=lambda problem: problem.name) == sorted(
        declared, key=lambda problem: problem.name
    )


def test_many_waiting_events_are_a_finding_before_there_is_no_room() -> None:
    assert check_waiting(0, 51_200) == ()
    assert check_waiting(25_599, 51_200) == ()
    [finding] = check_waiting(25_600, 51_200)
    assert finding.problem is problems.WAITING_FULL
    assert finding.details == "25,600 wait, of 51,200 for which is room"
