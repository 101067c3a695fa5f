"""Builds the files of Workers Assets: the minified pixel, pages, the OpenAPI document, `_headers`.

Fails if the pixel is over its budget, if its version is not the project's, if a released version
would change, or if the OpenAPI document is invalid.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import brotli

from api_page import page as api_page
from openapi import DocumentError, read_document
from paths import ASSETS, NODE_BIN, ROOT, tool_environment
from security_headers import (
    API_CONTENT_SECURITY_POLICY,
    PAGE_CONTENT_SECURITY_POLICY,
    SECURITY_HEADERS,
)

SOURCE = ROOT / "static"
RELEASES = SOURCE / "releases"
PIXEL_ADDRESSES = ("p.js", "pixel.js", "static/pixel.js")
# Bytes with brotli 11: what a page without fields downloads, and all that a page can download.
PIXEL_BUDGET = 2_048
WHOLE_BUDGET = 4_096

SCRIPT_HEADERS = {
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400",
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": API_CONTENT_SECURITY_POLICY,
}
RELEASE_HEADERS = {**SCRIPT_HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
PAGE_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Content-Security-Policy": PAGE_CONTENT_SECURITY_POLICY,
}
# Tools that run in a browser read it from any origin.
DOCUMENT_HEADERS = {
    "Cache-Control": "public, max-age=300",
    "Access-Control-Allow-Origin": "*",
    "Content-Security-Policy": API_CONTENT_SECURITY_POLICY,
}


class AssetError(Exception):
    """An asset cannot be shipped, for the reason in the message."""


@dataclass(frozen=True, slots=True)
class Pixel:
    """The minified pixel: the part that all pages load, and the part for pages with fields."""

    code: bytes
    on_demand: bytes

    def integrity(self) -> str:
        """The value of the attribute `integrity` for a page that pins this version."""
        return f"sha384-{base64.b64encode(hashlib.sha384(self.code).digest()).decode()}"


def brotli_bytes(code: bytes) -> int:
    """A script's size in bytes after brotli 11."""
    return len(brotli.compress(code, quality=11))


def minify(folder: Path) -> Pixel:
    """Minifies both parts with terser."""
    command = [str(NODE_BIN / "node"), str(ROOT / "tools" / "minify.mjs"), str(folder)]
    terser = subprocess.run(command, capture_output=True, check=True, env=tool_environment())
    first, on_demand = json.loads(terser.stdout)
    return Pixel(first.encode(), on_demand.encode())


def check_pixel(pixel: Pixel, source: str, version: str) -> None:
    """Checks the sizes of both parts and the version in the source of the first one.

    Raises:
        AssetError: it is too large, or its version is not the project's.
    """
    first_bytes = brotli_bytes(pixel.code)
    total_bytes = first_bytes + brotli_bytes(pixel.on_demand)
    if first_bytes > PIXEL_BUDGET:
        raise AssetError(f"the pixel is {first_bytes} bytes with brotli, over {PIXEL_BUDGET}")
    if total_bytes > WHOLE_BUDGET:
        raise AssetError(f"both parts are {total_bytes} bytes with brotli, over {WHOLE_BUDGET}")
    version_match = re.search(r"VERSION = ['\"]([^'\"]+)['\"]", source)
    if not version_match or version_match.group(1) != version:
        raise AssetError(f"static/pixel.js must say VERSION = '{version}', as pyproject.toml does")


def versioned(pixel: Pixel, version: str) -> dict[str, bytes]:
    """The permanent file names of a version, with their contents."""
    return {f"pixel-{version}.js": pixel.code, f"pixel-{version}-more.js": pixel.on_demand}


def check_releases(files: Mapping[str, bytes], releases: Path) -> None:
    """Checks that a released version has not changed since.

    Raises:
        AssetError: it has, and browsers would refuse it on sites that pin it with `integrity`.
    """
    for name, content in files.items():
        released = releases / name
        if released.exists() and released.read_bytes() != content:
            raise AssetError(
                f"{name} is released and differs: give the pixel a new version in pyproject.toml "
                "and static/pixel.js (`make release` keeps it)"
            )


def headers_file(addresses: dict[str, dict[str, str]]) -> str:
    """The text of `_headers`: the security headers and the own headers of each address."""
    blocks = []
    for address, headers in addresses.items():
        lines = [f"  {name}: {value}" for name, value in {**SECURITY_HEADERS, **headers}.items()]
        blocks.append("\n".join([f"/{address}", *lines]))
    return "\n".join(blocks) + "\n"


def build() -> Pixel:
    """Replaces build/assets.

    Raises:
        AssetError: the pixel cannot be shipped.
        DocumentError: the OpenAPI document is invalid.
    """
    version = project_version()
    pixel = minify(SOURCE)
    check_pixel(pixel, (SOURCE / "pixel.js").read_text(encoding="utf-8"), version)
    current = versioned(pixel, version)
    check_releases(current, RELEASES)
    released = {file.name: file.read_bytes() for file in sorted(RELEASES.glob("*.js"))}
    shutil.rmtree(ASSETS, ignore_errors=True)
    addresses = dict.fromkeys(PIXEL_ADDRESSES, SCRIPT_HEADERS)
    for address in PIXEL_ADDRESSES:
        write(address, pixel.code)
    for name, content in {**released, **current}.items():
        write(f"static/{name}", content)
        addresses[f"static/{name}"] = RELEASE_HEADERS
    for page in sorted(SOURCE.iterdir()):
        if page.suffix in {".html", ".css", ".svg"}:
            write(f"static/{page.name}", filled_in(page.read_bytes(), pixel, version))
            addresses[f"static/{page.name}"] = PAGE_HEADERS
    document = read_document(version)
    write("openapi.json", json.dumps(document, separators=(",", ":")).encode())
    write("api.html", api_page(document).encode())
    addresses |= {"openapi.json": DOCUMENT_HEADERS, "api.html": PAGE_HEADERS}
    write("_headers", headers_file(addresses).encode())
    return pixel


def project_version() -> str:
    """The version in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def filled_in(page: bytes, pixel: Pixel, version: str) -> bytes:
    """Replaces a page's placeholders by the version and the integrity hash of the pixel."""
    for name, value in {"version": version, "integrity": pixel.integrity()}.items():
        page = page.replace(f"{{{{{name}}}}}".encode(), value.encode())
    return page


def release() -> None:
    """Writes this version's files to static/releases, from which all later builds ship them."""
    RELEASES.mkdir(exist_ok=True)
    for name, content in versioned(minify(SOURCE), project_version()).items():
        (RELEASES / name).write_bytes(content)


def write(address: str, content: bytes) -> None:
    """Writes a file below build/assets."""
    target = ASSETS / address
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def main() -> int:
    """Builds the assets and prints the pixel's size; with --release the version is kept first."""
    try:
        if "--release" in sys.argv[1:]:
            check_releases(versioned(minify(SOURCE), project_version()), RELEASES)
            release()
        pixel = build()
    except (AssetError, DocumentError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    first, second = brotli_bytes(pixel.code), brotli_bytes(pixel.on_demand)
    print(
        f"pixel {project_version()}: {first} bytes with brotli 11 of {PIXEL_BUDGET}, with the "
        f"second part {first + second} of {WHOLE_BUDGET}; integrity {pixel.integrity()}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
