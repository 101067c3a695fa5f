"""Writes wrangler.local.json: wrangler.toml's top level, made to run on this machine.

Differences, each for a reason: the compatibility flags select the Pyodide bundle that is at hand;
the build command is gone, because make has built everything already; a local run needs no
production environment; the database may be one that a restore put in place of the first one.
"""

from __future__ import annotations

import json
import sys
import tomllib
from typing import Any

from file_lock import waiting_lock
from local_storage import replace_text, served_database, with_database
from paths import LOCAL_CONFIG, ROOT
from pyodide_bundle import Bundle, BundleError, choose_bundle
from worker_source import SourceError, build_worker


def read_wrangler_toml() -> dict[str, Any]:
    """Return the content of wrangler.toml."""
    return tomllib.loads((ROOT / "wrangler.toml").read_text(encoding="utf-8"))


def local_config(wrangler: dict[str, Any], bundle: Bundle) -> dict[str, Any]:
    """The local environment of wrangler.toml with the flags for the bundle."""
    config = {key: value for key, value in wrangler.items() if key not in {"env", "build"}}
    config["compatibility_flags"] = bundle.flags(wrangler["compatibility_flags"])
    return config


def prepare_local_config() -> Bundle:
    """Prepares the Pyodide bundle and build/worker, and writes wrangler.local.json for them.

    Raises:
        BundleError: no bundle can be had.
        SourceError: a source file is no Python.
    """
    build_worker()
    with waiting_lock(ROOT / "wrangler.toml"):
        wrangler = read_wrangler_toml()
        bundle = choose_bundle(wrangler["compatibility_date"], wrangler["compatibility_flags"])
        [database] = wrangler["d1_databases"]
        served = served_database(database["database_id"])
        text = with_database(json.dumps(local_config(wrangler, bundle)), served)
        # Left alone where it is right: another process may be reading it.
        if not LOCAL_CONFIG.exists() or LOCAL_CONFIG.read_text(encoding="utf-8") != text:
            replace_text(LOCAL_CONFIG, text)
    return bundle


def main() -> int:
    """Prepares and says in one line which bundle it is."""
    try:
        bundle = prepare_local_config()
    except (BundleError, SourceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Pyodide bundle: {bundle.description}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
