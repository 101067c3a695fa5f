"""The Worker of this checkout, run on this machine with a restored database, for a smoke test."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dev_worker import DevError, start_worker
from local_config import prepare_local_config
from new_api_key import new_api_key
from ops.cloudflare.target import BINDING, BUCKET_BINDING, Target
from ops.terminal.errors import OpsError
from ops.worker_api.client import Api, open_client
from ops.worker_api.worker import Key, Worker
from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import BundleError
from worker_source import SourceError

# In the checkout: the paths in a configuration are relative to its file.
SCRATCH_BUCKET = "ppp-scratch"
MAX_LOG_LINES = 10
CONFIG_FILE = ROOT / f"wrangler.drill-{os.getpid()}.json"


@contextmanager
def scratch_worker(database: Target, folder: Path, *, own_bucket: bool = True) -> Iterator[Api]:
    """Run the Worker on a database, and open its API with an admin's key.

    A database at Cloudflare is used remotely, with KV and R2 that are empty. On this machine the
    bucket is another than the live one's, whose high-water mark a restored database may not reach,
    unless `own_bucket` is false.

    Raises:
        OpsError: the Worker cannot run, or does not get healthy.
    """
    try:
        prepare_local_config()
    except (BundleError, SourceError) as error:
        raise OpsError(f"no Worker can run here: {error}") from None
    key, entry = new_api_key("drill", "admin")
    config = _config(database, own_bucket=own_bucket)
    CONFIG_FILE.write_text(json.dumps(config), encoding="utf-8")
    log_file = folder / f"worker-{os.getpid()}.log"
    log = log_file.open("w", encoding="utf-8")
    process = start_worker(
        _free_port(),
        {"API_KEYS": json.dumps([entry])},
        config=CONFIG_FILE,
        storage=folder / "state" if database.environment else database.folder,
        log=log,
    )
    try:
        process.wait()
        worker = Worker("drill", process.url)
        drill_key = Key("the key of this drill", key)
        with open_client(worker, drill_key) as http:
            yield Api(worker, drill_key, http)
    except DevError as error:
        raise OpsError(f"{error} {_last_lines(log_file)}".strip()) from None
    finally:
        process.stop()
        log.close()
        CONFIG_FILE.unlink(missing_ok=True)


def _config(database: Target, *, own_bucket: bool) -> dict[str, object]:
    config: dict[str, object] = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    binding = {
        "binding": BINDING,
        "database_name": database.database,
        "database_id": database.database_id,
        "remote": database.environment is not None,
    }
    config["d1_databases"] = [binding]
    if own_bucket:
        config["r2_buckets"] = [{"binding": BUCKET_BINDING, "bucket_name": SCRATCH_BUCKET}]
    return config


def _last_lines(log_file: Path) -> str:
    """Return the end of the Worker's log, which is not printed while all is well."""
    lines = log_file.read_text(encoding="utf-8", errors="replace").splitlines()
    return " / ".join(lines[-MAX_LOG_LINES:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
