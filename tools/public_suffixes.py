"""Makes src/services/tracking/public_suffixes.py from the list in @gorhill/ubo-core.

All suffixes of two labels and more are taken. Those of one are not needed: whatever is not in the
list has the last label as its suffix.
"""

from __future__ import annotations

import json
import struct
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from paths import ROOT

PACKAGE = ROOT / "node_modules" / "@gorhill" / "ubo-core"
TABLE = ROOT / "src" / "services" / "tracking" / "public_suffixes.py"
# The format of lib/publicsuffixlist/publicsuffixlist.js: words of 32 bits, a node has three.
MAGIC = 3
RULES, CHARACTERS = 100, 101
IN_NODE = 4


def read_rules(package: Path = PACKAGE) -> list[str]:
    """All rules of the list, as it writes them: `co.uk`, `*.ck`, `!www.ck`.

    Raises:
        ValueError: the package has another format than the one that is read here.
    """
    dump = json.loads((package / "build" / "publicsuffixlist.json").read_text(encoding="utf-8"))
    if dump["magic"] != MAGIC:
        raise ValueError("@gorhill/ubo-core stores its list otherwise: mend tools/public_suffixes")
    tree = [dump["buf32"][str(index)] for index in range(len(dump["buf32"]))]
    return list(_rules(tree, struct.pack(f"<{len(tree)}I", *tree), tree[RULES], ""))


def _rules(tree: Sequence[int], octets: bytes, node: int, suffix: str) -> Iterator[str]:
    children, flags, length = tree[node] >> 16, tree[node] >> 8 & 0xFF, tree[node] & 0xFF
    start = (node + 1) * 4 if length <= IN_NODE else tree[CHARACTERS] + tree[node + 1]
    label = octets[start : start + length].decode("ascii")
    name = ".".join(filter(None, (label, suffix)))
    if flags & 1:
        yield f"!{name}" if flags & 2 else name
    for child in range(children):
        yield from _rules(tree, octets, tree[node + 2] + 3 * child, name)


def shipped(rules: Sequence[str]) -> list[str]:
    """The rules that ship, sorted."""
    return sorted(rule for rule in rules if "." in rule)


def table(suffixes: Sequence[str], version: str) -> str:
    """The source of the module: a line for what stands behind the first label."""
    labels = defaultdict(list)
    for suffix in suffixes:
        first, _, last = suffix.partition(".")
        labels[last].append(first)
    lines = [
        line
        for last, firsts in sorted(labels.items())
        for line in textwrap.wrap(
            f"{last} {' '.join(firsts)}",
            96,
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
    ]
    return "\n".join(
        (
            '"""Made by tools/public_suffixes.py; not edited by hand."""',
            "",
            f"# {len(suffixes)} suffixes of https://publicsuffix.org/ (MPL 2.0),",
            f"# by @gorhill/ubo-core {version}: the end of suffixes, then what stands before it.",
            'LABELS_BY_END = """',
            *lines,
            '"""',
            "",
        )
    )


def made_table(package: Path = PACKAGE) -> str:
    """The module as the installed package makes it."""
    manifest = json.loads((package / "package.json").read_text(encoding="utf-8"))
    return table(shipped(read_rules(package)), manifest["version"])


def main() -> int:
    """Writes the module."""
    TABLE.write_text(made_table(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
