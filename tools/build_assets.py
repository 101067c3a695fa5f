"""Builds what Workers Assets serve: the minified pixel at its addresses, pages, and `_headers`.

Fails when the pixel is over its budget or its version is not the project's.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import brotli

from paths import ASSETS, NODE_BIN, ROOT, tool_environment
from security_headers import (
    API_CONTENT_SECURITY_POLICY,
    PAGE_CONTENT_SECURITY_POLICY,
    SECURITY_HEADERS,
)

SOURCE = ROOT / "static"
PIXEL_ADDRESSES = ("p.js", "pixel.js", "static/pixel.js")
PIXEL_BUDGET = 2_048

SCRIPT_HEADERS = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": API_CONTENT_SECURITY_POLICY,
}
PAGE_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": PAGE_CONTENT_SECURITY_POLICY,
}
TERSER = ("--compress", "passes=3,ecma=2019,unsafe_arrows", "--mangle", "--ecma", "2019")


class AssetError(Exception):
    """An asset cannot be shipped; the message says why."""


@dataclass(frozen=True, slots=True)
class Pixel:
    """The minified pixel."""

    code: bytes

    def brotli_bytes(self) -> int:
        """Its size as a browser downloads it, with brotli at its best."""
        return len(brotli.compress(self.code, quality=11))


def minify(source: Path) -> Pixel:
    """Minifies the pixel's source with terser."""
    command = [str(NODE_BIN / "terser"), str(source), *TERSER]
    done = subprocess.run(command, capture_output=True, check=True, env=tool_environment())
    return Pixel(done.stdout)


def check_pixel(pixel: Pixel, source: str, version: str) -> None:
    """Checks what must be true of a pixel that ships.

    Raises:
        AssetError: it is too large, or says another version than the project.
    """
    if pixel.brotli_bytes() > PIXEL_BUDGET:
        raise AssetError(
            f"the pixel is {pixel.brotli_bytes()} bytes with brotli, over {PIXEL_BUDGET}"
        )
    stated = re.search(r"VERSION = ['\"]([^'\"]+)['\"]", source)
    if not stated or stated.group(1) != version:
        raise AssetError(f"static/pixel.js must say VERSION = '{version}', as pyproject.toml does")


def headers_file(addresses: dict[str, dict[str, str]]) -> str:
    """The text of `_headers`: for each address its own headers and the security headers."""
    blocks = []
    for address, own in addresses.items():
        lines = [f"  {name}: {value}" for name, value in {**SECURITY_HEADERS, **own}.items()]
        blocks.append("\n".join([f"/{address}", *lines]))
    return "\n".join(blocks) + "\n"


def build() -> Pixel:
    """Writes build/assets anew.

    Raises:
        AssetError: the pixel cannot be shipped.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    source = SOURCE / "pixel.js"
    pixel = minify(source)
    check_pixel(pixel, source.read_text(encoding="utf-8"), project["version"])
    shutil.rmtree(ASSETS, ignore_errors=True)
    addresses = dict.fromkeys(PIXEL_ADDRESSES, SCRIPT_HEADERS)
    for address in PIXEL_ADDRESSES:
        write(address, pixel.code)
    for page in sorted(SOURCE.iterdir()):
        if page.suffix in {".html", ".css", ".svg"}:
            write(f"static/{page.name}", page.read_bytes())
            addresses[f"static/{page.name}"] = PAGE_HEADERS
    write("_headers", headers_file(addresses).encode())
    return pixel


def write(address: str, content: bytes) -> None:
    """Writes one file of the assets."""
    target = ASSETS / address
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def main() -> int:
    """Builds and says how large the pixel is."""
    try:
        pixel = build()
    except AssetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"pixel.js: {len(pixel.code)} bytes, {pixel.brotli_bytes()} with brotli 11")
    return 0


if __name__ == "__main__":
    sys.exit(main())
