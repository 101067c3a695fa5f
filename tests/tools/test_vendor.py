import json
import re
from importlib import resources
from pathlib import Path

import pytest

from services.access.bots import is_bot
from vendor import PYTHON_MODULES, not_told_by_rules, prune, split_patterns

CRAWLERS = json.loads(
    (resources.files("crawleruseragents") / "crawler-user-agents.json").read_text(encoding="utf-8")
)
# The package's examples for these are browsers of people: Meta's apps, any app on a phone with
# ColorOS 15 or OxygenOS 15, and a site that Fluid made an app of.
BROWSERS_OF_PEOPLE = {"MetaIAB Facebook", r"AP3A\.240617\.008", "Fluid"}


@pytest.mark.parametrize(
    ("pattern", "literal"),
    [
        ("bingbot", "bingbot"),
        (r"Googlebot\/", "Googlebot/"),
        (r"Google\-Read\-Aloud", "Google-Read-Aloud"),
        (r"grub\.org", "grub.org"),
        ("Jamie's Spider", "Jamie's Spider"),
        (r"a\_b\ c", "a_b c"),
    ],
)
def test_a_plain_text_is_taken_out_of_its_escapes(pattern: str, literal: str) -> None:
    assert split_patterns([pattern]) == ([literal], [])


@pytest.mark.parametrize(
    "pattern",
    ["[wW]get", "^curl", r"grub.org", r"Silk$", "a|b", r"\bbot\b", r"bot\d", "bots?", "dbot\\)"],
)
def test_a_real_expression_stays_as_it_is(pattern: str) -> None:
    assert split_patterns([pattern]) == ([], [pattern])


def test_every_pattern_is_in_one_of_the_lists_in_its_order() -> None:
    patterns = ["one", "^two", "three", "f[o]ur"]
    assert split_patterns(patterns) == (["one", "three"], ["^two", "f[o]ur"])


def test_a_crawler_that_is_told_by_its_form_needs_no_pattern() -> None:
    entries = [
        {"pattern": "Foobot", "instances": ["Foobot/1.0"]},
        {"pattern": "Foo Agent", "instances": ["Foo Agent (+https://foo.example)"]},
        {"pattern": "Nameless", "instances": []},
    ]
    patterns = ["Foobot", "Foo Agent", "Nameless"]
    assert not_told_by_rules(entries, patterns) == ["Foo Agent", "Nameless"]


def test_splitting_loses_no_crawler_of_the_package() -> None:
    unrecognised = []
    for crawler in CRAWLERS:
        plain, regexes = split_patterns([crawler["pattern"]])
        unrecognised += [
            instance
            for instance in crawler["instances"]
            if not any(literal in instance for literal in plain)
            and not any(re.search(regex, instance) for regex in regexes)
        ]
    assert unrecognised == []


def test_the_worker_recognises_every_crawler_of_the_package() -> None:
    unrecognised = [
        instance
        for crawler in CRAWLERS
        if crawler["pattern"] not in BROWSERS_OF_PEOPLE
        for instance in crawler["instances"]
        if not is_bot(instance)
    ]
    assert unrecognised == []


def test_what_the_worker_never_imports_is_removed(tmp_path: Path) -> None:
    shipped = ["ua_parser/__init__.py", "ua_parser/basic.py", "workers/_workers.py"]
    removed = [
        "bin/tool",
        ".lock",
        "ua_parser-1.0.dist-info/METADATA",
        "ua_parser/__main__.py",
        "ua_parser/basic.pyi",
        "ua_parser/deep/er.pyi",
        "ua_parser_builtins/lazy.py",
        "asgi.py",
        "workers/asgi.py",
        "workers/gateway/options.py",
        "workers/wsgi.py",
    ]
    for name in [*shipped, *removed]:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    prune(tmp_path)
    remaining = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(path.as_posix() for path in remaining) == shipped


def test_the_vendored_packages_carry_no_metadata_and_no_types() -> None:
    assert (PYTHON_MODULES / "ua_parser" / "__init__.py").is_file()
    assert not [*PYTHON_MODULES.glob("*.dist-info"), *PYTHON_MODULES.rglob("*.pyi")]
