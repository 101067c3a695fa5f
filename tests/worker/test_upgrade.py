"""docs/upgrade.md: what it asks with curl is answered as it says, and jq and grep agree."""

from __future__ import annotations

import re
import subprocess

import pytest

from paths import ROOT
from tests.harness.keys import ADMIN_KEY
from tests.harness.worker import PIXEL, Worker, some_address, some_event

TEXT = (ROOT / "docs" / "upgrade.md").read_text(encoding="utf-8")
LINES = [
    line.strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
# Of the JavaScript Worker, which the rehearsal asks: this one names its version.
NOT_HERE = ".worker_version == null"
CURLS = [line for line in LINES if line.startswith("curl ") and NOT_HERE not in line]


def test_the_document_asks_something_before_and_after() -> None:
    assert len(CURLS) >= 6
    assert {line.split()[0] for line in LINES} == {"curl", "./ppp", "npx", "cd"}


@pytest.mark.parametrize("command", CURLS)
def test_a_question_of_the_upgrade_is_answered(keyed: Worker, command: str) -> None:
    keyed.send(some_event())
    here = command.replace("https://pixel.salesmagic.us", keyed.url).replace("PIXEL_ID", PIXEL)
    address = f"curl -H 'cf-connecting-ip: {some_address()}'"
    answer = subprocess.run(  # the document says bash
        ["/bin/bash", "-o", "pipefail", "-c", here.replace("curl", address, 1)],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "PPP_API_KEY": ADMIN_KEY},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
