"""The R2 bucket of a target, one object at a time. wrangler cannot list objects."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import RefusedError, WranglerCommand
from ops.terminal.errors import NoAnswerError

_NO_SUCH_KEY = "specified key does not exist"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket for backups. Every method raises NoAnswerError if R2 does not answer."""

    target: Target

    def read(self, key: str) -> bytes | None:
        """Return the content of an object, or None if there is none."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "object"
            try:
                self.get_command(key, file).run()
            except RefusedError as error:
                if _NO_SUCH_KEY in str(error):
                    return None
                raise NoAnswerError(self._explain(error)) from None
            return file.read_bytes()

    def read_json(self, key: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Return an object as JSON, or None if there is none."""
        content = self.read(key)
        try:
            return None if content is None else json.loads(content)
        except (ValueError, RecursionError):
            raise NoAnswerError(f"{self.target.bucket}/{key} is no JSON: it is damaged") from None

    def write(self, key: str, content: bytes) -> None:
        """Write an object."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "object"
            file.write_bytes(content)
            self.write_file(key, file)

    def write_json(self, key: str, value: object) -> None:
        """Write an object of JSON."""
        self.write(key, json.dumps(value, indent=1).encode())

    def write_file(self, key: str, file: Path) -> None:
        """Write a file as an object."""
        try:
            self.put_command(key, file).run()
        except RefusedError as error:
            raise NoAnswerError(self._explain(error)) from None

    def get_command(self, key: str, file: Path) -> WranglerCommand:
        """Return the command that downloads an object into a file."""
        return self._object_command("get", key, file)

    def put_command(self, key: str, file: Path) -> WranglerCommand:
        """Return the command that uploads a file as an object."""
        return self._object_command("put", key, file)

    def _object_command(self, verb: str, key: str, file: Path) -> WranglerCommand:
        path = f"{self.target.bucket}/{key}"
        arguments = ("r2", "object", verb, path, "--file", str(file), *self.target.storage())
        return WranglerCommand(arguments, self.target.config)

    def _explain(self, error: RefusedError) -> str:
        return f"the bucket {self.target.bucket} did not answer: {error}"
