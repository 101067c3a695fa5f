"""What wrangler runs before it bundles production: the build, and a stop for deployments by hand.

`npx wrangler deploy --env production` is an old habit. It is let through only if `./ppp preflight`
passed for this very checkout within half an hour, or with PPP_FORCE=1. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import worker_source

ROOT = Path(__file__).resolve().parent.parent
# Not in .cache, which a rehearsal shares with the checkout that it copied.
MARK = ROOT / "build" / "preflight.json"
FRESH_SECONDS = 1_800
FORCE_VARIABLE, COMMAND_VARIABLE = "PPP_FORCE", "WRANGLER_COMMAND"
UPLOADING = frozenset({"deploy", "versions upload"})
# All that shapes an upload: the code, what builds it, and the pinned packages.
DEPLOYED = (
    *("src", "migrations", "static", "tools", "wrangler.toml"),
    *("pyproject.toml", "uv.lock", "package.json", "package-lock.json"),
)
LOCAL = "local"
REFUSAL = (
    "refused: {reason}. `./ppp deploy --env production` checks, backs up and goes back by itself; "
    "by hand run `./ppp preflight --env production` first, or set PPP_FORCE=1"
)
NOT_PRODUCTION = (
    "refused: without `--env production` this is the environment of this machine, which is deployed"
    " nowhere. `./ppp deploy --env production` deploys production"
)


def record_preflight(mark: Path = MARK) -> None:
    """Note that every check of production passed for the files of this checkout, now."""
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(json.dumps({"at": time.time(), "files": hash_files()}), encoding="utf-8")


def refusal(mark: Path = MARK) -> str | None:
    """Say why an upload must not go on; None if it may."""
    if os.environ.get(FORCE_VARIABLE) == "1" or _is_dry_run():
        return None
    try:
        passed = json.loads(mark.read_text(encoding="utf-8"))
        age, files = time.time() - passed["at"], passed["files"]
    except (OSError, ValueError, LookupError, TypeError):
        return REFUSAL.format(reason="no preflight has passed here")
    if files != hash_files():
        return REFUSAL.format(reason="files changed since the last preflight that passed")
    if not 0 <= age <= FRESH_SECONDS:
        return REFUSAL.format(reason=f"the last preflight passed {age / 60:.0f} minutes ago")
    return None


def hash_files(root: Path = ROOT) -> str:
    """Return a hash of all that a deployment of a checkout consists of."""
    digest = hashlib.sha256()
    for path in _deployed_files(root):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _deployed_files(root: Path) -> Iterator[Path]:
    for name in DEPLOYED:
        path = root / name
        if path.is_dir():
            yield from sorted(
                file
                for file in path.rglob("*")
                if file.is_file() and not {"__pycache__", "generated"} & {*file.parts}
            )
        elif path.exists():
            yield path


def _is_dry_run() -> bool:
    """Whether the wrangler that runs this was told --dry-run; the hook itself is not told."""
    process = os.getppid()
    while process > 1:
        parent, arguments = _look_up(process)
        if "--dry-run" in arguments and any("wrangler" in word for word in arguments):
            return True
        process = parent
    return False


def _look_up(process: int) -> tuple[int, list[str]]:
    """Return the parent of a process and the arguments of its command line; 0 if it is gone."""
    proc = Path("/proc") / str(process)
    try:
        if proc.parent.exists():
            status = (proc / "status").read_text(encoding="utf-8")
            parent = int(status.partition("PPid:")[2].split()[0])
            return parent, (proc / "cmdline").read_text(encoding="utf-8").split("\0")
        listed = subprocess.run(
            ["ps", "-o", "ppid=,args=", "-p", str(process)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        return int(listed[0]), listed[1:]
    except (OSError, subprocess.CalledProcessError):
        return 0, []


def main() -> int:
    """Stop an upload that is not prepared, or of no environment; or build."""
    if os.environ.get(COMMAND_VARIABLE) in UPLOADING:
        is_local = LOCAL in sys.argv[1:] and not _is_dry_run()
        reason = NOT_PRODUCTION if is_local else refusal()
        if reason:
            print(reason, file=sys.stderr)
            return 1
    if code := subprocess.run(["make", "build"], cwd=ROOT, check=False).returncode:
        return code
    # Of a rehearsal's checkout too, where make does nothing.
    return worker_source.main()


if __name__ == "__main__":
    sys.exit(main())
