"""The identity of a restored database: that of the backup, in a new generation.

What is remembered outside of D1 carries the generation, so that it does not vouch for events that
came after the backup and are gone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress

from ops.backup.high_water import accept_database, read_mark
from ops.cloudflare.database import Database, MissingSchemaError
from ops.cloudflare.target import Target
from ops.restore.sql_files import LEDGER
from ops.restore.sql_text import literal
from ops.restore.staging_database import IDENTITY, StagingDatabase
from ops.terminal.errors import NoAnswerError

ID_CHARACTERS = 32
NEW_GENERATION = f"UPDATE {IDENTITY} SET generation = lower(hex(randomblob(16)))"
_SET_IDENTITY = f"UPDATE {IDENTITY} SET id = ?1 ->> '$', generation = ?1 ->> '$'"
# Backups of an older schema have no identity.
FIRST_MIGRATION = "0026_add_database_identity"


def set_missing_identity(staging: StagingDatabase, meant_id: str | None, seed: str) -> None:
    """Identify a database whose backup is older than identities.

    It is the one that is meant, if the bucket knows that; else its id is made of `seed`, so that a
    restore that is repeated makes the same one.
    """
    database_id = meant_id or hashlib.sha256(seed.encode()).hexdigest()[:ID_CHARACTERS]
    staging.run(_SET_IDENTITY, f'"{database_id}"')


def identify_restored(database: Database, staging: StagingDatabase) -> None:
    """End a restore: give a database that holds the whole backup its id, in a new generation.

    Until then it counts as lost: the Worker stores nothing in it, and no backup is made of it.

    Raises:
        NoAnswerError: it does not answer; the same restore continues there.
    """
    [[database_id]] = staging.database.execute(f"SELECT id FROM {IDENTITY}").fetchall()
    database.ask(
        f"INSERT OR REPLACE INTO {IDENTITY} (only_row, id, generation)"
        f" VALUES (1, {literal(database_id)}, lower(hex(randomblob(16))))",
        f"DROP TABLE IF EXISTS {LEDGER}",
    )


def renew_generation(database: Database) -> None:
    """Give a restored database a new generation.

    Raises:
        NoAnswerError: it does not answer.
    """
    # Time Travel may end before there were generations.
    with suppress(MissingSchemaError):
        database.ask(NEW_GENERATION)


def accept_restored(target: Target, source: str) -> None:
    """Accept a restored database that the Worker uses, also where it holds all that the mark knows.

    Events that came after the last mark are gone, and their ids must not be given again.

    Until then it counts as lost, as another copy than the mark's.

    Raises:
        NoAnswerError: D1 or R2 does not answer; the message says how to accept it later.
    """
    try:
        if mark := read_mark(target):
            accept_database(target, mark, f"restored: {source}", is_restored=True)
    except NoAnswerError as error:
        options = f"--env {target.environment}" if target.environment else "--local"
        raise NoAnswerError(
            f"{target.database} ({target.database_id}) holds the backup and is not accepted yet:"
            f" {error}. When it answers: ./ppp accept-database {options} --reason restored"
        ) from None
