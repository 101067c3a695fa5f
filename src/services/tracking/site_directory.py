"""Which projects are known on which host, in the memory of an isolate.

What somebody wrote (`website_url`, `allowed_domains`), and where each pixel was seen last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from services.core.ports import Database, Row
from services.core.text import read_object
from services.core.web_addresses import host_of, place_of
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import read_rules
from services.tracking.link_parameters import bare_page
from services.tracking.registrable_domains import addresses_of_website, registrable_domain

READ_SITES = """
SELECT
  pixels.id, pixels.project_id, pixels.website_url, pixels.configuration AS of_pixel,
  projects.configuration AS of_project, (
    SELECT page_url FROM tracking_events
    WHERE tracking_events.pixel_id = pixels.id ORDER BY timestamp DESC LIMIT 1
  ) AS page_url
FROM pixels LEFT JOIN projects ON projects.id = pixels.project_id
"""


class Page(NamedTuple):
    """A page without what is behind its path. `segments` are the decoded parts of the path."""

    host: str
    port: str
    segments: Sequence[str]


def read_page(address: str) -> Page:
    """The page of a web address, its host without `www.`."""
    host, port, path = place_of(bare_page(address))
    segments: list[str] = []
    for segment in map(unquote, path.split("/")):
        if segment == "..":
            del segments[-1:]
        elif segment not in {"", "."}:
            segments.append(segment)
    return Page(host.removeprefix("www."), port, tuple(segments))


def plain_host(address: str) -> str:
    """The host of a web address without `www.`."""
    return host_of(address).removeprefix("www.")


@dataclass(slots=True)
class KnownHost:
    """What is known of a host: by project the pages with which its sites begin, and who is there.

    `named_by` are the projects with the host in a setting, `seen_by` those whose pixel was there
    last.
    """

    starts: list[tuple[str, Page]] = field(default_factory=list)
    named_by: set[str] = field(default_factory=set)
    seen_by: set[str] = field(default_factory=set)

    @property
    def is_divided(self) -> bool:
        """Whether somebody's site is a part of it: what a site begins with has a path or a port."""
        return any(start.segments or start.port for _, start in self.starts)

    def sure_depth(self, page: Page, project_id: str) -> int:
        """How many segments of a page's path surely are those of a project's site; -1: not its."""
        return max(
            (
                len(start.segments)
                for project, start in self.starts
                if project == project_id and start.port == page.port and _begins(start, page)
            ),
            default=-1,
        )

    def depth_of_others(self, page: Page, project_id: str) -> int:
        """How many segments may be those of another project's site; -1: none's.

        Not every server tells cases, ports and encoded slashes apart.
        """
        page = _loose(page)
        return max(
            (
                len(begin.segments)
                for project, start in self.starts
                if project != project_id
                for begin in (_loose(start), _loose(_folder(start)))
                if _begins(begin, page)
            ),
            default=-1,
        )


def _begins(start: Page, page: Page) -> bool:
    return page.segments[: len(start.segments)] == start.segments


def _loose(page: Page) -> Page:
    parts = (part for segment in page.segments for part in segment.lower().split("/"))
    return page._replace(segments=tuple(filter(None, parts)))


def _folder(start: Page) -> Page:
    """The folder of a file: who names `/a/index.html` has `/a`."""
    is_file = bool(start.segments) and "." in start.segments[-1]
    return start._replace(segments=start.segments[:-1]) if is_file else start


_UNKNOWN = KnownHost()


class SiteDirectory:
    """Knows the hosts of all pixels, read when they are asked for and kept for `seconds`."""

    def __init__(self, database: Database, seconds: int) -> None:
        self._database = database
        self._seconds = seconds
        self._until = 0.0
        self._pixels: Collection[str] = ()
        self._hosts: dict[str, KnownHost] = {}
        self._wildcards: set[tuple[str, str]] = set()

    async def host(self, address: str, pixel: Pixel, now: datetime) -> KnownHost:
        """What is known of the host of an address, asked for an event of a pixel.

        Raises:
            UnavailableError: the sites had to be read and D1 failed.
        """
        if now.timestamp() >= self._until or pixel.id not in self._pixels:
            self._learn(await self._database.rows(READ_SITES))
            self._until = now.timestamp() + self._seconds
        return self._hosts.get(plain_host(address), _UNKNOWN)

    def by_wildcard(self, address: str) -> set[str]:
        """The projects with a host or domain above that of an address, as far as they are read."""
        host = host_of(address)
        return {project for project, domain in self._wildcards if host.endswith(domain)}

    def _learn(self, rows: Sequence[Row]) -> None:
        hosts: dict[str, KnownHost] = defaultdict(KnownHost)
        wildcards = set()
        for row in rows:
            project = row["project_id"]
            for start in map(read_page, addresses_of_website(row["website_url"] or "")):
                hosts[start.host].starts.append((project, start))
                hosts[start.host].named_by.add(project)
                if registrable_domain(start.host) != start.host:
                    # Below somebody's own host are that client's pages, too.
                    wildcards.add((project, f".{start.host}"))
            rules = read_rules(read_object(row["of_project"]), read_object(row["of_pixel"]))
            for domain in rules.allowed_domains:
                if domain.startswith("*."):
                    wildcards.add((project, domain[1:]))
                else:
                    hosts[domain.removeprefix("www.")].named_by.add(project)
            if last_host := plain_host(row["page_url"] or ""):
                hosts[last_host].seen_by.add(project)
        self._hosts, self._wildcards = dict(hosts), wildcards
        self._pixels = {row["id"] for row in rows}
