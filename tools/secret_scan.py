"""Looks for keys, tokens and passwords in everything that git has of this checkout.

`detect-secrets` knows what keys of many services look like, and texts that are too random to be
words. What is below opens nothing: made-up values of tests and examples of the API document.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence

from paths import CACHE, ROOT, VENV_BIN

# Hashes of packages, pictures, and files that `make release` made.
NOT_SCANNED = r"(?:^|/)(?:uv|package-lock)\..*$|\.png$|^static/releases/"
MADE_UP = (
    r"hunter2.*|secret(?:_text)?|some-key|wrong|other|k\d|first-plain-key.*|pass|"
    r"(?:0123456789abcdef)+[0-9]*|fedcba9876543210|eyJhbGciOiJIUzI1NiJ9\.e30|"
    r"3c59dc048e8850243be8079a5c74d079|a `webhook_url(?:.|\n)*"
)
# Ids and sums in examples of the API document (read as YAML, each value in quotation marks), an
# integrity that a test computes, the sum of our own rules, the id of a page of a form builder.
LINES_WITHOUT_SECRETS = (
    r"(?:example|sha256|event_key): \W*[0-9a-f]+\W*$|digest\b.* == |digest = b\"|data-wf-page-id="
)
CLEAN = CACHE / "without-secrets.json"


def files_of_git() -> Sequence[str]:
    """The paths of all files that git has, or would add.

    Raises:
        SystemExit: git refuses, as where another user owns the checkout.
    """
    ask = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(ask, cwd=ROOT, check=False, capture_output=True, text=True)
    if listing.returncode != 0:
        sys.exit(f"secret_scan: git names no files: {' '.join(listing.stderr.split())}")
    names = listing.stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def sums_of(names: Sequence[str]) -> dict[str, str]:
    """The checksum of each file."""
    return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in names}


def main() -> int:
    """Prints what looks like a secret, with its file and line; 1 if there is any.

    A file that was clean is scanned again once it changes: all of them take some 15 seconds.
    """
    sums = {"rules": sums_of(["tools/secret_scan.py"])} | {"files": sums_of(files_of_git())}
    clean = json.loads(CLEAN.read_text(encoding="utf-8")) if CLEAN.exists() else {}
    clean_sums = clean.get("files", {}) if clean.get("rules") == sums["rules"] else {}
    changed = [name for name, digest in sums["files"].items() if clean_sums.get(name) != digest]
    if not changed:
        return 0
    scan = [str(VENV_BIN / "detect-secrets-hook"), "--no-verify"]
    scan += ["--exclude-files", NOT_SCANNED, "--exclude-lines", LINES_WITHOUT_SECRETS]
    scan += ["--exclude-secrets", f"^(?:{MADE_UP})$"]
    code = subprocess.run([*scan, *changed], cwd=ROOT, check=False).returncode
    if code == 0:
        CACHE.mkdir(exist_ok=True)
        CLEAN.write_text(json.dumps(sums), encoding="utf-8")
    return code


if __name__ == "__main__":
    sys.exit(main())
