"""Every package has a licence that was looked at; docs/threat-model.md says what ships."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.metadata import Distribution, distributions

import pytest

from paths import ROOT

FREE = {
    *("0BSD", "Apache", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"),
    *("MIT", "MPL-2.0", "PSF-2.0", "Python-2.0", "Unlicense", "Zlib"),
}
# Tools that never ship: of sharp (miniflare's), and the ad-block filter, which brings the public
# suffix list, whose own licence is MPL-2.0.
COPYLEFT_TOOLS = {"LGPL-3.0-or-later": "@img/sharp-", "GPL-3.0-or-later": "@gorhill/ubo-core"}
# As old metadata spells them.
SPELLINGS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "DFSG approved": "MIT",
}
# Its metadata say nothing, its repository does.
SILENT = {"crawler-user-agents": "MIT"}


def licences(expression: str) -> set[str]:
    """The names in an SPDX expression."""
    return {name for name in re.split(r"[()\s]+|\bAND\b|\bOR\b|\bWITH\b", expression) if name}


def python_licences(package: Distribution) -> set[str]:
    data = package.metadata
    if "License-Expression" in data:
        return licences(data["License-Expression"])
    texts = [
        line.split(" :: ")[-1] for line in data.get_all("Classifier", []) if "License ::" in line
    ] or [text.split("\n")[0] for text in data.get_all("License", [])]
    names = set[str]().union(*(licences(SPELLINGS.get(text, text)) for text in texts))
    return names or licences(SILENT[package.name])


NODE = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]


@pytest.mark.parametrize("package", [*distributions()], ids=lambda package: package.name)
def test_a_python_package_has_a_free_licence(package: Distribution) -> None:
    assert python_licences(package) & FREE


@pytest.mark.parametrize("path", [path for path in NODE if path])
def test_a_node_package_has_a_free_licence_or_is_a_tool_that_never_ships(path: str) -> None:
    names = licences(NODE[path].get("license", ""))
    assert names
    for name in names - FREE:
        assert COPYLEFT_TOOLS[name] in path


def test_every_package_is_pinned_with_the_hash_of_its_files() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    for package in lock["package"]:
        if "registry" in package["source"]:
            files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
            assert all(file["hash"].startswith("sha256:") for file in files), package["name"]
    unpinned = [path for path in NODE if path and "integrity" not in NODE[path]]
    assert unpinned == []
    tools = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    python = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    assert all(version[0].isdigit() for version in tools.values())
    assert all("==" in requirement for requirement in python)
