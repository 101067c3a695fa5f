"""Gives workerd its Pyodide: the official bundle, or one assembled from the npm package.

workerd does not ship Pyodide; it downloads a bundle from Cloudflare at start. Where that address
does not answer, workerd also takes a development bundle from disk. This tool makes one out of the
npm package `pyodide`, whose glue code is written for browsers and has to use workerd's own
functions where workerd forbids or controls something (compiling WebAssembly, randomness, time).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import capnp

from paths import BUNDLES, CACHE, ROOT

PYODIDE_PACKAGE = ROOT / "node_modules" / "pyodide"
DEVELOPMENT_BUNDLE = "pyodide_dev.capnp.bin"
PROBE_SECONDS = 3
DOWNLOAD_SECONDS = 300

DEVELOPMENT_FLAGS = [
    "python_workers",
    "python_workers_development",
    "experimental",
    "no_python_workers_314",
    "no_python_workers_20250116",
]


# What stands before a flag's name in the table: version, date, hash of the packages.
RELEASE = re.compile(rb"(\d+\.\d+\.\d+)\0+\d{4}-\d\d-\d\d\0+[0-9a-f]{64}\0+\Z")
RELEASE_BYTES = 160


class BundleError(Exception):
    """The bundle cannot be made; the message says what does not fit and what to do."""


def with_development_flags(production: Sequence[str]) -> list[str]:
    """Production's flags, with those of a bundle of our own in place of the one for Python."""
    return [*DEVELOPMENT_FLAGS, *(flag for flag in production if flag not in DEVELOPMENT_FLAGS)]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Which Pyodide workerd is to use, and the compatibility flags that select it."""

    official: bool
    pyodide_version: str
    description: str

    def flags(self, production: list[str]) -> list[str]:
        """The flags for a local run: production's own for the official bundle."""
        return production if self.official else with_development_flags(production)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One replacement in Emscripten's glue; `count` is how often its target must be there."""

    reason: str
    old: str
    new: str
    count: int


REWRITES = (
    Rewrite("compile WebAssembly", "new WebAssembly.Module(", "newWasmModule(", 4),
    Rewrite("instantiate WebAssembly", "WebAssembly.instantiate(", "wasmInstantiate(", 2),
    Rewrite("randomness", "crypto.getRandomValues(view)", "getRandomValues(Module,view)", 1),
    Rewrite("time", "Date.now", "monotonicDateNow", 22),
    Rewrite("no eval (result used)", "=eval(", "=refuseEval(", 3),
    Rewrite("no eval (result returned)", "return eval(", "return refuseEval(", 1),
    Rewrite("no eval (statement)", ";eval(", ";refuseEval(", 2),
    Rewrite(
        "memory of shared libraries",
        "getMemory(metadata.memorySize+memAlign)",
        "Module.getMemoryPatched(Module,libName,metadata.memorySize+memAlign)",
        1,
    ),
    Rewrite(
        "the named factory",
        "export default _createPyodideModule",
        "export{_createPyodideModule};export default _createPyodideModule",
        1,
    ),
)
PREAMBLE = """\
import {
  newWasmModule, wasmInstantiate, getRandomValues, monotonicDateNow, location, addEventListener,
} from "pyodide-internal:builtin_wrappers";
function refuseEval() { throw new Error("eval is not available in workerd"); }
"""
# `Date.now` inside a name, `.eval(` of an object and the like are not direct calls.
DIRECT_EVAL = re.compile(r"(?<![\w.$])eval\(")


def adapt_glue(source: str) -> str:
    """Returns `pyodide.asm.mjs` rewritten for workerd.

    Raises:
        BundleError: a rewrite's target is not there, or not as often as it should be.
    """
    for rewrite in REWRITES:
        count = source.count(rewrite.old)
        if count != rewrite.count:
            raise BundleError(
                f"pyodide.asm.mjs has {rewrite.old!r} {count} times instead of {rewrite.count} "
                f"({rewrite.reason}): this Pyodide needs other rewrites in tools/pyodide_bundle.py."
            )
        source = source.replace(rewrite.old, rewrite.new)
    if leftover := DIRECT_EVAL.search(source):
        context = source[leftover.start() - 40 : leftover.end() + 40]
        raise BundleError(f"pyodide.asm.mjs still calls eval: …{context}…")
    return PREAMBLE + source


def assemble(package: Path, target: Path) -> None:
    """Writes the development bundle for workerd from the files of the npm package.

    Raises:
        BundleError: the glue code could not be adapted.
    """
    glue = adapt_glue((package / "pyodide.asm.mjs").read_text(encoding="utf-8"))
    schema = capnp.load(str(Path(__file__).with_suffix(".capnp")))
    message = schema.Bundle.new_message()
    modules = message.init("modules", 3)
    contents = (
        ("pyodide.asm", "src", glue.encode()),
        ("pyodide.asm.wasm", "wasm", (package / "pyodide.asm.wasm").read_bytes()),
        ("python_stdlib.zip", "data", (package / "python_stdlib.zip").read_bytes()),
    )
    for module, (name, kind, content) in zip(modules, contents, strict=True):
        module.name = f"pyodideRuntime-internal:{name}"
        module.type = "internal"
        setattr(module, kind, content)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(message.to_bytes())


def workerd_binary() -> Path:
    """The executable that the npm package `workerd` brought for this machine."""
    binaries = sorted((ROOT / "node_modules" / "@cloudflare").glob("workerd-*/bin/workerd"))
    if not binaries:
        raise BundleError("workerd has no binary for this machine; run `npm ci` again.")
    return binaries[0]


def expected_pyodide(binary: bytes) -> str:
    """Reads from workerd's own table of releases which Pyodide its newest flag stands for.

    Raises:
        BundleError: the table is not where it was.
    """
    releases = [
        release.group(1)
        # From the flag's name backwards: a search for a version takes seconds on 120 MB.
        for flag in re.finditer(rb"pythonWorkers\d+\0", binary)
        if (release := RELEASE.search(binary, flag.start() - RELEASE_BYTES, flag.start()))
    ]
    if not releases:
        raise BundleError("workerd's table of Pyodide releases was not found in its binary.")
    newest: bytes = max(releases, key=lambda version: [int(n) for n in version.split(b".")])
    return newest.decode()


def bundle_host(binary: bytes) -> str:
    """The address from which workerd downloads bundles, as written in its binary."""
    address = re.search(rb"https://[a-z0-9.-]*pyodide[a-z0-9.-]*/", binary)
    if not address:
        raise BundleError("workerd's download address was not found in its binary.")
    return address.group().decode()


def answers(address: str) -> bool:
    """Whether anything answers at the address within PROBE_SECONDS, whatever it says."""
    request = urllib.request.Request(address, method="HEAD")  # noqa: S310  # https, from the binary
    try:
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):  # noqa: S310  # the same
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def write_workerd_wrapper() -> None:
    """Writes .cache/workerd, which starts workerd with our folder of bundles.

    `exec` keeps the process the same, so that a signal reaches workerd itself. The paths have no
    links: a copy of this checkout may share the folder, and be gone before it.
    """
    wrapper = CACHE / "workerd"
    CACHE.mkdir(exist_ok=True)
    binary, bundles = workerd_binary().resolve(), BUNDLES.resolve()
    wrapper.write_text(
        f'#!/bin/sh\nexec "{binary}" "$@" --pyodide-bundle-disk-cache-dir="{bundles}"\n',
        encoding="utf-8",
    )
    wrapper.chmod(0o755)


PROBE_WORKER = """\
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "probe", worker = (
  modules = [(name = "probe.py", pythonModule = "def test(*_): pass")],
  compatibilityDate = "{date}",
  compatibilityFlags = {flags},
))]);
"""


def download_official(date: str, flags: list[str], version: str) -> bool:
    """Lets workerd fetch its own bundle into our folder, once. False if that did not work."""
    if list(BUNDLES.glob(f"pyodide_{version}_*.capnp.bin")):
        return True
    config = CACHE / "probe.capnp"
    config.write_text(PROBE_WORKER.format(date=date, flags=json.dumps(flags)), encoding="utf-8")
    try:
        subprocess.run(
            [CACHE / "workerd", "test", config],
            capture_output=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return bool(list(BUNDLES.glob(f"pyodide_{version}_*.capnp.bin")))


def choose_bundle(date: str, flags: list[str]) -> Bundle:
    """Prepares the bundle for a local run: the official one if it can be had, else our own.

    Raises:
        BundleError: neither can be had; says why.
    """
    binary = workerd_binary().read_bytes()
    version = expected_pyodide(binary)
    BUNDLES.mkdir(parents=True, exist_ok=True)
    write_workerd_wrapper()
    host = bundle_host(binary)
    if answers(host) and download_official(date, flags, version):
        return Bundle(official=True, pyodide_version=version, description=f"official, from {host}")
    return development_bundle(version)


def development_bundle(expected: str) -> Bundle:
    """Assembles the development bundle unless it is there already.

    Raises:
        BundleError: the npm package is of another version than workerd expects.
    """
    package = json.loads((PYODIDE_PACKAGE / "package.json").read_text(encoding="utf-8"))
    if package["version"] != expected:
        raise BundleError(
            f"workerd expects Pyodide {expected}, but package.json has {package['version']}: "
            f"run `npm install --save-exact --save-dev pyodide@{expected}`."
        )
    target = BUNDLES / DEVELOPMENT_BUNDLE
    made_from = BUNDLES / "made_from"
    recipe = expected + Path(__file__).read_text(encoding="utf-8")
    if not target.exists() or not made_from.exists() or made_from.read_text() != recipe:
        assemble(PYODIDE_PACKAGE, target)
        made_from.write_text(recipe, encoding="utf-8")
    return Bundle(
        official=False,
        pyodide_version=expected,
        description=f"assembled from the npm package pyodide@{expected} (no official one in reach)",
    )


def main() -> int:
    """Removes every bundle and makes the development bundle anew; for trying a new Pyodide."""
    shutil.rmtree(BUNDLES, ignore_errors=True)
    BUNDLES.mkdir(parents=True)
    try:
        bundle = development_bundle(expected_pyodide(workerd_binary().read_bytes()))
    except BundleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"Pyodide bundle: {bundle.description}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
