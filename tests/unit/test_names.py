"""Names come from the field or say what they hold: a reader meets most of them without context."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Words that say nothing of what is held, alone or behind an underscore.
VAGUE = frozenset(
    """
    about again all_of_them another anything around asked at_once away back began begun
    behind being both came comes done each else every everything fitting following found
    from further gave given gives goes gone got held here hers his holds into just keep kept
    known left less lies look looked looks made many meant more most much nothing of on_it
    one ones others ours over own place places ready said same says seen shown some
    something spoken stands stays stuff such taken takes that theirs them then there they
    thing things this those to told took under unlike until_then wanted well went what
    whatever when where which while who whole whom why with without words yours
    """.split()  # noqa: SIM905  # one word more is one word
)
# A preposition in front says where something belongs, not what it is.
PREPOSITIONS = ("of_", "in_words", "to_the_", "at_the_", "on_the_")

FOLDERS = ("src", "ops", "tools", "bench")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*.py")
    if "generated" not in path.parts
)

# The tests are older than the rule. Rename there and lower it: it never rises.
MAX_VAGUE_TEST_NAMES_PER_THOUSAND = 12

Scope = tuple[str, ...]


def parameters_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Iterator[ast.arg]:
    signature = node.args
    yield from (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)
    yield from filter(None, (signature.vararg, signature.kwarg))


def bindings(node: ast.AST, scope: Scope = ()) -> Iterator[tuple[Scope, str, int]]:
    """Every name that is bound, with its scope and line: functions, parameters, locals, fields."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield scope, node.name, node.lineno
            scope = (*scope, f"{node.name}:{node.lineno}")
            if not isinstance(node, ast.ClassDef):
                yield from (
                    (scope, argument.arg, argument.lineno) for argument in parameters_of(node)
                )
        case ast.Lambda():
            yield from ((scope, argument.arg, argument.lineno) for argument in parameters_of(node))
        case ast.Name(ctx=ast.Store()):
            yield scope, node.id, node.lineno
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield scope, name, node.lineno
    for child in ast.iter_child_nodes(node):
        yield from bindings(child, scope)


def names_in(source: str) -> dict[tuple[Scope, str], int]:
    """Every name of a file once a scope, with the line where it is bound first."""
    first: dict[tuple[Scope, str], int] = {}
    for scope, name, line in bindings(ast.parse(source)):
        if name not in ("self", "cls", "_"):
            first.setdefault((scope, name), line)
    return first


def is_vague(name: str) -> bool:
    plain = name.strip("_").lower()
    return plain in VAGUE or plain.startswith(PREPOSITIONS)


def vague_names(source: str) -> list[str]:
    return [f"{line}: {name}" for (_, name), line in names_in(source).items() if is_vague(name)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_name_is_a_word_that_says_nothing(path: Path) -> None:
    assert vague_names(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.name == "__init__.py" and path.parent.parent != ROOT],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_every_package_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_class_is_known_by_its_name_alone(folder: str) -> None:
    names = Counter(
        node.name
        for path in FILES
        if path.is_relative_to(ROOT / folder)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_the_vague_names_of_the_tests_become_fewer() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    vague = sum(len(vague_names(source)) for source in sources)
    names = sum(len(names_in(source)) for source in sources)
    assert 1_000 * vague / names <= MAX_VAGUE_TEST_NAMES_PER_THOUSAND


@pytest.mark.parametrize(
    "source",
    [
        "found = 1",
        "def f(wanted): ...",
        "def _said(): ...",
        "for each in x: ...",
        "class Place: ...",
        "KEPT: int = 3",
        "[told for told in x]",
        "lambda what: what",
        "match x:\n    case [*others]: ...",
        "def of_the_leads(): ...",
    ],
)
def test_a_vague_name_would_be_seen(source: str) -> None:
    assert len(vague_names(source)) == 1


def test_a_name_counts_once_in_its_scope() -> None:
    source = "def f():\n    found = 1\n    found = 2\n\ndef g():\n    found = 3"
    assert len(vague_names(source)) == 2
