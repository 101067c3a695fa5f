"""The settings of `make dev`: .dev.vars, the API key of this machine, the simulated Pipedrive."""

from __future__ import annotations

import json
import re

from local_storage import replace_text
from new_api_key import entry_of, new_api_key
from paths import DEV_KEY, ROOT
from simulator.fields import demo_field_map
from simulator.server import Simulator

DEV_VARS = ROOT / ".dev.vars"
SYNC_DELAY_SECONDS = 10


def development_key() -> str:
    """Return this machine's API key; create one, and its hash in .dev.vars, if none is set."""
    if not is_set("API_KEYS"):
        written = DEV_VARS.read_text(encoding="utf-8") if DEV_VARS.exists() else ""
        key, entry = new_api_key("development", "admin")
        if written and not written.endswith("\n"):
            written += "\n"
        replace_text(DEV_VARS, f"{written}API_KEYS='{json.dumps([entry])}'\n")
        DEV_KEY.parent.mkdir(exist_ok=True)
        DEV_KEY.write_text(key, encoding="utf-8")
        DEV_KEY.chmod(0o600)
    key = DEV_KEY.read_text(encoding="utf-8") if DEV_KEY.exists() else ""
    # Somebody may have put keys of their own in its place.
    if key and str(entry_of("", "", key)["sha256"]) in DEV_VARS.read_text(encoding="utf-8"):
        return key
    return "(one of those that you wrote into .dev.vars)"


def is_set(name: str) -> bool:
    """Whether .dev.vars has this setting."""
    written = DEV_VARS.read_text(encoding="utf-8") if DEV_VARS.exists() else ""
    return bool(re.search(rf"^\s*(?:export\s+)?{name}\s*=", written, re.MULTILINE))


def uses_own_account() -> bool:
    """Whether .dev.vars names a Pipedrive account, so that none is simulated."""
    return is_set("PIPEDRIVE_API_KEY")


def worker_settings(pipedrive: Simulator | None) -> dict[str, str]:
    """Return the Worker's settings besides those of wrangler.toml and .dev.vars."""
    delay = {"SYNC_DELAY_SECONDS": str(SYNC_DELAY_SECONDS)}
    if pipedrive is None:
        return delay
    return {
        **delay,
        "PIPEDRIVE_URL": pipedrive.api_url,
        "PIPEDRIVE_API_KEY": pipedrive.token,
        "PIPEDRIVE_FIELDS": json.dumps(demo_field_map()),
    }
