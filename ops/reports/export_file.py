"""An export file that is written in steps and survives an interrupted run.

`FILE.part` grows; `FILE.part.json` holds the checkpoint up to which it is complete. A run that
resumes truncates it there. The file gets its own name when all events are in it.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from ops.terminal.errors import OpsError, WrongUsageError
from services.core.text import read_object

CHECKPOINT_FORMAT = 1


class BusyError(OpsError):
    """Another run is writing the file."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How much of an export is written: complete events, their bytes, and the next cursor.

    `until` is the end of its span, so that a resumed export has the same one.
    """

    until: str
    cursor: str | None = None
    events: int = 0
    bytes: int = 0
    is_whole: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the checkpoint for its file."""
        values = asdict(self)
        return {"to": values.pop("until"), **values}


@dataclass(frozen=True, slots=True)
class ExportFile:
    """The file with its two companions. `query` identifies the export that fills it."""

    file: Path
    query: Mapping[str, object]

    @property
    def part(self) -> Path:
        """The incomplete file."""
        return self.file.with_name(f"{self.file.name}.part")

    @property
    def checkpoint_file(self) -> Path:
        """The file that says how much of `part` is complete."""
        return self.file.with_name(f"{self.file.name}.part.json")

    def read_checkpoint(self) -> Checkpoint | None:
        """Return where an earlier run of this export stopped; None if there was none.

        Raises:
            WrongUsageError: the companions are those of another export.
        """
        has_part = self.part.exists() and self.part.stat().st_size
        if not has_part and not self.checkpoint_file.exists():
            return None
        title = dict(read_object(_text_or_empty(self.checkpoint_file)))
        values = title.pop("place", None)
        if title != self._title() or not isinstance(values, dict):
            raise WrongUsageError(
                f"{self.part} is the beginning of another export: repeat that command to finish it,"
                f" or remove {self.part.name} and {self.checkpoint_file.name},"
                " or name another --output"
            )
        return Checkpoint(until=values.pop("to"), **values)

    @contextmanager
    def open_at(self, checkpoint: Checkpoint) -> Iterator[BinaryIO]:
        """Open the part for writing behind a checkpoint. Only its owner may read it.

        Raises:
            OpsError: it cannot be written, or is shorter than the checkpoint.
            BusyError: another run is writing it.
        """
        try:
            descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as part:
                _lock(part)
                self.write_checkpoint(checkpoint)
                if part.seek(0, os.SEEK_END) < checkpoint.bytes:
                    raise OpsError(
                        f"{self.part} is shorter than it was: remove {self.checkpoint_file.name}"
                    )
                part.seek(checkpoint.bytes)
                part.truncate()
                yield part
        except OSError as error:
            raise OpsError(f"{self.part} cannot be written: {error.strerror}") from None

    def write_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Replace the checkpoint atomically."""
        new = self.checkpoint_file.with_name(f"{self.checkpoint_file.name}.new")
        new.write_text(json.dumps({**self._title(), "place": checkpoint.as_json()}), "utf-8")
        new.replace(self.checkpoint_file)

    def _title(self) -> dict[str, object]:
        """Return the checkpoint file's format and the export it belongs to."""
        return {"notes": CHECKPOINT_FORMAT, "wanted": dict(self.query)}

    def finish(self) -> None:
        """Give the complete file its name."""
        self.part.replace(self.file)
        self.checkpoint_file.unlink()

    def discard(self) -> None:
        """Remove the companions."""
        self.part.unlink(missing_ok=True)
        self.checkpoint_file.unlink(missing_ok=True)


def _lock(file: BinaryIO) -> None:
    """Lock the file for this process until it is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"another run writes {file.name}: wait for it") from None


def _text_or_empty(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
