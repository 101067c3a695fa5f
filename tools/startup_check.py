"""Runs the Worker's top level as a deploy does, and starts from the snapshot it leaves.

Cloudflare runs the top level once at deploy and stores the memory. Randomness, a JavaScript
object kept in a global, or anything else that a snapshot cannot hold, breaks only there: local
runs take no snapshot. workerd can do both steps itself.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local_config import prepare_local_config
from paths import CACHE, LOCAL_CONFIG
from wrangler import WranglerError, wrangler

MAIN = "startup_check_main.py"
SNAPSHOT = "snapshot.bin"
CHECKING_FLAGS = ["python_dedicated_snapshot", "python_check_rng_state"]

# workerd calls `test` after the top level; started from the snapshot it must find the Worker whole.
MAIN_SOURCE = """\
from entry import RateLimiter, on_fetch
from services.tracking.user_agents import describe_client

def test(*_):
    assert describe_client("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0").os == "Linux"
    print("started from the snapshot")
"""

CONFIG = """\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [{modules}],
  compatibilityDate = "{date}",
  compatibilityFlags = {flags},
  durableObjectNamespaces = [(className = "RateLimiter", uniqueKey = "startup-check")],
  durableObjectStorage = (inMemory = void),
))]);
"""


class StartupError(Exception):
    """The Worker does not start as deployed; the message is what workerd said."""


def bundle_worker(folder: Path, environment: str | None = None) -> None:
    """Writes the Worker into a folder, file by file, as it would be uploaded.

    An `environment` of None is this machine.

    Raises:
        WranglerError: it cannot be bundled.
    """
    bundling = ("deploy", "--dry-run", "--outdir", folder)
    if environment:
        wrangler(*bundling, "--env", environment, config=None)
    else:
        wrangler(*bundling)


def check_startup(folder: Path) -> int:
    """Takes the snapshot of a bundled Worker and starts from it; returns the snapshot's bytes.

    Raises:
        StartupError: the top level does what no snapshot can hold, or the start from it fails.
    """
    (folder / MAIN).write_text(MAIN_SOURCE, encoding="utf-8")
    config = folder / "startup_check.capnp"
    config.write_text(workerd_config(folder, MAIN, CHECKING_FLAGS), encoding="utf-8")
    # Beside the bundle, not in it: a snapshot is no module.
    with tempfile.TemporaryDirectory() as snapshots:
        _workerd_test(config, snapshots, "--python-save-snapshot")
        snapshot = Path(snapshots) / SNAPSHOT
        if not snapshot.exists():
            raise StartupError("workerd stored no snapshot")
        output = _workerd_test(config, snapshots, f"--python-load-snapshot={SNAPSHOT}")
        if "started from the snapshot" not in output:
            raise StartupError(f"the Worker did not start from its snapshot:\n{output}")
        return snapshot.stat().st_size


def workerd_config(folder: Path, main: str, flags: Sequence[str]) -> str:
    """The configuration of workerd for the bundle in a folder, with flags beside the local ones."""
    local = json.loads(LOCAL_CONFIG.read_text(encoding="utf-8"))
    names = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix in {".py", ".js", ".pth"} and path.name not in (MAIN, main)
    )
    modules = [
        f'(name = "{name}", {module_kind(name)} = embed "{name}")' for name in [main, *names]
    ]
    return CONFIG.format(
        modules=", ".join(modules),
        date=local["compatibility_date"],
        flags=json.dumps([*local["compatibility_flags"], *flags]),
    )


def module_kind(name: str) -> str:
    """How workerd takes a file of the bundle: our own as Python, vendored ones as data."""
    if name.endswith(".js"):
        return "esModule"
    return "data" if name.startswith("python_modules/") else "pythonModule"


def _workerd_test(config: Path, snapshots: str, option: str) -> str:
    process = subprocess.run(
        [
            *(str(CACHE / "workerd"), "test", str(config), "--experimental"),
            *(option, f"--python-snapshot-dir={snapshots}"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise StartupError(process.stdout)
    return process.stdout


def main() -> int:
    """Bundles and checks the Worker of this checkout."""
    prepare_local_config()
    folder = Path(tempfile.mkdtemp())
    try:
        bundle_worker(folder)
        size = check_startup(folder)
    except (StartupError, WranglerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    print(f"the Worker starts from its snapshot ({size / 1_048_576:.0f} MiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
