"""The runbook's instructions for a lost database, as somebody copies them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

from paths import ROOT

RUNBOOK = ROOT / "docs" / "runbook.md"
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def commands_under(heading: str) -> Sequence[str]:
    """The commands of all code blocks of a section, in their order."""
    text = RUNBOOK.read_text(encoding="utf-8")
    level = heading.split(" ", maxsplit=1)[0]
    _, after = text.split(f"\n{heading}\n", 1)
    section = re.split(rf"^#{{1,{len(level)}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]
    blocks = [textwrap.dedent(block) for block in _BLOCK.findall(section)]
    return [line for block in blocks for line in block.splitlines() if line.strip()]
