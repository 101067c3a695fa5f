"""A file that an export fills part by part, and that a later run goes on with.

`FILE.part` grows; `FILE.part.json` says how far it is whole. Whatever stands behind that is cut off
by the run that goes on. The file has its name only when nothing is missing.
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

# Of which form the notes are.
NOTES = 1


class BusyError(OpsError):
    """Another run writes the file."""


@dataclass(frozen=True, slots=True)
class Place:
    """How far an export has come: whole events, their bytes, and what to ask for next."""

    to: str
    cursor: str | None = None
    events: int = 0
    bytes: int = 0
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class ExportFile:
    """The file with its two companions. `wanted` is what the command asked for."""

    file: Path
    wanted: Mapping[str, object]

    @property
    def part(self) -> Path:
        """What is there before all is there."""
        return self.file.with_name(f"{self.file.name}.part")

    @property
    def notes(self) -> Path:
        """How far `part` is whole."""
        return self.file.with_name(f"{self.file.name}.part.json")

    def place(self) -> Place | None:
        """Where an earlier run of the same command stopped; None where there was none.

        Raises:
            WrongUsageError: what is there is not of the same command.
        """
        if not self.notes.exists() and (not self.part.exists() or not self.part.stat().st_size):
            return None
        said = dict(read_object(_text(self.notes)))
        place = said.pop("place", None)
        if said != self._title() or not isinstance(place, dict):
            raise WrongUsageError(
                f"{self.part} is the beginning of another export: repeat that command to finish "
                f"it, or remove {self.part.name} and {self.notes.name}, or name another --output"
            )
        return Place(**place)

    @contextmanager
    def opened(self, place: Place) -> Iterator[BinaryIO]:
        """Opens the part for what comes behind a place. Only its owner may read it.

        Raises:
            OpsError: it cannot be written, or is shorter than it was.
            BusyError: another run writes it.
        """
        try:
            descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "r+b") as opened:
                _lock(opened)
                self.note(place)
                if opened.seek(0, os.SEEK_END) < place.bytes:
                    raise OpsError(f"{self.part} is shorter than it was: remove {self.notes.name}")
                opened.seek(place.bytes)
                opened.truncate()
                yield opened
        except OSError as error:
            raise OpsError(f"{self.part} cannot be written: {error.strerror}") from None

    def note(self, place: Place) -> None:
        """Remembers a place, at once or not at all."""
        new = self.notes.with_name(f"{self.notes.name}.new")
        new.write_text(json.dumps({**self._title(), "place": asdict(place)}), "utf-8")
        new.replace(self.notes)

    def _title(self) -> dict[str, object]:
        """What the notes are, and of which export."""
        return {"notes": NOTES, "wanted": dict(self.wanted)}

    def finish(self) -> None:
        """Gives the whole file its name."""
        self.part.replace(self.file)
        self.notes.unlink()

    def forget(self) -> None:
        """Takes the companions away where nothing is in them yet."""
        self.part.unlink(missing_ok=True)
        self.notes.unlink(missing_ok=True)


def _lock(opened: BinaryIO) -> None:
    """Keeps the file for this process, until it is closed."""
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BusyError(f"another run writes {opened.name}: wait for it") from None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
