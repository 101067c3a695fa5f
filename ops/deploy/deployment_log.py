"""The log of deployments: a file in the bucket, which outlives the database and every laptop.

One JSON object a line, the oldest first. A deployment writes a line when it begins to change
something and one when it ends; the last line of an id counts. Nothing personal is in it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ops.cloudflare.bucket import Bucket
from ops.terminal.errors import NoAnswerError

LOG = "deployments/log.ndjson"
TIME = "%Y-%m-%dT%H:%M:%SZ"

Entry = dict[str, Any]


def read_log(bucket: Bucket) -> Sequence[Entry]:
    """What was deployed and rolled back, the oldest first; nothing where there is no log yet.

    Raises:
        NoAnswerError: R2 did not answer, or what it has is no log.
    """
    return _read(bucket.read(LOG) or b"")


def add_to_log(bucket: Bucket, entry: Entry) -> None:
    """Adds a line, `id` and all.

    Raises:
        NoAnswerError: R2 did not answer; the log is as it was.
    """
    before = bucket.read(LOG) or b""
    _read(before)
    line = json.dumps(entry, ensure_ascii=False)
    bucket.write(LOG, before + f"{line}\n".encode())


def new_id(now: datetime) -> str:
    """The id of what begins now, in UTC: `20261121T153200Z`."""
    return now.strftime("%Y%m%dT%H%M%SZ")


def _read(content: bytes) -> Sequence[Entry]:
    try:
        lines = [json.loads(line) for line in content.decode().splitlines() if line]
        by_id = {line["id"]: line for line in lines}
    except (ValueError, LookupError, TypeError):
        raise NoAnswerError(f"{LOG} in the bucket is damaged: put it right by hand") from None
    return list(by_id.values())
