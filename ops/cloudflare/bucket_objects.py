"""Download many objects of the bucket at once; wrangler takes seconds for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
