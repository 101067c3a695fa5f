"""Paths in the checkout, of its sources and of what the tools make."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_BIN = ROOT / "node_modules" / ".bin"
VENV_BIN = ROOT / ".venv" / "bin"
CACHE = ROOT / ".cache"
BUNDLES = CACHE / "pyodide"
ASSETS = ROOT / "build" / "assets"
LOCAL_CONFIG = ROOT / "wrangler.local.json"
# What `make dev` keeps: D1, KV and R2, in wrangler's own folder.
LOCAL_STORAGE = ROOT / ".wrangler" / "state"
# The API key that `make dev` made for this machine.
DEV_KEY = CACHE / "dev-api-key"


def tool_environment() -> dict[str, str]:
    """Return wrangler's environment variables: the pinned Node first, our workerd, no telemetry."""
    return os.environ | {
        "PATH": f"{NODE_BIN}{os.pathsep}{VENV_BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "MINIFLARE_WORKERD_PATH": str(CACHE / "workerd"),
        # Node keeps what it compiled of wrangler, whose start is mostly that.
        "NODE_COMPILE_CACHE": str(CACHE / "node"),
        "WRANGLER_SEND_METRICS": "false",
        # It would ask where this machine is, which offline only costs time.
        "CLOUDFLARE_CF_FETCH_ENABLED": "false",
    }
