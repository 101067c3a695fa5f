"""Many objects of the bucket at once, into files; a command of wrangler takes seconds for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import mkdtemp

from bucket_reader import read_objects
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.target import BUCKET_BINDING, Target
from ops.terminal.output import note
from paths import ROOT

AT_ONCE = 4

Fetched = tuple[str, Path | None]


def fetch(target: Target, keys: Sequence[str], folder: Path) -> Iterator[Fetched]:
    """Fetches objects into a folder, and gives each key with its file; None where there is none.

    They come in the order in which they arrive.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    if not keys:
        return
    place = Path(mkdtemp(dir=folder))
    waiting = dict.fromkeys(keys)
    for key, file in read_objects(_binding(target), _storage(target), keys, place):
        del waiting[key]
        yield key, file
    if waiting:
        note("the bucket could not be read at once: one object after the other instead")
        yield from one_by_one(target, list(waiting), place)


def one_by_one(target: Target, keys: Sequence[str], folder: Path) -> Iterator[Fetched]:
    """The same by a command of wrangler for each object.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    bucket = Bucket(target)

    def fetched(numbered: tuple[int, str]) -> Fetched:
        number, key = numbered
        content = bucket.read(key)
        if content is None:
            return key, None
        file = folder / f"single-{number}"
        file.write_bytes(content)
        return key, file

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(fetched, enumerate(keys))


def _binding(target: Target) -> dict[str, object]:
    return {
        "binding": BUCKET_BINDING,
        "bucket_name": target.bucket,
        "remote": target.environment is not None,
    }


def _storage(target: Target) -> Path:
    return (target.persist_to or ROOT / ".wrangler" / "state") / "v3"
