"""This checkout's Worker, on this machine, on a database of its own: for a smoke test."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev import DevError, start_worker
from local_config import prepare_local_config
from new_api_key import new_api_key
from ops.cloudflare.target import BINDING, Target
from ops.terminal.errors import OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, Worker
from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import BundleError

# In the checkout, because the Worker's files are found from where its configuration lies.
CONFIG = ROOT / f"wrangler.drill-{os.getpid()}.json"


@contextmanager
def worker_on(database: Target, folder: Path) -> Iterator[Api]:
    """Runs the Worker on a database, and gives the way to it with an admin's key.

    KV and R2 are empty ones in `folder`; a database at Cloudflare is used there.

    Raises:
        OpsError: it does not get healthy.
    """
    try:
        prepare_local_config()
    except BundleError as error:
        raise OpsError(f"no Worker can run here: {error}") from None
    key, entry = new_api_key("drill", "admin")
    CONFIG.write_text(json.dumps(_config(database)), encoding="utf-8")
    storage = database.persist_to or ROOT / ".wrangler" / "state"
    process = start_worker(
        _free_port(),
        {"API_KEYS": json.dumps([entry])},
        config=CONFIG,
        storage=folder / "state" if database.environment else storage,
        log=sys.stderr,
    )
    try:
        process.wait()
        worker = Worker("drill", process.url)
        key_of_drill = Key("the key of this drill", key)
        with open_client(worker, key_of_drill) as http:
            yield Api(worker, key_of_drill, http)
    except DevError as error:
        raise OpsError(str(error)) from None
    finally:
        process.stop()
        CONFIG.unlink(missing_ok=True)


def _config(database: Target) -> dict[str, object]:
    config: dict[str, object] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    binding = {
        "binding": BINDING,
        "database_name": database.database,
        "database_id": database.database_id,
        "remote": database.environment is not None,
    }
    return {**config, "d1_databases": [binding]}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
