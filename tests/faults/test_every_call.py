"""Calls to the outside fail in every way: nothing is lost, doubled or left behind.

`FAULTS_EVERY=1` lets each call of an act fail once; else it is every 25th one, another one in each
of the ways to fail. `FAULTS_SEEDS=1000` plays so many stories of bad weather.
"""

from __future__ import annotations

import os

import pytest

from tests.faults.endings import ACTS, play, play_in_bad_weather
from tests.faults.outside import OUTSIDE, Fault

CALLS_BETWEEN_FAULTS = int(os.environ.get("FAULTS_EVERY", "25"))
SEEDS = int(os.environ.get("FAULTS_SEEDS", "12"))


@pytest.mark.parametrize("act", ACTS)
def test_the_story_without_a_fault_keeps_every_promise(act: str) -> None:
    ending = play(ACTS[act])
    assert ending.broken_promises == []
    assert len(ending.calls) >= 3
    assert [key for key in OUTSIDE.objects if key.startswith("archive/")]


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("act", ACTS)
def test_a_call_that_fails_loses_nothing(act: str, fault: Fault) -> None:
    number = [*Fault].index(fault) % CALLS_BETWEEN_FAULTS
    broken: dict[str, list[str]] = {}
    while number < len((ending := play(ACTS[act], number, fault)).calls):
        if ending.broken_promises:
            broken[f"{number}, {ending.calls[number]}"] = ending.broken_promises
        number += CALLS_BETWEEN_FAULTS
    assert broken == {}


@pytest.mark.parametrize("share_failing", [0.03, 0.15])
def test_many_calls_that_fail_lose_nothing(share_failing: float) -> None:
    endings = {seed: play_in_bad_weather(seed, share_failing) for seed in range(SEEDS)}
    broken = {seed: ending.broken_promises for seed, ending in endings.items()}
    assert {seed: promises for seed, promises in broken.items() if promises} == {}
