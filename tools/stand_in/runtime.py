"""The process that runs workerd for the stand-in, driven over loopback (runtime.mjs)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from paths import NODE_BIN, ROOT, tool_environment

SCRIPT = Path(__file__).with_name("runtime.mjs")
SECONDS = 900


class BridgeError(Exception):
    """workerd or the script that runs it failed; the message is what it said."""


class StatementError(Exception):
    """D1 refused a statement; the message is its own."""


@dataclass
class Runtime:
    """A running machine room. `proxy_port` is the edge: an HTTP proxy for the hosts of routes."""

    process: subprocess.Popen[str]
    bridge: str
    proxy_port: int
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=SECONDS))
    control: str = ""

    def act(self, action: str, **arguments: object) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Ask for one of the script's actions.

        Raises:
            BridgeError: it failed.
        """
        answer = self.http.post(f"{self.bridge}/{action}", json=arguments)
        if not answer.is_success:
            raise BridgeError(answer.text)
        return answer.json()

    def configure(self, settings: Mapping[str, object]) -> None:
        """Start workerd anew with other versions or stores."""
        self.control = self.act("configure", **settings)["control"]

    def query(
        self, database_id: str, statements: Sequence[tuple[str, Sequence[object]]], *, raw: bool
    ) -> list[Any]:
        """Run statements in one transaction of a D1 database; with `raw`, one by one.

        Raises:
            StatementError: D1 refused one.
        """
        pairs = [{"sql": sql, "params": list(parameters)} for sql, parameters in statements]
        answer = self.http.post(
            f"{self.control}d1/{database_id}", json={"statements": pairs, "raw": raw}
        )
        content = answer.json()
        if not answer.is_success:
            raise StatementError(content["error"].removeprefix("D1_ERROR: "))
        return list(content)

    def store(
        self, kind: str, name: str, method: str, key: str | None, content: bytes = b"", **query: str
    ) -> httpx.Response:
        """Read, write, delete or list objects of a bucket (r2) or values of a namespace (kv)."""
        parameters = query if key is None else {"key": key, **query}
        return self.http.request(
            method, f"{self.control}{kind}/{name}", params=parameters, content=content
        )

    def stop(self) -> None:
        """Stop workerd and the script."""
        self.process.communicate(timeout=120)
        self.http.close()


def start_runtime(
    storage: Path, deleted_address: str, certificate: Mapping[str, str] | None, port: int = 0
) -> Runtime:
    """Start the script on a storage folder; nothing runs before `configure`.

    `deleted_address` is the address that answers for databases that were deleted.
    """
    options = {
        "storage": str(storage),
        "certificate": certificate,
        "port": port,
        "gone": deleted_address,
    }
    process = subprocess.Popen(
        [NODE_BIN / "node", SCRIPT, json.dumps(options)],
        cwd=ROOT,
        env=tool_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    for line in process.stdout or ():
        if line.startswith('{"bridge"'):
            addresses = json.loads(line)
            bridge = f"http://127.0.0.1:{addresses['bridge']}"
            return Runtime(process, bridge, addresses["front"])
    raise BridgeError("the runtime of the stand-in did not start")
