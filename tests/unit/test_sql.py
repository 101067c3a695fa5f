"""SQL is joined from constants only: every value is bound (docs/decisions.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.monitoring.health import EXPECTED_MIGRATION

SRC = Path(__file__).resolve().parents[2] / "src"
FILES = sorted(path for path in SRC.rglob("*.py") if "generated" not in path.parts)

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b|\bWHERE\b|\bVALUES\b")
INDEX = re.compile(r"\bINDEXED BY (\w+)")
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")

# What functions join that their callers in the same file name: constants and names of the schema.
JOINED_BY_FUNCTIONS = {
    # Names of tables and columns, read from the schema and checked in tables.py.
    "services/backup/changes.py": {
        "', '.join((f'(SELECT count(*) FROM {name}) AS {name}' for name in GROWING_TABLES))",
        *("_CHANGED[table.name]", "cast", "column", "name"),
        *("table", "table.line()", "table.name"),
    },
    "services/backup/tables.py": {
        "' AND '.join(conditions) or 'true'",
        *("key", "self.line()", "self.name"),
    },
    # Names of jobs and their cached counts.
    "services/monitoring/metrics.py": {"counted_since", "run", "summary"},
    # Columns that hold addresses of pages.
    "services/privacy/statements.py": {
        *("_in_url('page_url')", "_in_url('referrer_url')", "rows"),
        *("table", "_is_within(table)", "_is_within('sessions')", "_is_within('tracking_events')"),
        "_is_only_within('sessions', 'sessions.visitor_id = visitors.id')",
        "_is_only_within('tracking_events', _EVENTS_OF_SESSION)",
        "_is_only_within('tracking_events', 'tracking_events.visitor_id = visitors.id')",
    },
    # Names of tables and columns, and a condition on siblings.
    "services/projects/entry_kinds.py": {
        *("project_id", "select", "siblings", "table", "url_field"),
    },
    # Columns of the properties that a breakdown may have.
    "services/reports/breakdowns.py": {
        *("count_by_channel('first_visits', FIRST_PAGE)", "count_by_channel('visits', FIRST_PAGE)"),
        *("count_by_channel('shares', 'first_id')", "id_of('min(moment)')", "page", "value"),
        *("ad", "campaign_kind", "medium", "share", "source"),
        *("word('value')", "word_key('value')", "page('page_url')"),
    },
    "services/reports/channel_sql.py": {
        "with_referring_sites(visits, first_page)",
        *("_word('lower(trim(foreigners.source))')", "_source('foreigners.source')"),
        *("_own_source('text')", "_parent()"),
    },
    # Names of tables and columns.
    "services/reports/attribution_models.py": {"without_repeats('seen')"},
    "services/reports/referring_sites.py": {
        *("host('page_url')", "host('referrer_url')", "first_page", "visits"),
    },
    "services/reports/repeated_touches.py": {
        *("', '.join((f'now_{name}' for name in _VALUES))", "touches"),
    },
    # Columns of a credit and of pages.
    "services/reports/legacy_statistics.py": {
        *("word('utm_source')", "word_key('credited.utm_source')", "page('page_url')"),
    },
    "services/sync/suspicion.py": {"leased_ids"},
    # Constants of the same file, as strings.
    "services/reports/page_sql.py": {
        "_is_one_of(AD_WORDS, 'name')",
        "_replaced('substr(address, mark)', _ESCAPES)",
        "_without_tracking(fragment)",
        "_without_tracking(head)",
        "address",
        "fragment",
        "mended",
        "url",
    },
    "services/reports/utm_analysis.py": {"word_of_click(NETWORK_OF_CLICK_ID)"},
    "services/reports/project_statistics.py": {"page('page_url')"},
    "services/reports/pixel_statistics.py": {
        *("word('source')", "word('medium')", "word('campaign')"),
        *("word_key('credited.source')", "word_key('credited.medium')"),
        *("word_key('credited.campaign')", "page('page_url')"),
    },
    # Columns of the export.
    "services/reports/export_pages.py": {
        "_events(replaced)",
        "_line_of(line, replaced)",
        "columns",
    },
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
    joined = joined_values(path.read_text(encoding="utf-8"))
    expressions = {value.split(": ", 1)[1] for value in joined}
    assert expressions == JOINED_BY_FUNCTIONS.get(path.relative_to(SRC).as_posix(), set())


@pytest.mark.parametrize("value", ["name", "self.table", "names[0]", "f(x)"])
def test_a_value_joined_into_sql_would_be_seen(value: str) -> None:
    assert list(joined_values(f'f"SELECT * FROM t WHERE a = {{{value}}}"')) == [f"1: {value}"]


def test_a_constant_in_sql_is_fine() -> None:
    assert list(joined_values('f"SELECT {_COLUMNS} FROM t LIMIT {MAX_ROWS + 1}"')) == []


def test_the_expected_migration_has_every_index_that_a_statement_names() -> None:
    migrations = sorted((SRC.parent / "migrations").glob("*.sql"))
    expected = [path for path in migrations if path.name <= EXPECTED_MIGRATION]
    assert expected[-1].name == EXPECTED_MIGRATION
    schema = "".join(path.read_text(encoding="utf-8") for path in expected)
    named = {index for path in FILES for index in INDEX.findall(path.read_text(encoding="utf-8"))}
    assert named
    assert {index for index in named if f"INDEX {index}" not in schema} == set()
