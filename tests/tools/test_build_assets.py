import random
import re
import subprocess
from pathlib import Path

import pytest

from build_assets import (
    PAGE_HEADERS,
    PIXEL_BUDGET,
    RELEASE_HEADERS,
    SCRIPT_HEADERS,
    SOURCE,
    WHOLE_BUDGET,
    AssetError,
    Pixel,
    brotli_bytes,
    check_pixel,
    check_releases,
    filled_in,
    headers_file,
    minify,
    project_version,
    versioned,
)
from security_headers import SECURITY_HEADERS

SOURCE_3_0_0 = 'const VERSION = "3.0.0";'


@pytest.fixture(scope="module")
def pixel() -> Pixel:
    """The pixel as it ships."""
    return minify(SOURCE)


def noise(size: int) -> bytes:
    """Incompressible bytes."""
    return random.Random(1).randbytes(size)  # noqa: S311  # only incompressible


def test_our_own_pixel_passes_the_checks(pixel: Pixel) -> None:
    source = (SOURCE / "pixel.js").read_text(encoding="utf-8")
    check_pixel(pixel, source, project_version())
    assert 0 < brotli_bytes(pixel.code) <= PIXEL_BUDGET == 2_048
    assert brotli_bytes(pixel.code) + brotli_bytes(pixel.on_demand) <= WHOLE_BUDGET == 4_096


def test_the_minified_pixel_is_smaller_and_contains_its_version(pixel: Pixel) -> None:
    assert len(pixel.code) < (SOURCE / "pixel.js").stat().st_size / 2
    assert project_version().encode() in pixel.code
    assert b"/**" not in pixel.code + pixel.on_demand


def test_both_parts_use_the_same_short_names_for_shared_properties(pixel: Pixel) -> None:
    for name in (b"shared", b"dispatch", b"gesture", b"answered"):
        assert name not in pixel.code + pixel.on_demand
    shared_import = re.match(rb"let[^=]*{(\w+):\w+}=window\.ppp[,;]", pixel.on_demand)
    assert shared_import
    assert re.search(rb"\w\." + shared_import[1] + rb"=", pixel.code)


def test_a_syntax_error_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "pixel.js").write_text("const = ;", encoding="utf-8")
    with pytest.raises(subprocess.CalledProcessError):
        minify(tmp_path)


def test_a_first_part_over_its_budget_is_refused_with_its_size() -> None:
    large = Pixel(noise(PIXEL_BUDGET) + b"//", b"")
    size = brotli_bytes(large.code)
    with pytest.raises(AssetError, match=rf"the pixel is {size} bytes .* over 2048$"):
        check_pixel(large, SOURCE_3_0_0, "3.0.0")


def test_two_parts_over_their_budget_are_refused_with_their_size() -> None:
    large = Pixel(noise(2_000), noise(2_100))
    size = brotli_bytes(large.code) + brotli_bytes(large.on_demand)
    with pytest.raises(AssetError, match=rf"both parts are {size} bytes .* over 4096$"):
        check_pixel(large, SOURCE_3_0_0, "3.0.0")


@pytest.mark.parametrize(
    "source", ['const VERSION = "2.9.9";', "", "const VERSION = 3;", "version = '3.0.0'"]
)
def test_a_pixel_of_another_version_is_refused(source: str) -> None:
    with pytest.raises(AssetError, match=r"must say VERSION = '3.0.0', as pyproject.toml does"):
        check_pixel(Pixel(b"1", b"1"), source, "3.0.0")


@pytest.mark.parametrize("source", [SOURCE_3_0_0, "const VERSION = '3.0.0';"])
def test_a_version_may_stand_in_either_quotes(source: str) -> None:
    check_pixel(Pixel(b"1", b"1"), source, "3.0.0")


def test_a_released_version_cannot_change(tmp_path: Path) -> None:
    released = versioned(Pixel(b"first", b"second"), "3.0.0")
    for name, content in released.items():
        (tmp_path / name).write_bytes(content)
    check_releases(released, tmp_path)
    check_releases(versioned(Pixel(b"other", b"other"), "3.0.1"), tmp_path)
    with pytest.raises(AssetError, match=r"pixel-3.0.0-more.js is released and differs"):
        check_releases(versioned(Pixel(b"first", b"changed"), "3.0.0"), tmp_path)


def test_a_page_contains_the_version_and_its_integrity_hash() -> None:
    page = filled_in(b"{{version}} {{integrity}} {{other}}", Pixel(b"alert(1)", b""), "3.0.0")
    # As `printf 'alert(1)' | openssl dgst -sha384 -binary | base64` gives it.
    digest = b"HT2E9NfWiuQ/w1PRai+hTyqW16NIoCGA/m8VQDUopfAtcz6YQjtsMmQd5uRbVDpW"
    assert page == b"3.0.0 sha384-" + digest + b" {{other}}"


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


def test_a_script_may_be_loaded_and_cached_by_all_sites() -> None:
    assert SCRIPT_HEADERS["Access-Control-Allow-Origin"] == "*"
    assert SCRIPT_HEADERS["Cache-Control"].startswith("public, max-age=")


def test_a_version_is_cached_by_browsers_for_a_year() -> None:
    assert RELEASE_HEADERS["Cache-Control"] == "public, max-age=31536000, immutable"
    assert RELEASE_HEADERS["Access-Control-Allow-Origin"] == "*"
