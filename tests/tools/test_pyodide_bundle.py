import json
from pathlib import Path

import capnp
import pytest

import pyodide_bundle
from paths import BUNDLES, ROOT
from pyodide_bundle import (
    DEVELOPMENT_FLAGS,
    PREAMBLE,
    PYODIDE_PACKAGE,
    REWRITES,
    Bundle,
    BundleError,
    Rewrite,
    adapt_glue,
    assemble,
    bundle_host,
    development_bundle,
    expected_pyodide,
    workerd_binary,
    write_workerd_wrapper,
)

RELEASE = b"%s\0\0002025-09-29\0" + b"ab" * 32 + b"\0\0pythonWorkers20250116\0"


@pytest.fixture(scope="module")
def glue() -> str:
    """The glue code as the npm package brings it."""
    return (PYODIDE_PACKAGE / "pyodide.asm.mjs").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def binary() -> bytes:
    """The executable of the pinned workerd."""
    return workerd_binary().read_bytes()


def purpose(rewrite: Rewrite) -> str:
    return rewrite.reason


# The glue


def test_the_pinned_pyodides_glue_is_adapted(glue: str) -> None:
    adapted = adapt_glue(glue)
    assert adapted.startswith(PREAMBLE)
    assert all(adapted.count(rewrite.new) >= rewrite.count for rewrite in REWRITES)
    for gone in ("new WebAssembly.Module(", "crypto.getRandomValues(view)", "Date.now"):
        assert gone not in adapted


@pytest.mark.parametrize("rewrite", REWRITES, ids=purpose)
def test_a_target_that_is_missing_is_named(glue: str, rewrite: Rewrite) -> None:
    with pytest.raises(BundleError) as refused:
        adapt_glue(glue.replace(rewrite.old, "/* gone */"))
    message = str(refused.value)
    assert f"has {rewrite.old!r} 0 times instead of {rewrite.count} ({rewrite.reason})" in message
    assert "tools/pyodide_bundle.py" in message


@pytest.mark.parametrize("rewrite", REWRITES, ids=purpose)
def test_a_target_that_is_there_once_more_is_named(glue: str, rewrite: Rewrite) -> None:
    with pytest.raises(BundleError) as refused:
        adapt_glue(f"{glue}\n{rewrite.old}")
    assert f"{rewrite.old!r} {rewrite.count + 1} times" in str(refused.value)


@pytest.mark.parametrize("call", ["f(eval(code))", "[eval('1')]", "\neval(code)", "!eval(x)"])
def test_an_eval_that_no_rewrite_knows_is_shown(glue: str, call: str) -> None:
    with pytest.raises(BundleError, match=r"still calls eval: …") as refused:
        adapt_glue(f"{glue}{call}")
    assert "eval(" in str(refused.value).partition("still calls eval")[2]


@pytest.mark.parametrize("text", ["x.eval(1)", "retrieval(1)", "$eval(1)", "_eval(1)"])
def test_a_name_that_ends_with_eval_is_no_call_of_it(glue: str, text: str) -> None:
    assert adapt_glue(f"{glue}\n{text}").endswith(text)


# The bundle


def test_the_bundle_holds_the_three_modules_as_workerd_reads_them(
    glue: str, tmp_path: Path
) -> None:
    package = tmp_path / "pyodide"
    package.mkdir()
    (package / "pyodide.asm.mjs").write_text(glue, encoding="utf-8")
    (package / "pyodide.asm.wasm").write_bytes(b"\0asm wasm")
    (package / "python_stdlib.zip").write_bytes(b"PK zip")
    target = tmp_path / "new" / "bundle.capnp.bin"
    assemble(package, target)

    schema = capnp.load(str(Path(pyodide_bundle.__file__).with_suffix(".capnp")))
    with schema.Bundle.from_bytes(target.read_bytes()) as bundle:
        modules = {
            module.name: (str(module.type), module.which(), getattr(module, module.which()))
            for module in bundle.modules
        }
    assert modules == {
        "pyodideRuntime-internal:pyodide.asm": ("internal", "src", adapt_glue(glue).encode()),
        "pyodideRuntime-internal:pyodide.asm.wasm": ("internal", "wasm", b"\0asm wasm"),
        "pyodideRuntime-internal:python_stdlib.zip": ("internal", "data", b"PK zip"),
    }


def test_glue_that_cannot_be_adapted_leaves_no_bundle(tmp_path: Path) -> None:
    (tmp_path / "pyodide.asm.mjs").write_text("export {};", encoding="utf-8")
    target = tmp_path / "bundle.capnp.bin"
    with pytest.raises(BundleError):
        assemble(tmp_path, target)
    assert not target.exists()


def test_a_bundle_says_with_which_flags_it_runs() -> None:
    production = ["python_workers", "another"]
    official = Bundle(official=True, pyodide_version="1.2.3", description="official")
    own = Bundle(official=False, pyodide_version="1.2.3", description="assembled")
    assert official.flags(production) == production
    assert own.flags(production) == [*DEVELOPMENT_FLAGS, "another"]


def test_a_copy_that_shares_the_folder_leaves_workerd_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("node_modules", ".cache"):
        (copy / name).symlink_to((ROOT / name).resolve())
    monkeypatch.setattr(pyodide_bundle, "ROOT", copy)
    monkeypatch.setattr(pyodide_bundle, "BUNDLES", copy / ".cache" / BUNDLES.name)
    monkeypatch.setattr(pyodide_bundle, "CACHE", tmp_path)
    write_workerd_wrapper()
    assert str(copy) not in (tmp_path / "workerd").read_text(encoding="utf-8")


# What workerd expects


def test_the_pinned_workerd_expects_the_pinned_pyodide(binary: bytes) -> None:
    package = json.loads((PYODIDE_PACKAGE / "package.json").read_text(encoding="utf-8"))
    assert expected_pyodide(binary) == package["version"]


def test_the_newest_release_in_the_table_is_expected() -> None:
    table = b"".join(RELEASE % version for version in (b"0.28.2", b"0.101.0", b"0.29.4"))
    assert expected_pyodide(b"\x7fELF" + table) == "0.101.0"


@pytest.mark.parametrize("binary", [b"", b"\x7fELF" * 100, b"0.28.2\0" + b"2025-09-29\0"])
def test_a_binary_without_the_table_is_told(binary: bytes) -> None:
    with pytest.raises(BundleError, match="table of Pyodide releases was not found"):
        expected_pyodide(binary)


def test_the_pinned_workerd_names_its_download_host(binary: bytes) -> None:
    host = bundle_host(binary)
    assert host.startswith("https://pyodide")
    assert host.endswith("/")


def test_the_download_host_is_read_up_to_its_path() -> None:
    binary = b"\0https://example.com/\0https://pyodide-capnp-bin.example.net/pyodide_\0"
    assert bundle_host(binary) == "https://pyodide-capnp-bin.example.net/"


def test_a_binary_without_a_download_host_is_told() -> None:
    with pytest.raises(BundleError, match="download address was not found"):
        bundle_host(b"\x7fELF https://example.com/")


def test_another_pyodide_than_workerd_expects_is_told_with_the_command() -> None:
    with pytest.raises(BundleError) as refused:
        development_bundle("0.0.1")
    message = str(refused.value)
    assert message.startswith("workerd expects Pyodide 0.0.1, but package.json has ")
    assert "`npm install --save-exact --save-dev pyodide@0.0.1`" in message
