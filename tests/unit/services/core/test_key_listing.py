"""All keys under a prefix, however many pages they come in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from services.core.key_listing import keys_under
from services.core.ports import KeyPage
from tests.unit.memory import MemoryBucket


class Pages(MemoryBucket):
    """A bucket of three keys whose pages hold some of them."""

    def __init__(self, sizes: Sequence[int]) -> None:
        super().__init__()
        self.sizes = sizes

    async def page(self, prefix: str, cursor: str | None) -> KeyPage:
        number = int(cursor or 0)
        first = sum(self.sizes[:number])
        names = [f"{prefix}{key}" for key in range(first, first + self.sizes[number])]
        has_next = number + 1 < len(self.sizes)
        return KeyPage(names, str(number + 1) if has_next else None)


@pytest.mark.parametrize("sizes", [[3], [1, 2], [2, 0, 1], [1, 1, 1, 0]])
def test_the_keys_of_all_pages_are_listed_in_their_order(sizes: list[int]) -> None:
    assert asyncio.run(keys_under(Pages(sizes), "waiting/")) == [
        *("waiting/0", "waiting/1", "waiting/2")
    ]
