"""Time Travel: copies of a database at bookmarks, taken before entry change by the API."""

from __future__ import annotations

import itertools
import secrets
import shutil
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from stand_in.cloud import Cloud
from stand_in.refusals import RefusedCallError
from stand_in.requests import ApiRequest

MAX_COPIES = 30
_numbers = itertools.count(1)


def new_bookmark() -> str:
    """Return a bookmark in D1's form; a later one sorts behind an earlier one."""
    moment = time.time_ns() // 1_000_000
    return f"{moment:016x}-{next(_numbers):08x}-00004e2f-{secrets.token_hex(16)}"


def keep_copy(cloud: Cloud, database_id: str) -> str:
    """Copy a database as it is, and return its bookmark."""
    folder = cloud.folder / "bookmarks" / database_id
    folder.mkdir(parents=True, exist_ok=True)
    bookmark = new_bookmark()
    file = cloud.database_path(database_id)
    if file.exists():
        with (
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(folder / bookmark)) as copy,
        ):
            source.backup(copy)
    for expired in sorted(folder.iterdir())[:-MAX_COPIES]:
        expired.unlink()
    return bookmark


def show_bookmark(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Return the bookmark of a moment, or of now."""
    database_id = cloud.database_id(name)
    moment = request.query.get("timestamp")
    if moment is None:
        return {"bookmark": keep_copy(cloud, database_id)}
    return {"bookmark": _copy_at(cloud, database_id, datetime.fromisoformat(moment)).name}


def restore(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Set a database back to a bookmark or a moment, in place."""
    database_id = cloud.database_id(name)
    bookmark, moment = request.query.get("bookmark"), request.query.get("timestamp")
    if bookmark is None:
        at = datetime.fromisoformat(str(moment))
        source = _copy_at(cloud, database_id, at)
    else:
        source = cloud.folder / "bookmarks" / database_id / bookmark
    if not source.exists():
        raise RefusedCallError(HTTPStatus.BAD_REQUEST, 7400, "Invalid bookmark")
    previous = keep_copy(cloud, database_id)
    cloud.stop_workerd()
    file = cloud.database_path(database_id)
    for suffix in ("-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(source, file)
    cloud.restart()
    return {
        "bookmark": source.name,
        "previous_bookmark": previous,
        "message": f"The database was restored to {source.name}",
    }


def _copy_at(cloud: Cloud, database_id: str, moment: datetime) -> Path:
    """Return the first copy after a moment, which holds what the database held then."""
    milliseconds = int(moment.astimezone(UTC).timestamp() * 1000)
    folder = cloud.folder / "bookmarks" / database_id
    copies = sorted(folder.iterdir()) if folder.exists() else []
    later = (copy for copy in copies if int(copy.name.partition("-")[0], 16) >= milliseconds)
    copy = next(later, None)
    return copy or folder / keep_copy(cloud, database_id)
