"""The high-water mark in the bucket, and the database that is judged against it.

The Worker raises the mark with each cron run. Only `accept_database` lowers it, and remembers that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

from ops.backup.index import backup_manifest_key, read_index
from ops.cloudflare.bucket import Bucket
from ops.cloudflare.database import Database, MissingSchemaError, Row
from ops.cloudflare.target import Target
from ops.cloudflare.wrangler_command import RefusedError
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import note
from services.loss.contents import (
    COUNT_EVENTS,
    MAX_EVENTS_MEANWHILE,
    RAISE_EVENT_IDS,
    READ_CONTENTS,
    DatabaseContents,
)
from services.loss.high_water_mark import (
    KEY,
    HighWaterMark,
    UnreadableMarkError,
    accepted_mark,
    mark_of_manifests,
    parse_mark,
)
from services.loss.judgement import judge_loss
from services.loss.schema import (
    LAST_MIGRATION,
    MIGRATIONS,
    READ_TABLES,
    has_all_tables,
    missing_tables,
)

FORGET_BACKUPS = "DELETE FROM backups"


def read_mark(target: Target) -> HighWaterMark | None:
    """Read the mark; in place of one that is gone or cannot be read, what the backups say.

    None where there is no backup either that names its database.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    bucket = Bucket(target)
    try:
        mark = parse_mark(bucket.read(KEY))
    except UnreadableMarkError as error:
        note(f"{target.bucket}/{KEY} cannot be read, and the backups stand for it: {error}")
        return _rebuilt_mark(bucket)
    if mark is None and (mark := _rebuilt_mark(bucket)):
        note(f"{target.bucket}/{KEY} is missing, and the backups stand for it")
    return mark


def _rebuilt_mark(bucket: Bucket) -> HighWaterMark | None:
    """Make a mark out of the manifests of the newest backup and the fullest one."""
    try:
        backups = [backup for backup in read_index(bucket.read_json) or () if backup.verified]
    except NoAnswerError:
        # It is damaged; the cron makes it anew.
        return None
    if not backups:
        return None
    fullest = max(backups, key=lambda backup: backup.events)
    manifests = []
    for backup_id in dict.fromkeys((backups[0].id, fullest.id)):
        with suppress(NoAnswerError):
            manifests.append(bucket.read_json(backup_manifest_key(backup_id)))
    return mark_of_manifests(manifests)


def read_database_contents(target: Target) -> DatabaseContents:
    """Read the identity of a database and how much it holds; no id where its tables are missing.

    Raises:
        NoAnswerError: it does not answer.
    """
    database = Database(target)
    try:
        names, [row] = database.ask(READ_TABLES, READ_CONTENTS)
    except MissingSchemaError:
        [names] = database.ask(READ_TABLES)
        return DatabaseContents(missing=_missing_tables(database, names))
    return DatabaseContents(**row, missing=_missing_tables(database, names))


def _missing_tables(database: Database, rows: Sequence[Row]) -> tuple[str, ...]:
    names = {row["name"] for row in rows}
    if has_all_tables(names):
        return ()
    last = database.ask(LAST_MIGRATION)[0][0]["name"] if MIGRATIONS in names else None
    return tuple(missing_tables(names, last))


def accept_database(
    target: Target, mark: HighWaterMark | None, reason: str, *, is_restored: bool = False
) -> HighWaterMark:
    """Set the mark to what the database holds now, and return it; backups of a lost one begin anew.

    The next event of a database that was lost, or is a restored one, gets an id that no event had.

    Raises:
        OpsError: the database has no identity, as before the migration that gives it one, or lacks
            a table that it had.
        NoAnswerError: D1 or R2 does not answer.
    """
    contents = read_database_contents(target)
    if contents.missing and "database_identity" not in contents.missing:
        raise OpsError(
            f"{target.database} lacks tables ({', '.join(contents.missing)}), and no migration"
            " makes them again: ./ppp restore does; if one has not ended, run it again"
        )
    if contents.database_id is None:
        raise OpsError(
            f"{target.database} has no identity: a restore into it has not ended (run it again), or"
            f" it lacks the migration that gives it one: `npx wrangler d1 migrations apply"
            f" {' '.join(target.arguments())}`, then the same command again"
        )
    # Judged before its ids are raised, which would make a database that was set back look whole.
    is_lost = judge_loss(mark, contents) is not None
    highest = mark.highest_event + MAX_EVENTS_MEANWHILE if mark and (is_lost or is_restored) else 0
    if highest > contents.highest_event:
        # A receipt of an erasure names events by their ids, in whatever database they were.
        raise_event_ids(target, highest)
        contents = replace(contents, highest_event=highest)
    [[row]] = Database(target).ask(COUNT_EVENTS)
    if is_lost:
        # They describe what was: one may go on where another database ended, or is gone from R2.
        # The next run begins with a full one.
        Database(target).ask(FORGET_BACKUPS)
    accepted = accepted_mark(mark, contents, row["events"], reason, datetime.now(UTC))
    Bucket(target).write(KEY, accepted.as_bytes())
    return accepted


@contextmanager
def marked_as_lost(target: Target, reason: str) -> Iterator[None]:
    """Let the database count as lost from now on, for a reason, until somebody accepts it.

    If it is refused what the block does, the mark is what it was. Without a mark, as before the
    first run of the cron, nothing is compared, and nothing is marked.

    Raises:
        NoAnswerError: R2 does not answer.
    """
    mark, bucket = read_mark(target), Bucket(target)
    if mark:
        bucket.write(KEY, replace(mark, missing=reason).as_bytes())
    try:
        yield
    except RefusedError:
        if mark:
            bucket.write(KEY, mark.as_bytes())
        raise


def raise_event_ids(target: Target, highest: int) -> None:
    """Let the next event have an id above `highest`, the highest one that was ever given.

    Raises:
        MissingSchemaError: the database has no tables.
        NoAnswerError: it does not answer.
    """
    parameters = f"'{json.dumps({'highest': int(highest)})}'"
    Database(target).ask(*(statement.replace("?1", parameters) for statement in RAISE_EVENT_IDS))


def acceptance_time(mark: HighWaterMark | None) -> datetime | None:
    """Return when somebody last accepted the database; None if nobody did."""
    if mark is None or not mark.accepted:
        return None
    try:
        moment = datetime.fromisoformat(str(mark.accepted[-1]["at"]))
    except (LookupError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
