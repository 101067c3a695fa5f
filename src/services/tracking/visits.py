"""Stores an event with all that it changes: visitor, session, attribution, event.

It is one D1 batch, that is one transaction and one round trip. All statements read one JSON text
(`?1`), because every value that crosses from Python to JavaScript costs time (docs/decisions.md).

An event is credited to one whole touch: its own, else its session's first one, else its visitor's
first one. Nothing is inferred; missing parameters are NULL.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.core.pending_leads import REJECTED
from services.core.ports import Database, NewId, OnCost
from services.core.request_origin import RequestOrigin
from services.core.stored_time import NEVER_DUE, format_stored_time
from services.projects.pixel_cache import Pixel
from services.tracking.attribution import Attribution, credit
from services.tracking.events import Event, EventType, Size
from services.tracking.user_agents import describe_client

# Between the clocks of two isolates.
CLOCK_SKEW_SECONDS = 60
# A thank-you page within this time belongs to the form before it.
THANK_YOU_MINUTES = 30

# The latest session on this pixel of the visitor at hand, if it is still open. Only the latest one
# is looked at, so that the rows read do not grow with the number of visits.
_OPEN_SESSION = """
  SELECT id FROM (
    SELECT id, last_activity FROM sessions
    WHERE sessions.visitor_id = visitors.id AND sessions.pixel_id = ?1 ->> 'pixel_id'
    ORDER BY started_at DESC LIMIT 1
  ) WHERE last_activity > ?1 ->> 'open_since'
"""

# The pixel sends an event again when it got no answer: the stored event stays as it is.
_REPEATED = """
  SELECT 1 FROM tracking_events
  WHERE tracking_events.visitor_id = visitors.id
    AND tracking_events.event_key BETWEEN ?1 ->> 'oldest_key' AND ?1 ->> 'newest_key'
"""

# A page view with the lead of a form in its address: the page that thanks for it. A rejected form
# is not what it thanks for. It is the same project's, for two clients may share a visitor.
_THANKED = """
  SELECT 1 FROM tracking_events AS form
  WHERE ?1 ->> 'thanked_since' IS NOT NULL
    AND form.visitor_id = visitors.id AND form.project_id = ?1 ->> 'project_id'
    AND form.event_type = 'form_submit' AND form.form_outcome IS NOT 'rejected'
    AND form.timestamp >= ?1 ->> 'thanked_since'
    AND iif(json_valid(form.form_data), form.form_data ->> 'email', NULL)
      = ?1 ->> '$.form_data.email'
"""

# A new pixel's form comes again with what became of it. A key of an old pixel is only a repeat.
_IS_CORRECTED = """
  ?1 ->> 'oldest_key' = ?1 ->> 'newest_key'
  AND tracking_events.event_type = 'form_submit' AND excluded.event_type = 'form_submit'
"""

# The sync has sent nothing of it yet.
_IS_OPEN = f"""
  (pipedrive_sync_status IS NULL OR pipedrive_sync_status = '{REJECTED}')
"""

# A database that was made anew since the pixel was looked up takes no event: see `loss`. Asked once
# for the batch, because it is one more row to read.
_IS_SAME_DATABASE = "?1 ->> 'database_id' = (SELECT id FROM database_identity)"

# A visitor's row changes when a session opens, or with the first touch, not with every page.
RECORD_VISITOR = f"""
INSERT INTO visitors (
  id, visitor_cookie, first_seen, last_seen, visit_count, user_agent, ip_address, first_touch
)
SELECT
  ?1 ->> 'visitor_id', ?1 ->> 'visitor_cookie', ?1 ->> 'now', ?1 ->> 'now', 1,
  ?1 ->> 'user_agent', ?1 ->> 'ip_address', ?1 -> 'touch'
WHERE true
ON CONFLICT (visitor_cookie) DO UPDATE SET
  last_seen = max(last_seen, excluded.last_seen),
  visit_count = visit_count + NOT EXISTS ({_OPEN_SESSION}),
  first_touch = coalesce(first_touch, excluded.first_touch)
WHERE (first_touch IS NULL AND excluded.first_touch IS NOT NULL OR NOT EXISTS ({_OPEN_SESSION}))
  AND NOT EXISTS ({_REPEATED})
"""

# A session keeps its first touch: a later one belongs to its own event only.
RECORD_SESSION = f"""
INSERT INTO sessions (
  id, visitor_id, pixel_id, session_cookie, started_at, last_activity, page_views,
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  campaign_region, ad_group, ad_id, search_query, touch
)
SELECT
  coalesce(({_OPEN_SESSION}), ?1 ->> 'session_id'), visitors.id, ?1 ->> 'pixel_id',
  ?1 ->> 'session_id', ?1 ->> 'now', ?1 ->> 'now', ?1 ->> 'event_type' <> 'custom',
  ?1 ->> '$.touch.utm_source', ?1 ->> '$.touch.utm_medium', ?1 ->> '$.touch.utm_campaign',
  ?1 ->> '$.touch.utm_content', ?1 ->> '$.touch.utm_term',
  ?1 ->> '$.touch.campaign_region', ?1 ->> '$.touch.ad_group', ?1 ->> '$.touch.ad_id',
  ?1 ->> '$.touch.search_query', ?1 -> 'touch'
FROM visitors
WHERE visitors.visitor_cookie = ?1 ->> 'visitor_cookie' AND NOT EXISTS ({_REPEATED})
ON CONFLICT (id) DO UPDATE SET
  last_activity = max(last_activity, excluded.last_activity),
  page_views = page_views + excluded.page_views,
  utm_source = iif(touch IS NULL, excluded.utm_source, utm_source),
  utm_medium = iif(touch IS NULL, excluded.utm_medium, utm_medium),
  utm_campaign = iif(touch IS NULL, excluded.utm_campaign, utm_campaign),
  utm_content = iif(touch IS NULL, excluded.utm_content, utm_content),
  utm_term = iif(touch IS NULL, excluded.utm_term, utm_term),
  campaign_region = iif(touch IS NULL, excluded.campaign_region, campaign_region),
  ad_group = iif(touch IS NULL, excluded.ad_group, ad_group),
  ad_id = iif(touch IS NULL, excluded.ad_id, ad_id),
  search_query = iif(touch IS NULL, excluded.search_query, search_query),
  touch = coalesce(touch, excluded.touch)
"""

# An old pixel's repeat takes the key of the first one; a new pixel's has it, and costs no look.
# A repeat meets the unique index and gives back the event that is there, with its own answer. What
# a new pixel says of its form is taken over: an outcome that is known is not forgotten, a value
# that is missing removes none, and after the sync only the outcome changes. A rejected form is
# never due; it is again when it turns out to be accepted, or when a later step has the address.
RECORD_EVENT = f"""
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, session_id, event_type, event_key,
  page_url, referrer_url, page_title, user_agent, ip_address, country, region, city,
  browser_data, device_data, viewport_data, form_data, timestamp, created_at, touch_origin,
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id,
  campaign_region, ad_group, ad_id, search_query, pipedrive_due_at,
  visitor_sequence, form_outcome, event_name, event_data, pipedrive_sync_status
)
SELECT
  ?1 ->> 'project_id', ?1 ->> 'pixel_id', visitor_id, session_id,
  iif(thanked, 'pageview', ?1 ->> 'event_type'),
  coalesce((
    SELECT event_key FROM tracking_events AS same
    WHERE ?1 ->> 'oldest_key' <> ?1 ->> 'newest_key' AND same.visitor_id = found.visitor_id
      AND same.event_key BETWEEN ?1 ->> 'oldest_key' AND ?1 ->> 'newest_key'
    LIMIT 1
  ), ?1 ->> 'event_key'), ?1 ->> 'page_url', ?1 ->> 'referrer_url', ?1 ->> 'page_title',
  ?1 ->> 'user_agent', ?1 ->> 'ip_address', ?1 ->> 'country', ?1 ->> 'region', ?1 ->> 'city',
  ?1 -> 'browser', ?1 -> 'device', ?1 -> 'viewport',
  iif(thanked, NULL, ?1 -> 'form_data'),
  ?1 ->> 'now', ?1 ->> 'now',
  CASE
    WHEN ?1 -> 'touch' IS NOT NULL THEN ?1 ->> '$.touch.origin'
    WHEN session_touch IS NOT NULL THEN 'session'
    WHEN first_touch IS NOT NULL THEN 'visitor'
  END,
  touch ->> 'utm_source', touch ->> 'utm_medium', touch ->> 'utm_campaign',
  touch ->> 'utm_content', touch ->> 'utm_term',
  touch ->> 'gclid', touch ->> 'fbclid', touch ->> 'msclkid', touch ->> 'ttclid',
  touch ->> 'twclid', touch ->> 'li_fat_id', touch ->> 'sc_click_id',
  touch ->> 'campaign_region', touch ->> 'ad_group', touch ->> 'ad_id', touch ->> 'search_query',
  iif(thanked, NULL, ?1 ->> 'due_at'),
  ?1 ->> 'sequence', ?1 ->> 'outcome', ?1 ->> 'event_name', ?1 ->> 'event_data',
  iif(?1 ->> 'outcome' = 'rejected', '{REJECTED}', NULL)
FROM (
  SELECT
    EXISTS ({_THANKED}) AS thanked,
    visitors.id AS visitor_id, visitors.first_touch,
    sessions.id AS session_id, sessions.touch AS session_touch,
    coalesce(?1 -> 'touch', sessions.touch, visitors.first_touch) AS touch
  FROM visitors JOIN sessions
    ON sessions.visitor_id = visitors.id AND sessions.pixel_id = ?1 ->> 'pixel_id'
  WHERE visitors.visitor_cookie = ?1 ->> 'visitor_cookie'
  ORDER BY sessions.started_at DESC LIMIT 1
) AS found
WHERE {_IS_SAME_DATABASE}
ON CONFLICT (visitor_id, event_key) DO UPDATE SET
  form_outcome = iif(
    {_IS_CORRECTED} AND (form_outcome IS NULL OR excluded.form_outcome <> 'submitted'),
    coalesce(excluded.form_outcome, form_outcome), form_outcome
  ),
  form_data = iif(
    {_IS_CORRECTED} AND {_IS_OPEN},
    coalesce(json_patch(form_data, excluded.form_data), form_data, excluded.form_data), form_data
  ),
  pipedrive_due_at = CASE
    WHEN NOT {_IS_OPEN} OR NOT ({_IS_CORRECTED}) THEN pipedrive_due_at
    WHEN excluded.form_outcome = 'rejected' THEN '{NEVER_DUE}'
    WHEN pipedrive_due_at = '{NEVER_DUE}' AND iif(
      form_outcome = 'rejected', excluded.form_outcome = 'accepted', form_data ->> 'email' IS NULL
    ) THEN excluded.pipedrive_due_at
    ELSE pipedrive_due_at
  END,
  pipedrive_sync_status = CASE
    WHEN NOT {_IS_OPEN} OR NOT ({_IS_CORRECTED}) THEN pipedrive_sync_status
    WHEN excluded.form_outcome = 'rejected' THEN '{REJECTED}'
    WHEN excluded.form_outcome = 'accepted' THEN NULL
    ELSE pipedrive_sync_status
  END
RETURNING json_object(
  'event_id', id, 'visitor_id', visitor_id, 'session_id', session_id,
  'event_type', event_type, 'due_at', pipedrive_due_at,
  'touch', json_object(
    'utm_source', utm_source, 'utm_medium', utm_medium, 'utm_campaign', utm_campaign,
    'utm_content', utm_content, 'utm_term', utm_term,
    'gclid', gclid, 'fbclid', fbclid, 'msclkid', msclkid, 'ttclid', ttclid, 'twclid', twclid,
    'li_fat_id', li_fat_id, 'sc_click_id', sc_click_id, 'ad_group', ad_group
  )
) AS answer
"""

RECORD_EVENT_BATCH = (RECORD_VISITOR, RECORD_SESSION, RECORD_EVENT)


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """An event that is in the database.

    Its type is the stored one. `due` is when the sync is to be reminded of it: None where this
    request made nothing due. `touch` is the stored one, field by field.
    """

    event_id: int
    visitor_id: str
    session_id: str
    attribution: Attribution
    event_type: EventType
    due: datetime | None
    touch: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Visits:
    """Records events. A session ends after `session_minutes` without one, or the pixel's own.

    A submission is due for the sync after `sync_delay_seconds`. Two of an old pixel that say the
    same within `repeat_window_seconds` are one.
    """

    database: Database
    new_id: NewId
    session_minutes: int
    sync_delay_seconds: int
    repeat_window_seconds: int

    async def record(
        self,
        event: Event,
        pixel: Pixel,
        origin: RequestOrigin,
        now: datetime,
        on_cost: OnCost | None = None,
    ) -> RecordedEvent:
        """Stores one event and returns it as stored; a repeated event returns the first one.

        A form that a new pixel repeats is corrected by what it says now.

        Raises:
            UnavailableError: D1 failed; nothing was written.
            NotStoredError: the database is not the one that had the pixel; nothing was written.
        """
        due = due_time(event, pixel, now, self.sync_delay_seconds)
        parameters = self._parameters(event, pixel, origin, now, due)
        answer = json.loads(await self.database.batch(RECORD_EVENT_BATCH, parameters, on_cost))
        touch = answer["touch"]
        return RecordedEvent(
            event_id=answer["event_id"],
            visitor_id=answer["visitor_id"],
            session_id=answer["session_id"],
            attribution=credit(touch),
            event_type=answer["event_type"],
            due=due if due and answer["due_at"] == format_stored_time(due) else None,
            touch=touch,
        )

    def _parameters(
        self, event: Event, pixel: Pixel, origin: RequestOrigin, now: datetime, due: datetime | None
    ) -> str:
        client = describe_client(origin.user_agent)
        minutes = pixel.rules.session_minutes or self.session_minutes
        parameters = {
            "now": format_stored_time(now),
            "open_since": format_stored_time(now - timedelta(minutes=minutes)),
            "visitor_id": self.new_id(),
            "visitor_cookie": event.visitor_cookie,
            "session_id": self.new_id(),
            "project_id": pixel.project_id,
            "pixel_id": pixel.id,
            "database_id": pixel.database_id,
            "event_type": event.event_type,
            **self._keys(event, now),
            **self._submission(event, now, due),
            "page_url": event.page_url,
            "referrer_url": event.referrer_url,
            "page_title": event.page_title,
            "user_agent": origin.user_agent,
            "ip_address": pixel.rules.stored_address(origin.ip_address),
            "country": origin.location.country,
            "region": origin.location.region,
            "city": origin.location.city,
            "browser": {
                "browser": client.browser,
                "browser_version": client.browser_version,
                "os": client.os,
                "os_version": client.os_version,
            },
            "device": {"type": client.device_type, "screen": _size(event.screen)},
            "viewport": _size(event.viewport),
            "sequence": event.sequence,
            "event_name": event.custom.name if event.custom else None,
            "event_data": event.custom.data if event.custom else None,
            "touch": event.touch.stored_fields() if event.touch else None,
        }
        # Absent rather than null: `->` gives SQL's NULL for a missing key, but 'null' for null.
        return json.dumps({key: value for key, value in parameters.items() if value is not None})

    def _keys(self, event: Event, now: datetime) -> dict[str, str]:
        """The event's key, and between which keys it is the same event."""
        if event.event_key or event.lead is None:
            key = event.event_key
            return {"event_key": key, "oldest_key": key, "newest_key": key} if key else {}
        # An old pixel gives no key: its submission and the time make one.
        identity = json.dumps([event.pixel_id, event.page_url, event.lead.stored_fields()])
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        moment = int(now.timestamp())
        moments = {
            "event_key": moment,
            "oldest_key": moment - self.repeat_window_seconds,
            "newest_key": moment + CLOCK_SKEW_SECONDS,
        }
        return {name: f"v2-{digest}-{second:010d}" for name, second in moments.items()}

    def _submission(self, event: Event, now: datetime, due: datetime | None) -> dict[str, object]:
        if event.event_type != "form_submit":
            return {}
        thanked_since = now - timedelta(minutes=THANK_YOU_MINUTES)
        return {
            "form_data": event.lead.stored_fields() if event.lead else None,
            "outcome": event.outcome,
            "due_at": format_stored_time(due) if due else NEVER_DUE,
            "thanked_since": format_stored_time(thanked_since) if event.lead_in_address else None,
        }


def due_time(event: Event, pixel: Pixel, now: datetime, sync_delay_seconds: int) -> datetime | None:
    """When the event is due for the sync.

    None: it is no lead, the site rejected the form, or the project is not synced.
    """
    is_lead = event.lead is not None and event.lead.email is not None
    is_synced = is_lead and pixel.synced and event.outcome != "rejected"
    return now + timedelta(seconds=sync_delay_seconds) if is_synced else None


def _size(size: Size | None) -> dict[str, int] | None:
    return {"width": size.width, "height": size.height} if size else None
