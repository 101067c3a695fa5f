"""The Worker of this checkout, run on this machine with a restored database, for a smoke test."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev_worker import DevError, start_worker
from local_config import prepare_local_config
from new_api_key import new_api_key
from ops.cloudflare.target import BINDING, Target
from ops.terminal.errors import OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, Worker
from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import BundleError

# In the checkout: the paths in a configuration are relative to its file.
CONFIG_FILE = ROOT / f"wrangler.drill-{os.getpid()}.json"


@contextmanager
def scratch_worker(database: Target, folder: Path) -> Iterator[Api]:
    """Run the Worker on a database, and open its API with an admin's key.

    KV and R2 are new and empty in `folder`; a database at Cloudflare is used remotely.

    Raises:
        OpsError: the Worker cannot run, or does not get healthy.
    """
    try:
        prepare_local_config()
    except BundleError as error:
        raise OpsError(f"no Worker can run here: {error}") from None
    key, entry = new_api_key("drill", "admin")
    CONFIG_FILE.write_text(json.dumps(_config(database)), encoding="utf-8")
    process = start_worker(
        _free_port(),
        {"API_KEYS": json.dumps([entry])},
        config=CONFIG_FILE,
        storage=folder / "state" if database.environment else database.folder,
        log=sys.stderr,
    )
    try:
        process.wait()
        worker = Worker("drill", process.url)
        drill_key = Key("the key of this drill", key)
        with open_client(worker, drill_key) as http:
            yield Api(worker, drill_key, http)
    except DevError as error:
        raise OpsError(str(error)) from None
    finally:
        process.stop()
        CONFIG_FILE.unlink(missing_ok=True)


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
