"""Makes .venv with the pinned uv in it. Standard library only; run by the system's Python.

Debian ships Python without `ensurepip`: as root it is installed, else the command is said.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UV = "uv==0.13.8"


def have_ensurepip() -> bool:
    """Whether `python -m venv` can work; installs what is missing where that is possible."""
    if importlib.util.find_spec("ensurepip"):
        return True
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], check=False)
        installation = subprocess.run(["apt-get", "install", "-y", "-qq", package], check=False)
        return installation.returncode == 0
    print(
        f"error: this Python cannot make virtual environments: sudo apt-get install {package}",
        file=sys.stderr,
    )
    return False


def main() -> int:
    """Makes the environment and fills it from uv.lock."""
    if VENV.is_symlink():
        # `--clear` would empty what it leads to, which another checkout may be using.
        print(
            f"error: {VENV} is a link to {VENV.readlink()}, which the set-up would empty:"
            " delete the link, or set that checkout up",
            file=sys.stderr,
        )
        return 1
    if not have_ensurepip():
        return 1
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [str(VENV / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", UV]
    subprocess.run(pip, check=True)
    # uv takes the environment from VIRTUAL_ENV only with --active: .venv is its own choice.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    uv = [str(VENV / "bin" / "uv"), "sync", "--quiet", "--frozen", "--inexact"]
    subprocess.run([*uv, "--python", sys.executable], cwd=ROOT, env=environment, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
