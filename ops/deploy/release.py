"""Release the code of this checkout: share by share of the traffic, or all traffic at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from config import VERSION
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.cloudflare.versions import (
    BEHIND_MIGRATION,
    current_deployment,
    is_behind_migration,
    is_secret_change,
    run_upload,
    sole_version,
    traffic_shares,
    version_override,
)
from ops.cloudflare.worker_commands import WorkerCommands
from ops.cloudflare.wrangler_command import RefusedError
from ops.deploy.request_counts import RequestCounter
from ops.deploy.rollout import FULL_TRAFFIC, ONE_STEP, SHARES, Rollout
from ops.deploy.smoke_test import MAX_SECONDS, SmokeTest, read_metrics
from ops.deploy.traffic import (
    BACK_FROM,
    RETRY_PAUSES_SECONDS,
    describe_serving,
    describe_shares,
    give_all_traffic,
    read_deployment,
    split_traffic,
)
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import note
from ops.worker_api.client import Api, open_client
from ops.worker_api.retries import outage_retries, polling

PAUSE_SECONDS = 10
# A new deployment takes up to two minutes to reach every location of Cloudflare.
MAX_HEALTH_CHECKS = 12


@dataclass
class Release:
    """A release in progress. `previous` is the version that had all traffic, if one had.

    `version` is the id of the new version, once it is uploaded; `took_traffic` is whether there is
    anything to roll back.
    """

    target: Target
    api: Api
    previous: str | None
    message: str
    watch_seconds: int
    version: str | None = None
    took_traffic: bool = False

    def deploy_gradually(self) -> None:
        """Upload a version, test it without traffic, and raise its share of the traffic in steps.

        Raises:
            OpsError: the upload or a share failed, or the version is unhealthy.
        """
        shares = SHARES if self._previous_serves_second_script() else ONE_STEP
        self.version = run_upload(self._commands.upload(self.message))
        self.took_traffic = True
        self._set_share(0)
        self._verify_and_roll_out(shares)
        self._set_triggers()

    def deploy_at_once(self) -> None:
        """Upload the code with all traffic, and watch it.

        Raises:
            OpsError: the upload failed, or the version is unhealthy.
        """
        self.took_traffic = True
        note("code: uploaded, with all the traffic at once")
        self.version = run_upload(self._commands.deploy(self.message))
        self._verify_and_roll_out(())

    def roll_back(self) -> tuple[bool, str]:
        """Give the previous version all traffic; return whether it has it, and a sentence."""
        if not self.took_traffic:
            return False, "No traffic was moved: the code that runs is the one that ran"
        if self.previous is None:
            return False, "There is no earlier version to go back to"
        if self._is_overtaken_now():
            return self._describe_overtaken()
        message = f"{BACK_FROM}{self.message}"
        problem = give_all_traffic(self._commands, self.previous, message)
        if problem is None:
            return True, f"The version {self.previous} has all traffic again"
        command = self._commands.split({self.previous: FULL_TRAFFIC}, message)
        remedy = BEHIND_MIGRATION if self._is_behind_migration() else f"Run: {command}"
        return False, f"AND THE OLD VERSION COULD NOT BE BROUGHT BACK ({problem}). {remedy}"

    def require_traffic(self) -> None:
        """Make sure that nobody took the traffic from the new version meanwhile.

        Raises:
            OpsError: another version has it, as after a rollback in another terminal.
        """
        deployment = read_deployment(self._commands)
        if self._is_overtaken(deployment):
            raise OpsError(
                f"{describe_shares(deployment)} has the traffic, not {self.version} of this "
                "deployment: somebody moved it meanwhile"
            )

    def _is_overtaken_now(self) -> bool:
        """Whether somebody took the traffic; not where a second Ctrl+C comes before the answer."""
        try:
            return self._is_overtaken(read_deployment(self._commands))
        except KeyboardInterrupt:
            return False

    def _is_overtaken(self, deployment: Mapping[str, Any] | None) -> bool:
        """Whether the new version, whose id is known, has no part in the traffic.

        A secret that was changed meanwhile makes a version of the same code.
        """
        if not self.version or not deployment or is_secret_change(deployment):
            return False
        return self.version not in traffic_shares(deployment)

    def _describe_overtaken(self) -> tuple[bool, str]:
        """Return whether the previous version has all traffic, and a sentence; move nothing."""
        serving = describe_serving(self._commands)
        if serving == self.previous:
            return True, f"The version {self.previous} has all traffic already"
        return False, f"Nothing was overwritten: {serving} serves"

    def _set_triggers(self) -> None:
        """Set routes and cron triggers, which are no part of a version.

        Raises:
            OpsError: wrangler failed again and again.
        """
        retries = outage_retries(RefusedError, pauses=RETRY_PAUSES_SECONDS)
        try:
            retries(self._commands.set_triggers().run)
        except NoAnswerError as error:
            raise NoAnswerError(
                f"routes and cron triggers could not be set, and some of them may be changed: "
                f"{error}. Going back does not set them: {self._commands.set_triggers()}"
            ) from None

    def _is_behind_migration(self) -> bool:
        """Whether a Durable Object migration is why; where nobody can tell, the command is right.

        Cloudflare says it in words that may change.
        """
        try:
            # An upload whose answer was lost has no version here.
            serving = self.version or sole_version(current_deployment(self._commands))
            return bool(self.previous and serving) and is_behind_migration(
                self._commands, str(self.previous), str(serving)
            )
        except (OpsError, KeyboardInterrupt):
            return False

    @property
    def _commands(self) -> WorkerCommands:
        return WorkerCommands(self.target)

    def _previous_serves_second_script(self) -> bool:
        """Whether the previous version serves the second script of the new pixel.

        If not, a page with the new pixel could ask the previous version for that script and miss a
        lead. So a new pixel gets all traffic in one step.
        """
        try:
            is_served = self.api.http.get(f"/static/pixel-{VERSION}-more.js").is_success
        except httpx.HTTPError as error:
            raise NoAnswerError(f"{self.api.worker.url} does not answer: {error}") from None
        if not is_served:
            note(f"code: the pixel {VERSION} is new, so it gets all traffic in one step")
        return is_served

    def _set_share(self, share: int) -> None:
        old = {str(self.previous): FULL_TRAFFIC - share} if share < FULL_TRAFFIC else {}
        if share:
            self.require_traffic()
        split_traffic(self._commands, {str(self.version): share, **old}, self.message)

    def _verify_and_roll_out(self, shares: tuple[int, ...]) -> None:
        """Test the version, then give it its shares; no share means that it has all traffic."""
        with self._smoke_test() as smoke:
            self._wait_until_healthy(smoke)
            smoke.require_pass()
            note(f"code: version {self.version} answers as it should")
            rollout = Rollout(
                set_share=self._set_share if shares else _keep_traffic,
                probe=smoke.run_read_only,
                read_metrics=partial(outage_retries(NoAnswerError), read_metrics, self.api),
                start_counter=partial(RequestCounter.start, Database(self.target)),
                pause=partial(time.sleep, PAUSE_SECONDS),
                probes_per_share=max(1, self.watch_seconds // PAUSE_SECONDS),
            )
            rollout.shift_traffic(shares or ONE_STEP, self._announce_share)

    def _announce_share(self, share: int) -> None:
        note(f"code: {share} % of the traffic, watched for {self.watch_seconds} s")

    @contextmanager
    def _smoke_test(self) -> Iterator[SmokeTest]:
        """Open a client whose requests go to the new version, whatever its share."""
        with open_client(self.api.worker, self.api.key) as http:
            http.timeout = MAX_SECONDS
            http.headers.update(
                version_override(str(self.target.settings["name"]), str(self.version))
            )
            yield SmokeTest(Api(self.api.worker, self.api.key, http), self.version, MAX_SECONDS)

    def _wait_until_healthy(self, smoke: SmokeTest) -> None:
        def is_healthy(problem: str | None) -> bool:
            return problem is None

        checks = polling(is_healthy, pause_seconds=PAUSE_SECONDS, max_attempts=MAX_HEALTH_CHECKS)
        checks(smoke.check_health)


def _keep_traffic(_share: int) -> None:
    """Change nothing: the version has all traffic already."""
