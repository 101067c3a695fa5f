"""Runs the commands that ask a Worker, on one with two API keys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from new_api_key import entry_of
from tests.harness.worker import Row, Worker, some_visitor
from tests.ops.running import Output, here

READ_KEY = "opens-the-numbers"
ADMIN_KEY = "opens-everything"
KEYS = json.dumps([entry_of("reader", "read", READ_KEY), entry_of("admin", "admin", ADMIN_KEY)])


@dataclass(frozen=True, slots=True)
class Service:
    """A Worker, and the commands of somebody who has its keys. `url` is another way to it."""

    worker: Worker
    url: str | None = None

    def ppp(self, *arguments: object, key: str = ADMIN_KEY, answer: str = "") -> Output:
        """Runs one command on the Worker."""
        at = ("--url", self.url or self.worker.url)
        return here(*arguments, *at, env={"PPP_API_KEY": key}, answer=answer)

    def json(self, *arguments: object) -> Any:  # noqa: ANN401  # a test knows what it asked for
        """What a command that succeeds tells a script."""
        output = self.ppp(*arguments, "--json")
        assert output.code == 0, output
        return output.json

    def project(self) -> Row:
        """A new project."""
        entry: Row = self.json("projects", "create", "--name", f"project {some_visitor()}")
        return entry

    def pixel(self) -> Row:
        """A new pixel in a new project."""
        entry: Row = self.json("pixels", "create", self.project()["id"], "--name", "shop")
        return entry
