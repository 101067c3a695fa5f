"""Fails the build when an ad blocker's generic rule would block an address that we ship.

uBlock Origin's own engine (tools/ad_block.mjs) judges every file of build/assets and every
endpoint that a browser calls, as seen from a client's site and from one of our own domain, against
tools/ad_block_rules.txt. A blocked pixel is silent: nobody is told of the leads it did not send.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from paths import ASSETS, NODE_BIN, ROOT, tool_environment

HOST = "https://pixel.salesmagic.us"
SITES = ("https://client.example/", "https://shop.salesmagic.us/")
ENGINE = Path(__file__).with_name("ad_block.mjs")
RULES = Path(__file__).with_name("ad_block_rules.txt")

# What uBlock calls the requests for a file. A page counts as a frame: of one that is opened by
# hand, it would look at fewer rules.
TYPES = {".js": "script", ".css": "stylesheet", ".html": "sub_frame"}
TYPES |= dict.fromkeys((".gif", ".png", ".svg"), "image")

# Addresses that scripts on clients' sites still call; they stay, blocked or not.
OLD = {
    "/pixel.js": "script tags pasted before /p.js was",
    "/static/pixel.js": "the same, older still",
    "/api/track": "where the old pixel sends its events",
    "/api/track/track": "the same, by its first version",
    "/api/track/pixel.gif": "the old pixel's image, where scripts are off",
    "/api/analytics/*": "scripts of people who read the numbers; pages use /api/reports/*",
    "/api/projects*": "the same, of people who manage; pages use /api/manage/*",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request that a browser makes for one of our addresses, from a page."""

    path: str
    type: str
    origin: str
    host: str = HOST

    @property
    def old(self) -> str | None:
        """Why an outdated address is still served; None for a current one."""
        bare, _, _ = self.path.partition("?")
        return next((reason for name, reason in OLD.items() if fnmatchcase(bare, name)), None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for a request: the rule that blocks it, or None."""

    request: Request
    rule: str | None

    @property
    def fails(self) -> bool:
        """Whether the build must fail: a current address is blocked."""
        return self.rule is not None and self.request.old is None

    def __str__(self) -> str:
        """The result as the table shows it."""
        if self.rule is None:
            return "passes"
        return f"{'BLOCKED' if self.fails else 'old, blocked'} by {self.rule}"


FROM_SITES = (  # a browser has several ways to send one event
    ("/e", "xmlhttprequest"),
    ("/e", "ping"),
    ("/e/page.gif?pixel_id=a-pixel", "image"),
    ("/api/track", "xmlhttprequest"),
    ("/api/track/track", "xmlhttprequest"),
    ("/api/track/pixel.gif?pixel_id=a-pixel", "image"),
)
FROM_OUR_PAGES = (
    "/api/reports/metrics?project_id=a-project",
    "/api/reports/realtime/a-project",
    "/api/reports/stats/a-project",
    "/api/manage/projects?limit=5",
    "/api/manage/projects/a-project/pixels",
    "/api/manage/pixels/a-pixel",
    "/api/projects/pixels/a-pixel",
    "/api/analytics/metrics?project_id=a-project",
    "/api/analytics/realtime/a-project",
    "/health",
)
ENDPOINTS = (
    *(Request(path, kind, site) for path, kind in FROM_SITES for site in SITES),
    *(Request(path, "xmlhttprequest", f"{HOST}/") for path in FROM_OUR_PAGES),
)


def asset_paths(assets: Path) -> list[str]:
    """Return the paths of all assets: of the files, and of the rules in `_headers`."""
    files = (file.relative_to(assets) for file in assets.rglob("*") if file.is_file())
    served = {f"/{file.as_posix()}" for file in files if not file.name.startswith(("_", "."))}
    lines = (assets / "_headers").read_text(encoding="utf-8").splitlines()
    return sorted(served | {line.replace("*", "any") for line in lines if line.startswith("/")})


def asset_requests(assets: Path) -> list[Request]:
    """The requests for all assets, from each kind of site."""
    return [
        Request(path, TYPES.get(Path(path).suffix, "other"), site)
        for path in asset_paths(assets)
        for site in SITES
    ]


def judge(requests: Sequence[Request]) -> list[Verdict]:
    """Ask uBlock's engine whether it blocks each request."""
    engine_requests = [
        {"url": request.host + request.path, "originURL": request.origin, "type": request.type}
        for request in requests
    ]
    engine_input = json.dumps(
        {"rules": RULES.read_text(encoding="utf-8"), "requests": engine_requests}
    )
    engine = subprocess.run(
        [NODE_BIN / "node", ENGINE],
        input=engine_input,
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=tool_environment(),
        text=True,
    )
    return [Verdict(*pair) for pair in zip(requests, json.loads(engine.stdout), strict=True)]


def table(verdicts: Iterable[Verdict]) -> str:
    """Format one line for each path and its result."""
    lines = dict.fromkeys((verdict.request.path, str(verdict)) for verdict in verdicts)
    width = max(len(path) for path, _ in lines)
    return "\n".join(f"{path:<{width}}  {verdict}" for path, verdict in lines)


def main(assets: Path = ASSETS) -> int:
    """Print the table and the errors; return the exit code."""
    verdicts = judge([*asset_requests(assets), *ENDPOINTS])
    print(table(verdicts))
    failures = [verdict for verdict in verdicts if verdict.fails]
    for verdict in failures:
        request = verdict.request
        print(
            f"error: ad blockers block {request.path} ({request.type} on {request.origin}): "
            f"rule {verdict.rule}",
            file=sys.stderr,
        )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
