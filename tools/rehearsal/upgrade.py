"""docs/upgrade.md, followed as it stands: its blocks of commands run in a shell on the stage."""

from __future__ import annotations

import re
import textwrap

from paths import ROOT
from rehearsal.stage import RehearsalError, Stage

DOCUMENT = ROOT / "docs" / "upgrade.md"
PIXEL = "pixel-1-shop"
WATCH_SECONDS = "10"
# Exits with 1 where something is to be looked at, as on a young production.
MAY_NAME_PROBLEMS = "./ppp status"
_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)


def block_with(command: str) -> str:
    """Return the block of the document with a line that begins with a command.

    Raises:
        RehearsalError: none or several have one.
    """
    text = DOCUMENT.read_text(encoding="utf-8")
    blocks = [textwrap.dedent(block).strip() for block in _BLOCK.findall(text)]
    matching = [block for block in blocks if f"\n{block}\n".find(f"\n{command}") >= 0]
    if len(matching) != 1:
        raise RehearsalError(f"docs/upgrade.md has {len(matching)} blocks with {command!r}, not 1")
    return matching[0]


def follow_upgrade(stage: Stage) -> None:
    """Check, deploy and compare as the document says, then see what its way back would do."""
    stage.variables["PPP_WATCH_SECONDS"] = WATCH_SECONDS
    checked = stage.shell(block_with("./ppp preflight")).expect(0, "nothing stands against it")
    if "0013_" not in checked.out or "0011_" in checked.out:
        raise RehearsalError("preflight does not list the migrations from 0013 on, and no older")
    stage.shell(block_with("./ppp deploy --env production --first\n"), answer="y\n").expect(
        0, "deployed: "
    )
    stage.cron()
    for line in block_with("./ppp leads").splitlines():
        output = stage.shell(line.replace("PIXEL_ID", PIXEL))
        if not (line.startswith(MAY_NAME_PROBLEMS) and output.code == 1):
            output.expect(0)
    stage.shell(block_with("./ppp rollback")).expect(0, "npx wrangler versions deploy")
