"""Brings the code of this checkout to Cloudflare: as a version, then share by share, or at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpx

from config import VERSION
from ops.cloudflare.target import Target
from ops.cloudflare.versions import override, version_of
from ops.cloudflare.worker_commands import Commands
from ops.deploy.rollout import AT_ONCE, SHARES, WHOLE, Rollout
from ops.deploy.smoke_test import METRICS, Smoke
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import note
from ops.worker_api.client import Api, open_client

PAUSE_SECONDS = 10
# Until a new deployment is known everywhere.
MAX_TRIES = 12


@dataclass
class Release:
    """The way of the code. `previous` is the version that had all traffic, where one had.

    `version` is the new one's id as soon as it has one; `took_traffic` says whether there is
    anything to take back.
    """

    target: Target
    api: Api
    previous: str | None
    message: str
    watch_seconds: int
    version: str | None = None
    took_traffic: bool = False

    def gradually(self) -> None:
        """Uploads a version, asks it while it has no traffic, and gives it more and more.

        Raises:
            OpsError: it could not be uploaded or moved, or it is not well.
        """
        shares = SHARES if self._knows_the_second_part() else AT_ONCE
        self.version = version_of(self._commands.upload(self.message))
        self.took_traffic = True
        self._move(0)
        self._prove(shares)
        # A version does not bring them along.
        self._commands.set_triggers().run()

    def at_once(self) -> None:
        """Uploads the code with all traffic, and watches it.

        Raises:
            OpsError: it could not be uploaded, or it is not well.
        """
        self.took_traffic = True
        note("code: uploaded, with all the traffic at once")
        self.version = version_of(self._commands.deploy_at_once(self.message))
        self._prove(())

    def take_back(self) -> tuple[bool, str]:
        """Gives the previous version all traffic. Says whether it has it, and that in words."""
        if not self.took_traffic:
            return False, "No traffic was moved: the code that runs is the one that ran"
        if self.previous is None:
            return False, "There is no earlier version to go back to"
        command = self._commands.split({self.previous: WHOLE}, f"back from {self.message}")
        try:
            command.run()
        except OpsError as error:
            return False, (
                f"AND THE OLD VERSION COULD NOT BE BROUGHT BACK ({error}). Run: {command}; where a "
                "Durable Object migration lies between, deploy the old code from where it came"
            )
        return True, f"The version {self.previous} has all traffic again"

    @property
    def _commands(self) -> Commands:
        return Commands(self.target)

    def _knows_the_second_part(self) -> bool:
        """Whether the old version serves what the new pixel loads where there are fields.

        Else a page that got the new pixel would ask the old version for it, in vain, and miss a
        lead; so a new pixel gets all traffic in one step.
        """
        try:
            known = self.api.http.get(f"/static/pixel-{VERSION}-more.js").is_success
        except httpx.HTTPError as error:
            raise NoAnswerError(f"{self.api.worker.url} does not answer: {error}") from None
        if not known:
            note(f"code: the pixel {VERSION} is new, so it gets all traffic in one step")
        return known

    def _move(self, share: int) -> None:
        old = {str(self.previous): WHOLE - share} if share < WHOLE else {}
        self._commands.split({str(self.version): share, **old}, self.message).run()

    def _prove(self, shares: tuple[int, ...]) -> None:
        """Asks the version everything, then gives it its shares; none means that it has all."""
        with self._asking() as smoke:
            self._wait_for(smoke)
            smoke.require_whole()
            note(f"code: version {self.version} answers as it should")
            rollout = Rollout(
                move=self._move if shares else _stay,
                look=smoke.look,
                read_metrics=lambda: self.api.get(METRICS)["data"],
                pause=partial(time.sleep, PAUSE_SECONDS),
                looks=max(1, self.watch_seconds // PAUSE_SECONDS),
            )
            rollout.run(shares or AT_ONCE, self._say_share)

    def _say_share(self, share: int) -> None:
        note(f"code: {share} % of the traffic, watched for {self.watch_seconds} s")

    @contextmanager
    def _asking(self) -> Iterator[Smoke]:
        """The way to the new version, whatever its share."""
        with open_client(self.api.worker, self.api.key) as http:
            http.headers.update(override(str(self.target.settings["name"]), str(self.version)))
            yield Smoke(Api(self.api.worker, self.api.key, http), self.version)

    def _wait_for(self, smoke: Smoke) -> None:
        for _ in range(MAX_TRIES):
            if "health" not in smoke.look():
                return
            time.sleep(PAUSE_SECONDS)


def _stay(_share: int) -> None:
    """It has all the traffic already."""
