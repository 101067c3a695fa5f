"""The traffic at Cloudflare, as wrangler tells and changes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ops.cloudflare.target import BINDING
from wrangler import WranglerError

Shares = Mapping[str, float]


class TrafficCloud:
    """Deployments and the bucket. The next `failures` commands that begin with `failing` fail.

    With `is_lost` each of them changes the traffic first. `databases` are those of the versions.
    """

    def __init__(self, *deployments: tuple[Shares, str]) -> None:
        self.deployments = list(deployments)
        self.failing, self.failures, self.is_lost = "versions deploy", 0, False
        self.error: BaseException = WranglerError("wrangler failed:\n[ERROR] fetch failed")
        self.databases: dict[str, str] = {}
        self.objects: dict[str, bytes] = {}
        self.commands: list[str] = []

    @property
    def shares(self) -> Shares:
        """What has the traffic now."""
        return self.deployments[-1][0]

    @shares.setter
    def shares(self, shares: Shares) -> None:
        self.deployments.append((shares, "moved in a test"))

    def run(self, *arguments: object, **_options: object) -> str:
        """What wrangler prints for these arguments."""
        texts = [str(argument) for argument in arguments]
        command = " ".join(texts)
        self.commands.append(command)
        fails = command.startswith(self.failing) and self.failures > 0
        self.failures -= fails
        if not fails or self.is_lost:
            answer = self._answer(texts)
        if fails:
            raise self.error
        return answer if isinstance(answer, str) else json.dumps(answer)

    def splits(self) -> Sequence[str]:
        """The commands that moved traffic, or tried."""
        return [command for command in self.commands if command.startswith("versions deploy")]

    def _answer(self, arguments: list[str]) -> Any:  # noqa: ANN401  # whatever JSON holds
        match " ".join(arguments[:2]):
            case "versions deploy":
                specs = [word.split("@") for word in arguments if "@" in word and "%" in word]
                shares = {version: float(share.rstrip("%")) for version, share in specs}
                self.deployments.append((shares, arguments[arguments.index("--message") + 1]))
                return ""
            case "versions view":
                database = self.databases.get(arguments[2])
                binding = {"type": "d1", "name": BINDING, "id": database}
                return {"resources": {"bindings": [binding] if database else []}}
            case "deployments list":
                return [self._deployment(*deployment) for deployment in self.deployments[-10:]]
            case "whoami --json":
                return {"accounts": [{"id": "0" * 32, "name": "Agency"}]}
            case "r2 object":
                return self._object(arguments)
            case _:
                return self._deployment(*self.deployments[-1])

    def _object(self, arguments: list[str]) -> str:
        key, file = arguments[3].partition("/")[2], Path(arguments[arguments.index("--file") + 1])
        if arguments[2] == "put":
            self.objects[key] = file.read_bytes()
        elif key not in self.objects:
            raise WranglerError("wrangler failed:\n[ERROR] The specified key does not exist.")
        else:
            file.write_bytes(self.objects[key])
        return ""

    def _deployment(self, shares: Shares, message: str) -> dict[str, Any]:
        secret = {"workers/triggered_by": "secret"} if message == "secret" else {}
        return {
            "created_on": "2026-11-20T03:00:00Z",
            "annotations": {"workers/message": message, **secret},
            "versions": [
                {"version_id": version, "percentage": share} for version, share in shares.items()
            ],
        }
