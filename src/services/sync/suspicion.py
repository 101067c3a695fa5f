"""Why a lead may be forged: what its event and its client's other ones say, when it is due."""

from __future__ import annotations

from collections.abc import Iterator

from services.core.pending_leads import RELEASED
from services.core.ports import Row
from services.core.text import read_object
from services.projects.pixel_rules import PixelRules, read_rules
from services.tracking.registrable_domains import host_of, share_domain

# Within the minutes before and after the lead, among so many forms on either side of it.
BURST_MINUTES = 10
BURST_FORMS = 50
BURST_ADDRESSES = 5

ONLY_EVENT = "the visitor has no other event"
UNKNOWN_HOST = "the page is on no known host of the pixel"
BURST = "different addresses from one client within minutes"
HOLD_SETTING = "hold_suspicious"

# The columns of a leased event that the reasons are read from. Rows of production hold anything.
_EMAIL = "iif(json_valid(form_data), form_data ->> 'email', NULL)"
_FORMS = """
  SELECT ip_address, user_agent, project_id, timestamp, form_data
  FROM tracking_events INDEXED BY tracking_events_by_form WHERE event_type = 'form_submit'
"""
SUSPICION_COLUMNS = f"""
  events.suspicious, pixels.website_url, pixels.configuration AS pixel_configuration,
  EXISTS (
    SELECT 1 FROM tracking_events AS other
    WHERE other.visitor_id = events.visitor_id AND other.project_id = events.project_id
      AND other.id <> events.id
  ) AS has_other_events,
  iif(events.ip_address IS NULL, 0, (
    SELECT count(DISTINCT {_EMAIL}) FROM (
      SELECT * FROM ({_FORMS} AND id <= events.id ORDER BY id DESC LIMIT {BURST_FORMS})
      UNION ALL
      SELECT * FROM ({_FORMS} AND id > events.id ORDER BY id LIMIT {BURST_FORMS})
    ) AS near
    WHERE near.ip_address = events.ip_address AND near.user_agent = events.user_agent
      AND near.project_id = events.project_id
      AND near.timestamp BETWEEN datetime(events.timestamp, '-{BURST_MINUTES} minutes')
        AND datetime(events.timestamp, '+{BURST_MINUTES} minutes')
  )) AS addresses_of_client
"""


def reasons_for_suspicion(row: Row) -> tuple[str, ...]:
    """Why the lead in a row of `READ_LEASED` may be forged; empty where nothing says so."""
    return tuple(_reasons(row))


def was_released(row: Row) -> bool:
    """Whether a person looked at the lead and sent it all the same."""
    return RELEASED in (row["suspicious"] or "")


def _reasons(row: Row) -> Iterator[str]:
    if not row["has_other_events"]:
        yield ONLY_EVENT
    rules = read_rules(read_object(row["configuration"]), read_object(row["pixel_configuration"]))
    if not _is_known_host(row, rules):
        yield UNKNOWN_HOST
    # A network is not a client.
    if row["addresses_of_client"] >= BURST_ADDRESSES and not rules.anonymizes_addresses:
        yield f"{row['addresses_of_client']} {BURST}"


def _is_known_host(row: Row, rules: PixelRules) -> bool:
    """Whether the page is on a domain of the pixel; True where nobody said which those are."""
    page, website = row["page_url"] or "", row["website_url"] or ""
    if rules.allowed_domains:
        return rules.allow(page)
    # People write their website without a scheme, too.
    site = website if "://" in website else f"https://{website}"
    return not host_of(site) or share_domain(site, page)
