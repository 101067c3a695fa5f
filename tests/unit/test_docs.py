"""The documents agree with the repository: links, anchors, file names, settings, packages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.projects.configuration import PIXEL_SHAPE, PROJECT_SHAPE
from tests.unit.test_architecture import OPS_PACKAGES, SERVICE_PACKAGES

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SETTING = re.compile(r'"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|ENVIRONMENT)"')
# A path with a name to fill in, such as `src/handlers/<area>.py`, is no file.
NAMED_FILE = re.compile(
    r"`((?:bench|config|demo|ops|migrations|src|static|tests|tools|typings)/[\w./-]+)`"
)
# Written by a build or a release.
MADE = {"static/releases", "config/oncall.toml"}


def prose_of(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def section(page: str, heading: str) -> str:
    """The text below a heading, up to the next one of its level."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    pattern = rf"^(#+) {re.escape(heading)}\n(.*?)(?=^\1 |\Z)"
    match = re.search(pattern, text, re.DOTALL | re.MULTILINE)
    assert match, f"{page} has no heading {heading}"
    return match[2]


def anchors_of(page: Path) -> Iterator[str]:
    """The anchors that GitHub gives the headings of a page."""
    times = Counter[str]()
    for heading in re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        yield f"{slug}-{times[slug]}" if times[slug] else slug
        times[slug] += 1


def broken_links(page: Path) -> Iterator[str]:
    for link in LINK.findall(prose_of(page)):
        if re.match(r"https?://", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            yield link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert list(broken_links(page)) == []


def test_a_link_that_leads_nowhere_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A `b` c\n[1](#a-b-c) [2](#a-b) [3](none.md) [4](https://a.example/#b)\n")
    assert list(broken_links(page)) == ["#a-b", "none.md"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {name.rstrip("/") for name in NAMED_FILE.findall(prose_of(page))}
    assert [name for name in sorted(named - MADE) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(named) - targets == set()


def test_the_readme_leads_to_every_document() -> None:
    links = LINK.findall(prose_of(ROOT / "README.md"))
    assert {"CONTRIBUTING.md", *(f"docs/{page.name}" for page in DOCS)} <= set(links)


def test_the_index_of_the_decisions_has_them_all_in_their_order() -> None:
    index = re.findall(r"^\| \[.*?\]\(#(.*?)\) \|", section("decisions.md", "Index"), re.MULTILINE)
    text = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    titles = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert index == [re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in titles]


@pytest.mark.parametrize(
    ("heading", "arrows"),
    [
        ("The packages of `services/`", SERVICE_PACKAGES),
        ("The packages of `ops/`", OPS_PACKAGES),
    ],
    ids=["services", "ops"],
)
def test_the_tables_of_packages_are_those_of_the_code(
    heading: str, arrows: dict[str, set[str]]
) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| .* \| (.*) \|$", section("architecture.md", heading), re.MULTILINE
    )
    packages = {name: targets for name, targets in arrows.items() if name != "__main__"}
    words = {"nothing": set[str](), "all of them": set(packages) - {"commands"}}
    table = {name: words.get(text, set(text.split(", "))) for name, text in rows}
    assert table == packages


def test_every_setting_is_in_the_table_of_settings() -> None:
    source = (ROOT / "src" / "config.py").read_text(encoding="utf-8")
    settings = set(SETTING.findall(source))
    assert len(settings) > len(SERVICE_PACKAGES)
    table = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", section("api.md", "Settings")))
    assert settings - table == set()


def test_every_setting_of_a_configuration_is_in_its_table() -> None:
    text = section("api.md", "Configuration of a project and of a pixel")
    assert {*PROJECT_SHAPE, *PIXEL_SHAPE} == set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
