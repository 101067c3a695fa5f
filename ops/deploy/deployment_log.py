"""The log of deployments: an object in the bucket, which outlives the database.

One JSON object a line, the oldest first. A deployment writes a line when it starts and one when it
ends; the last line of an id counts. It holds no personal data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ops.cloudflare.bucket import Bucket
from ops.terminal.errors import NoAnswerError

LOG_KEY = "deployments/log.ndjson"
TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"

# What every version of the log has, and readers need.
REQUIRED = ("id", "kind", "state", "at", "database_id")

DeploymentEntry = dict[str, Any]


def read_log(bucket: Bucket) -> Sequence[DeploymentEntry]:
    """Return all deployments and rollbacks, the oldest first.

    Raises:
        NoAnswerError: R2 did not answer, or the log is damaged.
    """
    return _parse(bucket.read(LOG_KEY) or b"")


def append_to_log(bucket: Bucket, entry: DeploymentEntry) -> None:
    """Append an entry to the log.

    Raises:
        NoAnswerError: R2 did not answer, or the log is damaged; the log is unchanged.
    """
    before = bucket.read(LOG_KEY) or b""
    _parse(before)
    line = json.dumps(entry, ensure_ascii=False)
    bucket.write(LOG_KEY, before + f"{line}\n".encode())


def new_deployment_id(now: datetime) -> str:
    """Return the id of a deployment that starts at a time in UTC: `20261121T153200Z`."""
    return now.strftime("%Y%m%dT%H%M%SZ")


def _parse(content: bytes) -> Sequence[DeploymentEntry]:
    try:
        lines = [json.loads(line) for line in content.decode().splitlines() if line]
        by_id = {line["id"]: line for line in lines}
        is_whole = all(isinstance(line[name], str) for line in lines for name in REQUIRED)
    except (ValueError, LookupError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise NoAnswerError(f"{LOG_KEY} in the bucket is damaged: put it right by hand")
    return list(by_id.values())
