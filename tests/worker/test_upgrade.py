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
CURLS = [line for line in LINES if "curl " in line and NOT_HERE not in line]


def test_the_document_asks_something_before_and_after() -> None:
    assert len(CURLS) == 1
    assert {line.split()[0] for line in LINES} == {
        *("(set", "./ppp", "npx", "([", "(cd", "gunzip"),
        *('EXPORT="$(ls', 'IDS="$(jq'),
    }


@pytest.mark.parametrize("command", CURLS)
def test_a_question_of_the_upgrade_is_answered(keyed: Worker, command: str) -> None:
    keyed.send(some_event())
    answer = ask(keyed, command)
    assert (answer.returncode, "FAILED" in answer.stdout) == (0, False), answer


def test_a_question_that_fails_says_so_in_a_shell_of_any_settings(keyed: Worker) -> None:
    [command] = (line for line in LINES if NOT_HERE in line)
    for pipefail in ("-o", "+o"):
        answer = ask(keyed, command, pipefail)
        assert answer.returncode == 1
        assert "FAILED: it is not the JavaScript Worker" in answer.stdout
    for other in (*CURLS, command):
        nobody = other.replace("https://pixel.salesmagic.us", "http://127.0.0.1:9")
        assert "FAILED" in ask(keyed, nobody, "+o").stdout


@pytest.mark.parametrize(
    ("bundle", "is_exported"),
    [
        ("export {\n  RateLimiter,\n  index_default as default\n};\n", True),
        ("export{a as RateLimiter,b as default};", True),
        ("export class RateLimiter { fetch() {} }\nexport default {};\n", True),
        ("class RateLimiter {}\nexport default {};\n", False),
        ("export { RateLimiters };\n", False),
        ("export class RateLimiters {}\n", False),
    ],
)
def test_the_class_is_seen_in_a_bundle_and_in_code_that_is_none(
    bundle: str, *, is_exported: bool
) -> None:
    [command] = (line for line in LINES if "--dry-run --outdir" in line)
    [grep] = re.findall(r"tr '.n' ' ' \| grep -oE '[^']+'", command)
    output = subprocess.run(
        ["/bin/bash", "-c", grep], input=bundle, capture_output=True, text=True, check=False
    )
    assert (output.returncode == 0) == is_exported
    assert ("RateLimiter" in output.stdout) == is_exported


def ask(keyed: Worker, command: str, pipefail: str = "-o") -> subprocess.CompletedProcess[str]:
    """Run a command of the document on the Worker of this test."""
    here = command.replace("https://pixel.salesmagic.us", keyed.url).replace("PIXEL_ID", PIXEL)
    address = f"curl -H 'cf-connecting-ip: {some_address()}'"
    return subprocess.run(  # the document says bash
        ["/bin/bash", pipefail, "pipefail", "-c", here.replace("curl", address, 1)],
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "PPP_API_KEY": ADMIN_KEY},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
