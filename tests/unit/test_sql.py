"""SQL is joined from constants only: every value is bound (docs/decisions.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
FILES = sorted(path for path in SRC.rglob("*.py") if "generated" not in path.parts)

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b|\bWHERE\b|\bVALUES\b")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")

# Functions that join what their callers in the same file name: constants and names of the schema.
JOINED_BY_FUNCTIONS = {
    "services/backup/changes.py": "names of tables and columns, checked in tables.py",
    "services/backup/tables.py": "names of tables and columns, read from the schema and checked",
    "services/monitoring/metrics.py": "names of jobs and their cached counts",
    "services/privacy/statements.py": "columns that hold addresses of pages",
    "services/projects/entry_kinds.py": "names of tables and columns, and a condition on siblings",
    "services/reports/breakdowns.py": "columns of the properties that a breakdown may have",
    "services/reports/channel_sql.py": "names of columns",
    "services/reports/export_pages.py": "columns of the export",
}


def is_sql(node: ast.JoinedStr) -> bool:
    parts = (part.value for part in node.values if isinstance(part, ast.Constant))
    return SQL.search(" ".join(str(part) for part in parts)) is not None


def is_constant(expression: ast.expr) -> bool:
    """Whether an expression is made of names in capitals and literals only."""
    names = [node for node in ast.walk(expression) if isinstance(node, ast.Name)]
    return bool(names) and all(CONSTANT.fullmatch(name.id) for name in names)


def joined_values(source: str) -> Iterator[str]:
    """What stands in braces inside SQL and is no constant, as `line: expression`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr) and is_sql(node):
            for part in node.values:
                if isinstance(part, ast.FormattedValue) and not is_constant(part.value):
                    yield f"{part.lineno}: {ast.unparse(part.value)}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SRC).as_posix())
def test_sql_is_joined_from_constants_only(path: Path) -> None:
    joined = list(joined_values(path.read_text(encoding="utf-8")))
    assert bool(joined) == (path.relative_to(SRC).as_posix() in JOINED_BY_FUNCTIONS), joined


@pytest.mark.parametrize("value", ["name", "self.table", "names[0]", "f(x)"])
def test_a_value_joined_into_sql_would_be_seen(value: str) -> None:
    assert list(joined_values(f'f"SELECT * FROM t WHERE a = {{{value}}}"')) == [f"1: {value}"]


def test_a_constant_in_sql_is_fine() -> None:
    assert list(joined_values('f"SELECT {_COLUMNS} FROM t LIMIT {MAX_ROWS + 1}"')) == []
