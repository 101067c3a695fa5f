"""Every problem is checked, so that its end is reported."""

from __future__ import annotations

from services.alerting import problems
from services.alerting.problems import Problem
from services.monitoring.checks_run import (
    DATA_PROBLEMS,
    HEALTH_PROBLEMS,
    LOSS_PROBLEMS,
    WAITING_PROBLEMS,
)


def test_every_problem_is_checked_once() -> None:
    declared = [value for value in vars(problems).values() if isinstance(value, Problem)]
    checked = (*HEALTH_PROBLEMS, *LOSS_PROBLEMS, *WAITING_PROBLEMS, *DATA_PROBLEMS)
    assert sorted(checked, key=lambda problem: problem.name) == sorted(
        declared, key=lambda problem: problem.name
    )
