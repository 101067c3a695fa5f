"""The Worker as it is uploaded: its top level, its size, its bindings."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from startup_check import StartupError, check_startup
from wrangler import wrangler

UPLOAD_KIB = 300


def test_the_worker_starts_from_the_snapshot_of_its_top_level(bundle: Path, tmp_path: Path) -> None:
    assert check_startup(shutil.copytree(bundle, tmp_path / "worker")) > 0


@pytest.mark.parametrize(
    ("planted", "complaint"),
    [
        ("import uuid\nuuid.uuid4()", "Randomness is not allowed"),
        ("import random\nrandom.random()", "Randomness is not allowed"),
        ("import js\nKEPT = js.Object.new()", "snapshot"),
    ],
)
def test_what_a_snapshot_cannot_hold_is_found(
    bundle: Path, tmp_path: Path, planted: str, complaint: str
) -> None:
    copy = shutil.copytree(bundle, tmp_path / "worker")
    entry = copy / "entry.py"
    source = entry.read_text(encoding="utf-8")
    entry.write_text(source.replace("_apps: list", f"{planted}\n_apps: list"), encoding="utf-8")

    with pytest.raises(StartupError, match=complaint):
        check_startup(copy)


@pytest.fixture(scope="module")
def dry_run() -> str:
    """What `wrangler deploy --dry-run --env production` says."""
    return wrangler("deploy", "--dry-run", "--env", "production", config=None)


def test_the_upload_for_production_is_small_enough(dry_run: str) -> None:
    size = re.search(r"Total Upload: .* gzip: ([\d.]+) KiB", dry_run)
    assert size
    assert float(size.group(1)) <= UPLOAD_KIB


@pytest.mark.parametrize(
    "binding",
    [
        "env.RATE_LIMITER (RateLimiter)",
        "env.CACHE (1e11be115bd941de900bacedb9439296)",
        "env.DB (ppp-tracking-db)",
        "env.BACKUPS (ppp-pixel-backups)",
        'env.ENVIRONMENT ("production")',
    ],
)
def test_production_has_its_bindings(dry_run: str, binding: str) -> None:
    assert binding in dry_run
