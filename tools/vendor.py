"""Fills what ships beside our own source: python_modules/ and src/generated/.

Packages come from uv.lock with their hashes. The list of crawlers is reduced to its patterns,
because the package's own file carries 500 KB of examples that the Worker never reads.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from paths import CACHE, ROOT, VENV_BIN
from services.access.bot_rules import says_machine
from strip_source import strip_folder

PYTHON_MODULES = ROOT / "python_modules"
GENERATED = ROOT / "src" / "generated"
WORKER_PYTHON = "3.14"

# Metadata, two further copies of the user-agent rules in other forms, and the table by which idna
# maps other spellings: services/core/email_addresses.py does it with Python's own.
NOT_SHIPPED = (
    "*.dist-info",
    "bin",
    ".lock",
    "idna/__main__.py",
    "idna/cli.py",
    "idna/codec.py",
    "idna/compat.py",
    "idna/uts46data.py",
    "ua_parser/__main__.py",
    "ua_parser/user_agent_parser.py",
    "ua_parser_builtins/lazy.py",
    # What runs other frameworks on the SDK.
    "asgi.py",
    "workers/asgi.py",
    "workers/gateway",
    "workers/wsgi.py",
    "ua_parser_builtins/regexes.py",
    "**/*.pyi",
)

# Patterns that also match what people use, and what to look for instead (None: nothing).
PEOPLE_TOO = {
    "MetaIAB Facebook": None,  # Meta's in-app browser
    r"AP3A\.240617\.008": None,  # the Android 15 build of many phones
    "Viber": "^Viber",  # its in-app browser says so at the end
    "Sogou": r"Sogou \w+ [Ss]pider",  # SogouMobileBrowser
    "Butterfly": "Butterfly/",  # HTC Butterfly, a phone
    "WhatsApp": r"^WhatsApp(?:/\S+(?: \w)?)?$",  # its app names the device behind that
    "Sonic": "Sonic/",  # ViewSonic and Cherry Sonic, devices; Slack
    "Fever": "Fever/",  # Fever Plus, a phone
    "Expanse": "^Expanse",  # a phone, too
    "Fluid": None,  # makes an app of a site on a Mac
    "speedy": "speedy_?spider",  # Yahoo's mail on a phone
    r"008\/": "^008/",  # versions that end so
    r"Fetch\/": "^Fetch/",  # Firefox for Android asks with MozacFetch
}

LITERAL_ESCAPE = re.compile(r"\\([./\-_ ])")
REGEX_SYNTAX = re.compile(r"[\\^$.|?*+()\[\]{}]")


def vendor_packages() -> None:
    """Installs the locked runtime dependencies for the Worker's Python into python_modules/."""
    uv = str(VENV_BIN / "uv")
    requirements = CACHE / "worker-requirements.txt"
    CACHE.mkdir(exist_ok=True)
    export = [uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"]
    subprocess.run([*export, "--output-file", requirements], cwd=ROOT, check=True)
    shutil.rmtree(PYTHON_MODULES, ignore_errors=True)
    install = [uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"]
    target = ["--target", str(PYTHON_MODULES), "--python-version", WORKER_PYTHON]
    subprocess.run([*install, *target, "--requirement", str(requirements)], cwd=ROOT, check=True)
    prune(PYTHON_MODULES)
    strip_folder(PYTHON_MODULES)


def prune(folder: Path) -> None:
    """Removes what the Worker never imports."""
    for pattern in NOT_SHIPPED:
        for path in folder.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def split_patterns(patterns: list[str]) -> tuple[list[str], list[str]]:
    """Divides crawler patterns into plain texts and real regular expressions.

    A plain text is found with `in`, which is faster than any alternation of patterns.
    """
    plain, regexes = [], []
    for pattern in patterns:
        if REGEX_SYNTAX.search(LITERAL_ESCAPE.sub("", pattern)):
            regexes.append(pattern)
        else:
            plain.append(LITERAL_ESCAPE.sub(r"\1", pattern))
    return plain, regexes


def without_people(patterns: list[str]) -> list[str]:
    """The patterns without those that refuse people.

    Raises:
        ValueError: the list no longer has a pattern that is to be replaced.
    """
    if missing := PEOPLE_TOO.keys() - set(patterns):
        raise ValueError(f"crawler-user-agents no longer has {missing}: mend PEOPLE_TOO")
    replaced = (PEOPLE_TOO.get(pattern, pattern) for pattern in patterns)
    return [pattern for pattern in replaced if pattern]


def not_told_by_rules(entries: list[dict[str, Any]], patterns: list[str]) -> list[str]:
    """The patterns of crawlers that `bot_rules` does not tell by their form."""
    in_form = {
        str(entry["pattern"])
        for entry in entries
        if entry["instances"] and all(map(says_machine, entry["instances"]))
    }
    return [
        pattern
        for pattern in patterns
        if pattern not in in_form or not says_machine(LITERAL_ESCAPE.sub(r"\1", pattern))
    ]


def write_crawler_patterns() -> None:
    """Writes src/generated/crawler_patterns.py from the pinned package `crawler-user-agents`."""
    source = resources.files("crawleruseragents") / "crawler-user-agents.json"
    entries = json.loads(source.read_text(encoding="utf-8"))
    patterns = without_people([entry["pattern"] for entry in entries])
    literals, regexes = split_patterns(not_told_by_rules(entries, patterns))
    GENERATED.mkdir(exist_ok=True)
    (GENERATED / "__init__.py").touch()
    (GENERATED / "crawler_patterns.py").write_text(
        '"""Made by tools/vendor.py from the package crawler-user-agents; not edited by hand."""\n'
        f"\nLITERALS: tuple[str, ...] = {tuple(literals)!r}\n"
        f"REGEXES: tuple[str, ...] = {tuple(regexes)!r}\n",
        encoding="utf-8",
    )


def main() -> int:
    """Makes both folders anew."""
    vendor_packages()
    write_crawler_patterns()
    return 0


if __name__ == "__main__":
    sys.exit(main())
