"""The R2 bucket of a target, object by object, through wrangler, which can list none."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import Command, RefusedError
from ops.terminal.errors import NoAnswerError

_NOT_THERE = "specified key does not exist"


@dataclass(frozen=True, slots=True)
class Bucket:
    """The bucket for backups. Every method raises NoAnswerError where R2 does not answer."""

    target: Target

    def read(self, key: str) -> bytes | None:
        """The content of an object, or None where there is none."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "object"
            try:
                self.getting(key, file).run()
            except RefusedError as error:
                if _NOT_THERE in str(error):
                    return None
                raise NoAnswerError(self._explain(error)) from None
            return file.read_bytes()

    def read_json(self, key: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """The object as JSON, or None where there is none."""
        content = self.read(key)
        try:
            return None if content is None else json.loads(content)
        except ValueError:
            raise NoAnswerError(f"{self.target.bucket}/{key} is no JSON: it is damaged") from None

    def write(self, key: str, content: bytes) -> None:
        """Writes an object whole."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "object"
            file.write_bytes(content)
            self.write_file(key, file)

    def write_file(self, key: str, file: Path) -> None:
        """Writes a file as an object."""
        try:
            self.putting(key, file).run()
        except RefusedError as error:
            raise NoAnswerError(self._explain(error)) from None

    def getting(self, key: str, file: Path) -> Command:
        """The command that fetches an object."""
        return self._object("get", key, file)

    def putting(self, key: str, file: Path) -> Command:
        """The command that writes an object."""
        return self._object("put", key, file)

    def _object(self, verb: str, key: str, file: Path) -> Command:
        place = f"{self.target.bucket}/{key}"
        words = ("r2", "object", verb, place, "--file", str(file), *self.target.storage())
        return Command(words, self.target.config)

    def _explain(self, error: RefusedError) -> str:
        return f"the bucket {self.target.bucket} did not answer: {error}"
