"""Which version serves after a release that fails or is overtaken, by what wrangler says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import ops.deploy.release as ops_release
import ops.deploy.traffic as ops_traffic
from ops.cloudflare import wrangler_command
from ops.cloudflare.target import Environment, choose_target
from ops.deploy.release import Release
from ops.terminal.errors import NoAnswerError, OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Worker
from tests.ops.traffic_cloud import TrafficCloud

NOWHERE = Worker("production", "http://127.0.0.1:1")


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> TrafficCloud:
    cloud = TrafficCloud(({"new": 100}, "3.1.0 at abc"))
    monkeypatch.setattr(wrangler_command, "wrangler", cloud.run)
    for module in (ops_release, ops_traffic):
        monkeypatch.setattr(module, "RETRY_PAUSES_SECONDS", (0, 0))
    return cloud


@pytest.fixture
def release() -> Release:
    target = choose_target(Environment.PRODUCTION, None, local=False)
    api = Api(NOWHERE, None, open_client(NOWHERE, None))
    return Release(target, api, "old", "3.1.0 at abc", 0, "new", took_traffic=True)


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_the_old_version_comes_back_where_cloudflare_fails_up_to_twice(
    cloud: TrafficCloud, release: Release, failures: int
) -> None:
    cloud.failures = failures
    assert release.roll_back() == (True, "The version old has all traffic again")
    assert cloud.shares == {"old": 100}


def test_a_version_that_came_back_is_not_called_lost_where_no_answer_said_so(
    cloud: TrafficCloud, release: Release
) -> None:
    cloud.failures, cloud.is_lost = 3, True
    assert release.roll_back() == (True, "The version old has all traffic again")


def test_what_serves_is_said_where_the_old_version_cannot_be_brought_back(
    cloud: TrafficCloud, release: Release
) -> None:
    cloud.failures = 3
    is_back, outcome = release.roll_back()
    assert not is_back
    assert "COULD NOT BE BROUGHT BACK (fetch failed; what serves: new). Run: npx" in outcome
    assert len(cloud.splits()) == 3


@pytest.mark.parametrize(
    ("serving", "outcome"),
    [
        ("old", (True, "The version old has all traffic already")),
        ("third", (False, "Nothing was overwritten: third serves")),
    ],
)
def test_what_somebody_else_gave_the_traffic_is_said_and_not_overwritten(
    cloud: TrafficCloud, release: Release, serving: str, outcome: tuple[bool, str]
) -> None:
    cloud.shares = {serving: 100}
    with pytest.raises(OpsError, match=f"{serving} has the traffic, not new of this deployment"):
        release.require_traffic()
    assert release.roll_back() == outcome
    assert cloud.splits() == []


def test_a_rollback_between_two_shares_is_not_overwritten(
    cloud: TrafficCloud, release: Release
) -> None:
    cloud.shares = {"old": 100}
    with pytest.raises(OpsError, match="somebody moved it meanwhile"):
        release._set_share(50)  # noqa: SLF001  # a whole release needs Cloudflare
    assert cloud.shares == {"old": 100}


def test_where_nobody_can_tell_what_serves_a_healthy_version_stays(
    cloud: TrafficCloud, release: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.failing, cloud.failures = "deployments status", 3
    release.require_traffic()
    assert "which version serves is not known: fetch failed" in capsys.readouterr().err


@pytest.mark.parametrize("failures", [2, 3])
def test_triggers_are_tried_again_before_a_version_is_taken_back(
    cloud: TrafficCloud, release: Release, failures: int
) -> None:
    cloud.failing, cloud.failures = "triggers deploy", failures
    set_triggers: Callable[[], None] = release._set_triggers  # noqa: SLF001  # a whole release needs Cloudflare
    if failures == 2:
        set_triggers()
        return
    with pytest.raises(NoAnswerError, match="some of them may be changed: fetch failed"):
        set_triggers()
