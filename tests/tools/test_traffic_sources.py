"""The table of sources is what the installed list makes; the build stops when it is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from traffic_sources import PACKAGE, TABLE, made_table, main


def test_the_table_is_made_from_the_installed_list() -> None:
    assert TABLE.read_text(encoding="utf-8") == made_table()
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("host", "medium"),
    [("www.google.zz", "search"), ("newnet.example", "social"), ("post.example", "email")],
)
def test_the_build_stops_when_the_list_changes_under_it(
    host: str, medium: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = TABLE.read_text(encoding="utf-8")
    package = shutil.copytree(PACKAGE, tmp_path / "package")
    file = package / "lib" / "referrers.json"
    referrers = json.loads(file.read_text(encoding="utf-8"))
    referrers[host] = {"source": "New", "medium": medium}
    file.write_text(json.dumps(referrers), encoding="utf-8")
    assert main(["--check"], package) == 1
    assert "CLASSIFIER_VERSION" in capsys.readouterr().err
    assert TABLE.read_text(encoding="utf-8") == before


def test_a_new_version_of_the_list_stops_the_build_too(tmp_path: Path) -> None:
    package = shutil.copytree(PACKAGE, tmp_path / "package")
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    (package / "package.json").write_text(json.dumps({**manifest, "version": "9.9.9"}))
    assert main(["--check"], package) == 1


def test_portals_and_other_hosts_of_a_search_engine_are_none() -> None:
    known = {*made_table().split()}
    assert {"google.com", "google.co.uk", "bing.com", "chatgpt.com", "t.co"} <= known
    assert not {"accounts.google.com", "docs.google.com", "teams.microsoft.com", "ask.fm"} & known
