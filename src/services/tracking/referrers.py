"""The page before: its campaign is the event's only if it is a page of the same client.

Clients may share a registrable domain, and with it the visitor. So a page with a campaign on
another host is looked up among those of all projects, in one more round trip; few events need it,
because browsers tell other sites nothing but the host. The page of another client is stored without
whatever is behind its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.core.ports import Database, Row
from services.core.text import read_object
from services.core.web_addresses import host_of
from services.projects.pixel_cache import Pixel
from services.projects.pixel_rules import PixelRules, read_rules
from services.tracking.attribution import has_parameters
from services.tracking.events import Event
from services.tracking.link_parameters import bare_page
from services.tracking.registrable_domains import hosts_of_website, share_domain

# Of a visitor who is made up.
_MAX_EVENTS = 1_000

# The sites of all pixels as far as they are known, and whether the visitor was seen on such a page
# with another project.
READ_SITES = f"""
SELECT
  pixels.project_id, pixels.website_url, pixels.configuration AS of_pixel,
  projects.configuration AS of_project, (
    SELECT page_url FROM tracking_events
    WHERE tracking_events.pixel_id = pixels.id ORDER BY timestamp DESC LIMIT 1
  ) AS page_url
FROM pixels LEFT JOIN projects ON projects.id = pixels.project_id
UNION ALL
SELECT project_id, NULL, NULL, NULL, page_url FROM (
  SELECT project_id, page_url FROM tracking_events
  WHERE visitor_id = (SELECT id FROM visitors WHERE visitor_cookie = ?1) LIMIT {_MAX_EVENTS}
) WHERE project_id <> ?2 AND instr(lower(page_url), ?3)
"""


def is_own_page(event: Event, rules: PixelRules) -> bool:
    """Whether the page before is surely one of the same client."""
    referrer = event.referrer_url or ""
    return _plain_host(referrer) == _plain_host(event.page_url) or rules.covers(referrer)


async def with_own_referrer(database: Database, event: Event, pixel: Pixel) -> Event:
    """The event, without the campaign of the page before if that is another client's or site's.

    Raises:
        UnavailableError: D1 failed.
    """
    referrer = event.referrer_url
    if referrer is None or is_own_page(event, pixel.rules):
        return event
    is_shared = share_domain(referrer, event.page_url)
    bare = bare_page(referrer)
    # What an address says is its client's own, also where no reading finds a campaign in it. The
    # stored one may lack what the touch was read from.
    is_telling = bare != referrer and (is_shared or has_parameters(referrer))
    if is_telling or _has_its_touch(event):
        host = _plain_host(referrer)
        rows = await database.rows(READ_SITES, event.visitor_cookie, pixel.project_id, host)
        if _is_of_others(rows, referrer, pixel.project_id):
            return replace(_without_its_touch(event), referrer_url=bare)
    return event if is_shared else _without_its_touch(event)


def _without_its_touch(event: Event) -> Event:
    return replace(event, touch=None) if _has_its_touch(event) else event


def _has_its_touch(event: Event) -> bool:
    return event.touch is not None and event.touch.origin == "referrer"


def _is_of_others(rows: Sequence[Row], referrer: str, project_id: str) -> bool:
    """Whether a page is known as one of another project and not as one of this project."""
    own_rows = [row for row in rows if row["project_id"] == project_id]
    foreign_rows = [row for row in rows if row["project_id"] != project_id]
    if any(_says_so(row, referrer) for row in own_rows):
        return False
    host = _plain_host(referrer)
    return any(
        _says_so(row, referrer) or _plain_host(row["page_url"] or "") == host
        for row in foreign_rows
    )


def _says_so(row: Row, page: str) -> bool:
    """Whether somebody wrote that a page is on the site of a pixel."""
    sites = hosts_of_website(row["website_url"] or "")
    rules = read_rules(read_object(row["of_project"]), read_object(row["of_pixel"]))
    return _plain_host(page) in {site.removeprefix("www.") for site in sites} or rules.covers(page)


def _plain_host(address: str) -> str:
    return host_of(address).removeprefix("www.")
