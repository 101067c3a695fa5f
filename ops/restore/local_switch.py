"""Puts a restored database of this machine in the place of the one that `make dev` serves.

At Cloudflare a deployment does this. Here it is two files: the configuration that wrangler reads,
and the note from which `make dev` writes it anew.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

from dev_state import DevState, running_dev
from local_storage import SERVED, database_file, replace_text, with_database
from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.restore.restore_steps import PreparedRestore, verify_database
from ops.restore.sql_files import is_of_restore
from ops.terminal.errors import NoAnswerError, OpsError
from ops.terminal.output import note
from ops.worker_api.client import open_api
from ops.worker_api.waiting import replay_waiting
from paths import LOCAL_CONFIG, ROOT

# wrangler ends, migrations are looked at, and the Worker starts, on a machine that may be busy.
MAX_WAIT_SECONDS = 300
POLL_SECONDS = 0.2


def read_as_worker(restored: Target, prepared: PreparedRestore) -> Sequence[str]:
    """Read a database again with the configuration that the Worker will have; list what is wrong.

    Raises:
        NoAnswerError: it cannot be read; the same restore continues there.
    """
    config = ROOT / f"wrangler.restored-{os.getpid()}.json"
    as_worker = replace(restored, own_config=config)
    try:
        replace_text(config, _config_with(restored))
        if not is_of_restore(Database(as_worker), prepared.content.plan):
            return ["the Worker would open another database than the one that was filled"]
        return verify_database(as_worker, prepared)
    except NoAnswerError as error:
        raise NoAnswerError(
            f"{restored.database} is filled, and cannot be read as the Worker will: {error}. "
            "Run the same command again: it goes on there"
        ) from None
    finally:
        config.unlink(missing_ok=True)


def serve_locally(restored: Target) -> None:
    """Let the local Worker use a database."""
    replace_text(LOCAL_CONFIG, _config_with(restored))
    replace_text(SERVED, restored.database_id)


def _config_with(restored: Target) -> str:
    """Return the configuration of the local Worker, with the restored database."""
    return with_database(LOCAL_CONFIG.read_text(encoding="utf-8"), restored.database_id)


def wait_until_served(restored: Target) -> str:
    """Wait until a running `make dev` uses the database; return what happened, in a line."""
    if running_dev() is None:
        return "`make dev` does not run; it serves this database from its next start on."
    note("waiting until `make dev` serves it")
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    while state := running_dev():
        if _serves(state, restored):
            return f"`make dev` serves it now, at {state.url}."
        if time.monotonic() > deadline:
            waited = f"after {MAX_WAIT_SECONDS} seconds"
            return f"`make dev` does not serve it {waited}: stop it and start it."
        time.sleep(POLL_SECONDS)
    return "`make dev` ended meanwhile: what it says is in its terminal; start it again."


def replay_locally() -> str:
    """Let the Worker of `make dev` store the events that wait; return their counts, in a line."""
    if running_dev() is None:
        return "Events that wait in R2 are stored when `make dev` runs: ./ppp replay --local"
    try:
        with open_api(None, None, local=True) as api:
            return str(replay_waiting(api, lambda _: None))
    except OpsError as error:
        return f"Events that wait in R2 are not stored yet ({error}): ./ppp replay --local"


def _serves(state: DevState, restored: Target) -> bool:
    file = database_file(restored.database_id, restored.folder)
    return state.is_ready and state.database == str(file)
