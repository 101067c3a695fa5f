"""A production on the stand-in for Cloudflare, with this checkout's Worker, for commands of ops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from new_api_key import entry_of
from rehearsal.new_production import build_production, put_up
from rehearsal.old_production import secret_values
from simulator.fields import demo_field_map
from simulator.server import simulator
from stand_in.production import production_hosts, production_settings
from stand_in.server import StandIn, stand_in
from tests.harness.prepared import worker_bundle
from tests.ops.running import Output, here

ADMIN_KEY = "opens-production"
CRON = "*/5 * * * *"


@dataclass(frozen=True, slots=True)
class Production:
    """It runs; `secrets` are the Worker's."""

    cloud: StandIn
    secrets: dict[str, str]

    def ppp(self, *arguments: object, answer: str = "") -> Output:
        """Runs a command on it, as somebody who is logged in and has the key."""
        login = {"PPP_API_KEY": ADMIN_KEY, **self.cloud.variables()}
        return here(*arguments, "--env", "production", env=login, answer=answer)

    def cron(self) -> None:
        """Lets its cron trigger fire once."""
        fired = self.cloud.cron(production_settings()["name"], CRON, int(time.time() * 1000))
        assert fired["outcome"] == "ok"

    def deploy(self, message: str) -> str:
        """Gives a further version of the same code all the traffic; its id."""
        return put_up(self.cloud.cloud, worker_bundle(), self.secrets, message).id


@contextmanager
def running_production(folder: Path, events: int = 300) -> Iterator[Production]:
    """Puts production up, with so many events, until the block ends."""
    with (
        simulator() as pipedrive,
        stand_in(folder, production_hosts(), {"api.pipedrive.com": pipedrive.url}) as cloud,
    ):
        keys = json.dumps([entry_of("admin", "admin", ADMIN_KEY)])
        secrets = secret_values(keys, pipedrive.token, demo_field_map())
        build_production(cloud.cloud, worker_bundle(), secrets, events)
        yield Production(cloud, secrets)
