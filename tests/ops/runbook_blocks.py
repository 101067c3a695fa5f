"""The runbook's blocks of commands, as somebody copies them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence

from paths import ROOT

RUNBOOK = ROOT / "docs" / "runbook.md"
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^(#{2,} .*)$", re.MULTILINE)


def blocks_by_heading() -> Mapping[str, Sequence[str]]:
    """All blocks, by the heading right above them."""
    [_, *parts] = _HEADING.split(RUNBOOK.read_text(encoding="utf-8"))
    sections = zip(parts[::2], parts[1::2], strict=True)
    blocks_of = {heading: _BLOCK.findall(text) for heading, text in sections}
    return {
        heading: [textwrap.dedent(block) for block in blocks]
        for heading, blocks in blocks_of.items()
        if blocks
    }


def commands_under(heading: str) -> Sequence[str]:
    """The commands of all blocks of a section, in their order; one may have several lines."""
    commands = [
        command
        for block in blocks_by_heading()[heading]
        for command in re.split(r"(?<!\\)\n", block)
    ]
    return [command for command in commands if command.strip()]
