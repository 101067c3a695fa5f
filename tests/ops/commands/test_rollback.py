"""`ppp rollback`: what it lists, and where it has to end on a machine without Cloudflare."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.cloudflare.bucket import Bucket
from ops.deploy.deployment_log import LOG_KEY, append_to_log
from ops.terminal.errors import NoAnswerError
from pyodide_bundle import Bundle
from tests.ops.deployed import local
from tests.ops.running import fails, here, ppp

STARTED = {
    "id": "20261120T030000Z",
    "kind": "deployment",
    "state": "started",
    "at": "2026-11-20T03:00:00Z",
    "version": "3.1.0",
    "worker_version": "new-version",
    "backup": "20261120T025900Z-manual",
    "reason": None,
}


def test_the_log_is_listed_and_the_last_line_of_an_id_counts(
    local_config: Bundle, tmp_path: Path
) -> None:
    bucket = Bucket(local(tmp_path))
    append_to_log(bucket, STARTED)
    append_to_log(bucket, STARTED | {"state": "rolled back", "reason": "with 10 % it was ill"})
    output = here("rollback", "--local", "--persist-to", tmp_path)
    assert output.code == 1
    printed = " ".join(output.out.split())
    assert "2026-11-20 03:00 rolled back 3.1.0 new-version" in printed
    assert printed.count("20261120T030000Z: ") == 1
    assert "backup 20261120T025900Z-manual, reason with 10 % it was ill" in printed
    assert "there are no versions on this machine" in output.err


def test_a_damaged_log_is_said_and_never_written_over(local_config: Bundle, tmp_path: Path) -> None:
    bucket = Bucket(local(tmp_path))
    bucket.write(LOG_KEY, b'{"id": "1"}\n{"id"')
    with pytest.raises(NoAnswerError, match="is damaged: put it right by hand"):
        append_to_log(bucket, STARTED)
    assert bucket.read(LOG_KEY) == b'{"id": "1"}\n{"id"'


def test_nobody_is_logged_in(home: Path, local_config: Bundle) -> None:
    output = ppp("rollback", "some-version", "--env", "production", "--yes", home=home)
    assert "npx wrangler login" in fails(output, 3)
