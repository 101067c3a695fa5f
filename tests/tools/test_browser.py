import os
import subprocess
import sys
from pathlib import Path

import pytest

from paths import ROOT

TOOL = ROOT / "tools" / "browser.py"
APT = """#!/bin/sh
echo "$@" >> "{log}"
exit {status}
"""

pytestmark = pytest.mark.skipif(
    sys.platform == "darwin", reason="browsers are found in /Applications there"
)
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs packages")


def program(folder: Path, name: str, text: str = "#!/bin/sh\n") -> None:
    """An executable of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def see_to_browsers(machine: Path) -> subprocess.CompletedProcess[str]:
    """Runs the tool where nothing but that machine's programs can be found."""
    environment = {**os.environ, "PATH": str(machine / "bin")}
    command = [sys.executable, str(TOOL)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_without_chromium_it_fails_and_says_how_to_get_it(tmp_path: Path) -> None:
    process = see_to_browsers(tmp_path)
    assert process.returncode == 1
    assert "'sudo apt-get install chromium'" in process.stderr


def test_without_the_other_engines_it_says_so_in_a_line_each_and_goes_on(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    process = see_to_browsers(tmp_path)
    assert process.returncode == 0
    firefox, webkit = process.stdout.splitlines()
    assert firefox.startswith("no Firefox")
    assert firefox.endswith("'sudo apt-get install firefox-esr'")
    assert webkit.startswith("no WebKitGTK")
    assert webkit.endswith("'sudo apt-get install webkit2gtk-driver xvfb xauth'")


def test_with_everything_there_it_says_nothing(tmp_path: Path) -> None:
    for name in ("chromium", "firefox-esr", "WebKitWebDriver", "Xvfb"):
        program(tmp_path / "bin", name)
    program(tmp_path / "lib" / "some-linux" / "webkit2gtk-4.1", "MiniBrowser")
    process = see_to_browsers(tmp_path)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@only_root
def test_root_installs_what_is_missing_from_debians_packages(tmp_path: Path) -> None:
    log = tmp_path / "apt.log"
    program(tmp_path / "bin", "chromium")
    program(tmp_path / "bin", "apt-get", APT.format(log=log, status=0))
    process = see_to_browsers(tmp_path)
    assert process.returncode == 0
    update, firefox, webkit = log.read_text(encoding="utf-8").splitlines()
    assert update.startswith("update")
    assert firefox.endswith(" firefox-esr")
    assert webkit.endswith(" webkit2gtk-driver xvfb xauth")
    assert "so the conformance tests" not in process.stdout


@only_root
def test_an_engine_that_cannot_be_installed_is_no_failure(tmp_path: Path) -> None:
    program(tmp_path / "bin", "chromium")
    program(tmp_path / "bin", "apt-get", APT.format(log=tmp_path / "apt.log", status=100))
    process = see_to_browsers(tmp_path)
    assert process.returncode == 0
    assert "no Firefox" in process.stdout
    assert "no WebKitGTK" in process.stdout


@only_root
def test_a_chromium_that_cannot_be_installed_is_a_failure(tmp_path: Path) -> None:
    program(tmp_path / "bin", "apt-get", APT.format(log=tmp_path / "apt.log", status=100))
    assert see_to_browsers(tmp_path).returncode == 1
