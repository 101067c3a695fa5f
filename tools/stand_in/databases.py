"""D1 as the API shows it: databases, statements, imports and exports."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from stand_in.account import Database
from stand_in.bookmarks import keep_copy, new_bookmark
from stand_in.cloud import Cloud, new_id, new_tag, now_text
from stand_in.refusals import RefusedCallError, failed_query
from stand_in.requests import ApiRequest, Paged, RawAnswer
from stand_in.runtime import StatementError

MAX_BYTES = 10 * 1024**3
MAX_SECONDS = 30
# An import is no request: it is asked for until it is over.
MAX_IMPORT_SECONDS = 3_600
LONG_EXPORT = "Currently processing a long-running export."
OVER_TIME = "D1 DB exceeded its CPU time limit and was reset."
# What SQLite says of the text that ends a transaction which took too long.
_MARKER = "malformed JSON"
_READING = ("SELECT", "EXPLAIN", "WITH", "PRAGMA")


def list_databases(cloud: Cloud, request: ApiRequest) -> Paged:
    """List the databases, page by page."""
    page, size = (int(request.query.get(*entry)) for entry in (("page", "1"), ("per_page", "10")))
    rows = [_describe(cloud, database) for database in cloud.account.databases]
    chosen = rows[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(chosen), "total_count": len(rows)}
    return Paged(chosen, info)


def show_database(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show one database by name or id."""
    cloud.database_id(name)
    database = cloud.account.database(name)
    return _describe(cloud, database) if database else None


def create_database(cloud: Cloud, request: ApiRequest) -> object:
    """Create an empty database.

    Raises:
        RefusedCallError: the name is taken.
    """
    name = request.json()["name"]
    if cloud.account.database(name):
        raise RefusedCallError(
            HTTPStatus.BAD_REQUEST, 7502, f"database with name '{name}' already exists"
        )
    database = Database(new_id(), name, now_text())
    cloud.account.databases.append(database)
    cloud.restart()
    return _describe(cloud, database)


def delete_database(cloud: Cloud, _: ApiRequest, database_id: str) -> None:
    """Delete a database, with all that Time Travel knows of it."""
    database_id = cloud.database_id(database_id)
    cloud.stop_workerd()
    account = cloud.account
    account.databases = [entry for entry in account.databases if entry.uuid != database_id]
    file = cloud.database_path(database_id)
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)
    for copy in (cloud.folder / "bookmarks" / database_id).glob("*"):
        copy.unlink()
    cloud.restart()


def query(cloud: Cloud, request: ApiRequest, database_id: str) -> object:
    """Run statements as one transaction; rows are objects."""
    body = request.json()
    return run_statements(cloud, database_id, body["sql"], body.get("params") or [])


def raw(cloud: Cloud, request: ApiRequest, database_id: str) -> object:
    """Run statements; rows are arrays behind their columns."""
    answers = query(cloud, request, database_id)
    return [
        {
            **answer,
            "results": {
                "columns": list(answer["results"][0]) if answer["results"] else [],
                "rows": [list(row.values()) for row in answer["results"]],
            },
        }
        for answer in answers  # type: ignore[attr-defined]  # a list of mappings
    ]


def run_statements(
    cloud: Cloud, name: str, sql: str, parameters: list[object], max_seconds: int = MAX_SECONDS
) -> list[dict[str, Any]]:
    """Run the statements of a text in one transaction, within D1's limits.

    Raises:
        RefusedCallError: D1 refuses one, or they take longer than `max_seconds`.
    """
    database_id = cloud.database_id(name)
    if database_id in cloud.exporting:
        raise failed_query(LONG_EXPORT)
    statements = list(split_statements(sql))
    if not statements:
        raise failed_query("No SQL statements detected.")
    if any(not statement.upper().startswith(_READING) for statement in statements):
        keep_copy(cloud, database_id)
    # The transaction itself ends in an error when it took too long, and is rolled back.
    limit = f"SELECT iif(unixepoch('subsec') > {time.time() + max_seconds}, json('late'), 1)"
    pairs = [
        (statement, parameters if not index else []) for index, statement in enumerate(statements)
    ]
    try:
        *answers, _ = cloud.runtime.query(database_id, [*pairs, (limit, [])], raw=False)
    except StatementError as error:
        raise failed_query(OVER_TIME if str(error).startswith(_MARKER) else str(error)) from None
    if _size(cloud, database_id) > MAX_BYTES:
        raise failed_query("Exceeded maximum DB size: SQLITE_FULL")
    return [{**answer, "meta": {"served_by": "stand-in", **answer["meta"]}} for answer in answers]


def split_statements(text: str) -> Iterator[str]:
    """Yield the statements of a text, triggers whole."""
    statement = ""
    for piece in text.split(";"):
        statement += f"{piece};"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \t\r\n;") and not _is_comment(statement):
                yield statement.strip()
            statement = ""
    rest = statement.removesuffix(";").strip()
    if rest and not _is_comment(rest):
        yield rest


def _is_comment(statement: str) -> bool:
    lines = (line.strip(" \t\r;") for line in statement.splitlines())
    return all(not line or line.startswith("--") for line in lines)


def import_file(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Take one step of an import: init, ingest, poll."""
    database_id, body = cloud.database_id(name), request.json()
    match body["action"]:
        case "init":
            filename = f"{new_tag()}.{database_id}.sql"
            cloud.uploads[filename] = {"etag": body["etag"], "content": None}
            upload_url = f"{cloud.address}/stand-in/uploads/{filename}"
            return {
                "success": True,
                "type": "import",
                "filename": filename,
                "upload_url": upload_url,
            }
        case "ingest":
            upload = cloud.uploads[body["filename"]]
            bookmark = new_bookmark()
            cloud.uploads[bookmark] = _ingest(cloud, database_id, upload["content"].decode())
            return {
                "success": True,
                "type": "import",
                "status": "active",
                "messages": ["Processed 1 queries."],
                "at_bookmark": bookmark,
            }
        case _:
            return cloud.uploads[body["current_bookmark"]]


def take_upload(cloud: Cloud, request: ApiRequest, filename: str) -> RawAnswer:
    """Take the file of an import, as R2 would."""
    etag = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
    cloud.uploads[filename]["content"] = request.body
    return RawAnswer(b"", headers={"ETag": f'"{etag}"'})


def _ingest(cloud: Cloud, database_id: str, sql: str) -> dict[str, Any]:
    try:
        answers = run_statements(cloud, database_id, sql, [], MAX_IMPORT_SECONDS)
    except RefusedCallError as refusal:
        failure = {"success": False, "error": refusal.message, "errors": [refusal.message]}
        return {**failure, "type": "import", "status": "error", "messages": []}
    rows = {
        name: sum(answer["meta"][name] for answer in answers)
        for name in ("rows_read", "rows_written", "duration", "changes")
    }
    meta = {"served_by": "stand-in", **rows, "size_after": _size(cloud, database_id)}
    outcome = {"num_queries": len(answers), "final_bookmark": new_bookmark(), "meta": meta}
    return {
        "success": True,
        "type": "import",
        "status": "complete",
        "messages": [],
        "result": outcome,
    }


def export(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Begin an export, or give the address of its file; nothing else is answered meanwhile."""
    database_id, body = cloud.database_id(name), request.json()
    bookmark = body.get("current_bookmark")
    answer: dict[str, object] = {"success": True, "type": "export", "messages": []}
    if bookmark is None:
        cloud.exporting.add(database_id)
        bookmark = new_bookmark()
        options = body.get("dump_options") or {}
        flags = [int(bool(options.get(entry))) for entry in ("no_schema", "no_data")]
        tables = options.get("tables") or []
        # miniflare's own dump, which `wrangler d1 export --local` uses.
        dump = ("PRAGMA miniflare_d1_export(?,?,?);", [*flags, *tables])
        [[lines]] = cloud.runtime.query(database_id, [dump], raw=True)
        cloud.uploads[bookmark] = {"content": "\n".join(lines).encode()}
        return {**answer, "status": "active", "at_bookmark": bookmark}
    cloud.exporting.discard(database_id)
    filename = f"{bookmark}.sql"
    url = f"{cloud.address}/stand-in/exports/{bookmark}"
    return {**answer, "status": "complete", "result": {"filename": filename, "signed_url": url}}


def give_export(cloud: Cloud, _: ApiRequest, bookmark: str) -> RawAnswer:
    """Give the file of an export, as R2 would."""
    return RawAnswer(cloud.uploads[bookmark]["content"])


def _describe(cloud: Cloud, database: Database) -> dict[str, object]:
    return {
        "uuid": database.uuid,
        "name": database.name,
        "created_at": database.created_at,
        "version": database.version,
        "file_size": _size(cloud, database.uuid),
        "num_tables": 0,
    }


def _size(cloud: Cloud, database_id: str) -> int:
    file = cloud.database_path(database_id)
    return file.stat().st_size if file.exists() else 0
