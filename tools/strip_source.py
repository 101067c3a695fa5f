"""Takes comments and docstrings out of Python source that ships; lines keep their numbers.

They are a quarter of the upload, and nothing reads them there. What is left means the same: the
syntax trees are compared, but for docstrings. That of a class becomes a dot, because `dataclass`
would otherwise make one, at a cost for each class.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def strip_folder(folder: Path) -> None:
    """Strips every Python file below a folder, in place.

    Raises:
        ValueError: the stripped source would mean something else.
    """
    for path in sorted(folder.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        path.write_text(stripped(source), encoding="utf-8")


def stripped(source: str) -> str:
    """The source without comments and docstrings.

    Raises:
        ValueError: the stripped source would mean something else.
    """
    lines = source.split("\n")
    for owner, docstring in _docstrings(ast.parse(source)):
        is_needed = isinstance(owner, ast.ClassDef) or (
            len(owner.body) == 1 and not isinstance(owner, ast.Module)
        )
        first, last = docstring.lineno - 1, (docstring.end_lineno or docstring.lineno) - 1
        rest = lines[last].encode()[docstring.end_col_offset :].decode()
        start = lines[first][: docstring.col_offset]
        lines[first : last + 1] = [""] * (last - first + 1)
        lines[first] = f'{start}"."' if is_needed else start.strip()
        lines[last] += rest
    without_docstrings = "\n".join(lines)
    for token in tokenize.generate_tokens(io.StringIO(without_docstrings).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    shorter = "\n".join(lines)
    if _meaning(shorter) != _meaning(source):
        raise ValueError("a source means something else without its comments and docstrings")
    return shorter


def _docstrings(tree: ast.Module) -> Iterator[tuple[Documented, ast.Expr]]:
    for node in ast.walk(tree):
        if (
            isinstance(node, Documented)
            and node.body
            and isinstance(statement := node.body[0], ast.Expr)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
        ):
            yield node, statement


def _meaning(source: str) -> str:
    tree = ast.parse(source)
    for owner, _ in list(_docstrings(tree)):
        del owner.body[0]
    return ast.dump(tree)
