import random
import subprocess
import tomllib
from pathlib import Path

import pytest

from build_assets import (
    PAGE_HEADERS,
    PIXEL_BUDGET,
    SCRIPT_HEADERS,
    SOURCE,
    AssetError,
    Pixel,
    check_pixel,
    headers_file,
    minify,
)
from paths import ROOT
from security_headers import SECURITY_HEADERS

STATED = 'const VERSION = "3.0.0";'


@pytest.fixture(scope="module")
def pixel() -> Pixel:
    """The pixel as it ships."""
    return minify(SOURCE / "pixel.js")


def test_our_own_pixel_can_ship(pixel: Pixel) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = (SOURCE / "pixel.js").read_text(encoding="utf-8")
    check_pixel(pixel, source, project["version"])
    assert 0 < pixel.brotli_bytes() <= PIXEL_BUDGET


def test_the_shipped_pixel_is_smaller_and_says_its_version(pixel: Pixel) -> None:
    assert len(pixel.code) < (SOURCE / "pixel.js").stat().st_size / 2
    assert b"3.0.0" in pixel.code
    assert b"/**" not in pixel.code


def test_a_script_that_is_none_cannot_be_minified(tmp_path: Path) -> None:
    broken = tmp_path / "broken.js"
    broken.write_text("const = ;", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        minify(broken)


def test_a_pixel_over_its_budget_is_refused_with_its_size() -> None:
    noise = random.Random(1).randbytes(PIXEL_BUDGET)  # noqa: S311  # only incompressible
    large = Pixel(noise + b"//")
    with pytest.raises(AssetError, match=rf"is {large.brotli_bytes()} bytes .* over 2048$"):
        check_pixel(large, STATED, "3.0.0")


@pytest.mark.parametrize(
    "source", ['const VERSION = "2.9.9";', "", "const VERSION = 3;", "version = '3.0.0'"]
)
def test_a_pixel_of_another_version_is_refused(source: str) -> None:
    with pytest.raises(AssetError, match=r"must say VERSION = '3.0.0', as pyproject.toml does"):
        check_pixel(Pixel(b"1"), source, "3.0.0")


@pytest.mark.parametrize("source", [STATED, "const VERSION = '3.0.0';"])
def test_a_version_may_stand_in_either_quotes(source: str) -> None:
    check_pixel(Pixel(b"1"), source, "3.0.0")


def test_each_address_has_its_own_headers_and_the_security_headers() -> None:
    text = headers_file({"p.js": SCRIPT_HEADERS, "static/page.html": PAGE_HEADERS})
    blocks: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        if line.startswith("/"):
            blocks[line] = block = {}
        else:
            assert line.startswith("  ")
            header, _, value = line.strip().partition(": ")
            block[header] = value
    assert blocks == {
        "/p.js": SECURITY_HEADERS | SCRIPT_HEADERS,
        "/static/page.html": SECURITY_HEADERS | PAGE_HEADERS,
    }
    assert text.endswith("\n")


def test_an_address_may_override_a_security_header() -> None:
    text = headers_file({"frame.html": {"X-Frame-Options": "SAMEORIGIN"}})
    assert text.count("X-Frame-Options") == 1
    assert "  X-Frame-Options: SAMEORIGIN" in text.splitlines()


def test_a_script_may_be_loaded_and_kept_by_every_site() -> None:
    assert SCRIPT_HEADERS["Access-Control-Allow-Origin"] == "*"
    assert SCRIPT_HEADERS["Cache-Control"].startswith("public, max-age=")
