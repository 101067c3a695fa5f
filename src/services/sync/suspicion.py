"""Why a lead may be forged: what its event and its client's other ones say, when it is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address

from services.access.bots import is_browsing_bot
from services.core.pending_leads import RELEASED
from services.core.ports import Row
from services.core.stored_time import parse_stored_time
from services.core.text import read_object
from services.core.web_addresses import host_of
from services.projects.pixel_rules import PixelRules, read_rules
from services.tracking.registrable_domains import hosts_of_website, registrable_domain

# Within the minutes before and after the lead, among so many forms on either side of it.
BURST_SPAN = timedelta(minutes=10)
BURST_FORMS = 50
BURST_ADDRESSES = 5
IPV6_OWN_BITS = 64
# Two forms of one invented visitor, sent at once, do not vouch for each other.
VOUCHING_SECONDS = 30
_MAX_ID = 2**63 - 1

ONLY_EVENT = "the visitor has no other event"
UNKNOWN_HOST = "the page is on no known host of the pixel"
BURST = "different addresses from one client within minutes"
BOT = "its browser is a bot's"
HOLD_SETTING = "hold_suspicious"

# The columns of a leased event that the reasons are read from. Rows of production hold anything.
SUSPICION_COLUMNS = f"""
  events.suspicious, pixels.website_url, pixels.configuration AS pixel_configuration,
  EXISTS (
    SELECT 1 FROM tracking_events AS other
    WHERE other.visitor_id = events.visitor_id AND other.project_id = events.project_id
      AND other.id <> events.id AND (
        other.event_type <> 'form_submit' OR julianday(other.timestamp)
          < julianday(events.timestamp, '-{VOUCHING_SECONDS} seconds')
      )
  ) AS has_other_events
"""
_FORMS = """
  tracking_events AS form INDEXED BY tracking_events_by_form
"""
_IS_FORM = "form.event_type = 'form_submit'"
_BEGINNING = "substr(ip_address, 1, instr(ip_address || ':', ':') - 1)"


def read_near(leased_ids: str) -> str:
    """The statement that reads the forms on either side of the leads with these ids.

    Each lead looks to the next one of the portion at most, which looks further, so that a form is
    read once for the portion however many leads are near it. Only forms of their clients return.
    """
    return f"""
WITH leased AS MATERIALIZED (
  SELECT
    id, ip_address, lag(id, 1, 0) OVER (ORDER BY id) AS id_before,
    lead(id, 1, {_MAX_ID}) OVER (ORDER BY id) AS id_after
  FROM tracking_events WHERE id IN ({leased_ids}) AND ip_address IS NOT NULL
),
spans AS MATERIALIZED (
  SELECT
    coalesce((
      SELECT min(id) FROM (
        SELECT form.id FROM {_FORMS}
        WHERE {_IS_FORM} AND form.id > id_before AND form.id < leased.id
        ORDER BY form.id DESC LIMIT {BURST_FORMS}
      )
    ), id) AS first_id,
    coalesce((
      SELECT max(id) FROM (
        SELECT form.id FROM {_FORMS}
        WHERE {_IS_FORM} AND form.id > leased.id AND form.id < id_after
        ORDER BY form.id LIMIT {BURST_FORMS}
      )
    ), id) AS last_id
  FROM leased
)
SELECT DISTINCT
  form.id, form.project_id, form.ip_address, form.timestamp,
  iif(json_valid(form.form_data), form.form_data ->> 'email', NULL) AS email
FROM spans CROSS JOIN {_FORMS} ON form.id BETWEEN first_id AND last_id AND {_IS_FORM}
WHERE {_BEGINNING.replace("ip_address", "form.ip_address")} IN (SELECT {_BEGINNING} FROM leased)
"""


def with_addresses_of_clients(rows: Sequence[Row], near: Sequence[Row]) -> list[Row]:
    """Leased rows with the number of addresses that their client sent within minutes."""
    sent: dict[object, list[tuple[datetime, str]]] = {}
    for form in near:
        if form["email"] and (time := _time(form)):
            address = str(form["email"]).strip().lower()
            sent.setdefault(_client(form), []).append((time, address))
    return [
        {**row, "addresses_of_client": _addresses_near(row, sent.get(_client(row), ()))}
        for row in rows
    ]


def _addresses_near(row: Row, sent: Sequence[tuple[datetime, str]]) -> int:
    time = _time(row)
    if row["ip_address"] is None or time is None:
        return 0
    return len({email for sent_at, email in sent if abs(sent_at - time) <= BURST_SPAN})


def _client(form: Row) -> object:
    """Who sent a form. Whoever has one address of IPv6 has the 2^64 that begin with its half."""
    address = form["ip_address"]
    try:
        ipv6 = IPv6Address(address)
    except ValueError:
        return form["project_id"], address  # of IPv4, or of an old row that holds anything
    mapped = ipv6.ipv4_mapped
    return form["project_id"], str(mapped) if mapped else int(ipv6) >> IPV6_OWN_BITS


def _time(form: Row) -> datetime | None:
    try:
        return parse_stored_time(form["timestamp"] or "")
    except ValueError:
        return None


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
    if is_browsing_bot(row["user_agent"] or ""):
        yield BOT
    # A network is not a client.
    if row["addresses_of_client"] >= BURST_ADDRESSES and not rules.anonymizes_addresses:
        yield f"{row['addresses_of_client']} {BURST}"


def _is_known_host(row: Row, rules: PixelRules) -> bool:
    """Whether the page is on a domain of the pixel; True where nobody said which those are."""
    page = row["page_url"] or ""
    if rules.allowed_domains:
        return rules.allow(page)
    sites = hosts_of_website(row["website_url"] or "")
    return not sites or registrable_domain(host_of(page)) in map(registrable_domain, sites)
