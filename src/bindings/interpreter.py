"""What Pyodide gives: random ids and numbers, and how much memory it occupies."""

from __future__ import annotations

import secrets

import pyodide_js


def new_id() -> str:
    """32 random hex digits."""
    return secrets.token_hex(16)


def random() -> float:
    """A number from 0 to below 1, for jitter."""
    return secrets.randbelow(1_000) / 1_000


def memory_mib() -> int:
    """The memory that the interpreter occupies, of the isolate's 128 MiB; it never shrinks."""
    size: int = pyodide_js._module.HEAP8.length  # noqa: SLF001  # there is no public name for it
    return size // 2**20
