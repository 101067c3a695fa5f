"""Objects of the bucket are read while others are still on their way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ops.cloudflare import bucket_objects
from ops.cloudflare.bucket_objects import ArrivingObjects, DownloadedObject
from ops.cloudflare.target import choose_target

KEYS = ["a", "b", "c"]


@pytest.fixture
def arrived(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that came, as they come: the second object is missing, and the first comes last."""
    keys: list[str] = []

    def fetch(_target: object, _keys: Sequence[str], folder: Path) -> Iterator[DownloadedObject]:
        for key, file in (("b", None), ("c", folder / "c"), ("a", folder / "a")):
            keys.append(key)
            yield key, file

    monkeypatch.setattr(bucket_objects, "fetch", fetch)
    return keys


def test_an_object_is_waited_for_and_no_longer(arrived: list[str], tmp_path: Path) -> None:
    objects = ArrivingObjects(choose_target(None, tmp_path, local=True), KEYS, tmp_path)
    assert [*objects] == KEYS
    assert len(objects) == 3
    assert "a" in objects
    assert arrived == []
    assert objects["b"] is None
    assert arrived == ["b"]
    assert objects["a"] == tmp_path / "a"
    assert arrived == ["b", "c", "a"]
    assert objects["c"] == tmp_path / "c"


def test_what_was_not_asked_for_is_not_waited_for(arrived: list[str], tmp_path: Path) -> None:
    objects = ArrivingObjects(choose_target(None, tmp_path, local=True), KEYS, tmp_path)
    assert "d" not in objects
    with pytest.raises(KeyError):
        objects["d"]
    assert arrived == []
