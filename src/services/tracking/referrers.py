"""The page before: its campaign is the event's only if it is a page of the same client.

Clients may share a registrable domain or a host, and with it the visitor. So a page before that
says anything is looked up among the sites of all projects, which an isolate remembers, and where
they leave it open among the pages that the visitor has seen, in one more round trip. The page of
another client is stored without whatever is behind its path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.core.ports import Database, Row
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import PixelRules
from services.tracking.attribution import has_parameters
from services.tracking.events import Event
from services.tracking.link_parameters import bare_page
from services.tracking.registrable_domains import share_domain
from services.tracking.site_directory import Page, SiteDirectory, plain_host, read_page

# Of a visitor who is made up.
_MAX_EVENTS = 1_000

# The pages of a host on which the visitor was seen, and with which projects.
READ_SEEN = f"""
SELECT DISTINCT project_id, page_url FROM (
  SELECT project_id, page_url FROM tracking_events
  WHERE visitor_id = (SELECT id FROM visitors WHERE visitor_cookie = ?1) LIMIT {_MAX_EVENTS}
) WHERE instr(lower(page_url), ?2)
"""


def is_on_own_host(event: Event, rules: PixelRules) -> bool:
    """Whether the page before is on the host of the page at hand, or on one of the pixel's."""
    referrer = event.referrer_url or ""
    return plain_host(referrer) == plain_host(event.page_url) or rules.covers(referrer)


@dataclass(frozen=True, slots=True)
class Referrers:
    """Judges whose the pages before are."""

    database: Database
    sites: SiteDirectory

    async def with_own_referrer(self, event: Event, pixel: Pixel, now: datetime) -> Event:
        """The event, without the campaign of the page before if that is another client's or site's.

        Raises:
            UnavailableError: D1 failed.
        """
        referrer = event.referrer_url
        if referrer is None:
            return event
        bare = bare_page(referrer)
        is_own_host = is_on_own_host(event, pixel.rules)
        is_shared = is_own_host or share_domain(referrer, event.page_url)
        # What an address says is its client's own, also where no reading finds a campaign in it.
        # The stored one may lack what the touch was read from.
        is_telling = bare != referrer and (is_shared or has_parameters(referrer))
        if (is_telling or _has_its_touch(event)) and await self._is_of_others(
            event, pixel, now, is_own_host=is_own_host
        ):
            return replace(_without_its_touch(event), referrer_url=bare)
        return event if is_shared else _without_its_touch(event)

    async def _is_of_others(
        self, event: Event, pixel: Pixel, now: datetime, *, is_own_host: bool
    ) -> bool:
        """Whether the page before is known as another project's, or may be and not as an own one.

        The site with the longer path has it. Who names a host comes before those who name all
        hosts of a domain.
        """
        referrer, own_id = event.referrer_url or "", pixel.project_id
        page, host = read_page(referrer), await self.sites.host(referrer, pixel, now)
        depth, depth_of_others = (
            host.sure_depth(page, own_id),
            host.depth_of_others(page, own_id),
        )
        # The host of the page at hand is its client's own, where nobody has a path of it.
        is_one_clients = page.host == plain_host(event.page_url) and not host.is_divided
        if depth != depth_of_others and not is_one_clients:
            return depth < depth_of_others
        by_wildcard = self.sites.by_wildcard(referrer)
        is_named = own_id in host.named_by
        known_ids = host.named_by | host.seen_by | (set() if is_named else by_wildcard)
        other_ids = known_ids - {own_id}
        if not other_ids and (is_own_host or is_named or own_id in by_wildcard):
            return False
        was_with_others = await self._was_with_others(event, page, own_id)
        if was_with_others is None:
            return bool(other_ids) and not is_one_clients
        return was_with_others

    async def _was_with_others(self, event: Event, page: Page, own_id: str) -> bool | None:
        """Whether the visitor was on the host of a page with other projects, as far as is stored.

        Not if they were on exactly that page with the own one; None if they were not there at all.
        """
        rows = await self.database.rows(READ_SEEN, event.visitor_cookie, page.host)
        if any(row["project_id"] == own_id and read_page(row["page_url"]) == page for row in rows):
            return False
        return True if any(_is_anothers(row, own_id, page.host) for row in rows) else None


def _is_anothers(row: Row, project_id: str, host: str) -> bool:
    return row["project_id"] != project_id and plain_host(row["page_url"]) == host


def _without_its_touch(event: Event) -> Event:
    return replace(event, touch=None) if _has_its_touch(event) else event


def _has_its_touch(event: Event) -> bool:
    return event.touch is not None and event.touch.origin == "referrer"
