"""Source that ships means the same without its comments and docstrings, line by line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from paths import ROOT
from strip_source import strip_folder, stripped

SOURCE = '''"""A module."""

from __future__ import annotations  # why


# Why a class.
class Thing:
    """A thing.

    It has two lines.
    """

    text = """# no comment

    of lines"""  # a comment

    def empty(self) -> None:
        """Does nothing."""

    async def full(self) -> str:
        """Answers."""
        return "# this stays"  # but not this
'''
STRIPPED = '''

from __future__ import annotations



class Thing:
    "."




    text = """# no comment

    of lines"""

    def empty(self) -> None:
        "."

    async def full(self) -> str:

        return "# this stays"
'''


def test_comments_and_docstrings_go_and_lines_stay() -> None:
    assert stripped(SOURCE) == STRIPPED


def test_stripping_twice_changes_nothing_more() -> None:
    assert stripped(stripped(SOURCE)) == STRIPPED


@pytest.mark.parametrize("path", sorted((ROOT / "src").rglob("*.py")), ids=lambda path: path.name)
def test_every_statement_of_the_worker_stays_in_its_line(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Return, ast.Assign)
    before, after = (
        [(type(node), node.lineno) for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
        for text in (source, stripped(source))
    )
    assert after == before


def test_a_folder_is_stripped_in_place(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    file = tmp_path / "package" / "module.py"
    file.write_text(SOURCE, encoding="utf-8")
    strip_folder(tmp_path)
    assert file.read_text(encoding="utf-8") == STRIPPED
