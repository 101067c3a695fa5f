"""Download many objects of the bucket at once; wrangler takes seconds for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from bucket_reader import read_objects
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import BUCKET_BINDING, Target
from ops.terminal.output import note

MAX_PARALLEL_COMMANDS = 4

DownloadedObject = tuple[str, Path | None]
"""An object's key and its file; None where the bucket has no such object."""


def fetch(target: Target, keys: Sequence[str], folder: Path) -> Iterator[DownloadedObject]:
    """Download objects into a folder and yield them in the order in which they arrive.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    if not keys:
        return
    download_folder = Path(mkdtemp(dir=folder))
    remaining = dict.fromkeys(keys)
    for key, file in read_objects(_binding(target), target.folder / "v3", keys, download_folder):
        del remaining[key]
        yield key, file
    if remaining:
        note("the bucket could not be read at once: one object after the other instead")
        yield from fetch_singly(target, list(remaining), download_folder)


class ArrivingObjects(Mapping[str, Path | None]):
    """Objects that are read while others are still on their way; reading one waits for it.

    Raises:
        NoAnswerError: R2 does not answer.
    """

    def __init__(self, target: Target, keys: Sequence[str], folder: Path) -> None:
        """Nothing is asked for before the first object is read."""
        self._keys = dict.fromkeys(keys)
        self._downloads = fetch(target, keys, folder)
        self._files: dict[str, Path | None] = {}

    def __getitem__(self, key: str) -> Path | None:
        """Return the file of an object, or None if the bucket has no such object."""
        if key not in self._keys:
            raise KeyError(key)
        while key not in self._files:
            arrived, file = next(self._downloads)
            self._files[arrived] = file
        return self._files[key]

    def __contains__(self, key: object) -> bool:
        """Return whether the object was asked for, without waiting for it."""
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys."""
        return iter(self._keys)

    def __len__(self) -> int:
        """Return how many objects were asked for."""
        return len(self._keys)


def fetch_singly(target: Target, keys: Sequence[str], folder: Path) -> Iterator[DownloadedObject]:
    """Download objects by one wrangler command each.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    bucket = Bucket(target)

    def download(numbered_key: tuple[int, str]) -> DownloadedObject:
        number, key = numbered_key
        content = bucket.read(key)
        if content is None:
            return key, None
        file = folder / f"single-{number}"
        file.write_bytes(content)
        return key, file

    with ThreadPoolExecutor(MAX_PARALLEL_COMMANDS) as pool:
        yield from pool.map(download, enumerate(keys))


def _binding(target: Target) -> dict[str, object]:
    return {
        "binding": BUCKET_BINDING,
        "bucket_name": target.bucket,
        "remote": target.environment is not None,
    }
