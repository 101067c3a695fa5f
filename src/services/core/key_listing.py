"""All keys of a bucket under a prefix, which R2 lists page by page."""

from __future__ import annotations

from collections.abc import Sequence

from services.core.ports import Bucket


async def keys_under(bucket: Bucket, prefix: str) -> Sequence[str]:
    """The keys that begin with a prefix, in their order; raises UnavailableError if R2 fails."""
    page = await bucket.page(prefix, None)
    keys = list(page.names)
    while page.cursor is not None:
        page = await bucket.page(prefix, page.cursor)
        keys += page.names
    return keys
