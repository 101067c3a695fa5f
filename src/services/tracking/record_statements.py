"""The statements of an event's batch: visitor, session, event. All read one JSON text (`?1`)."""

from __future__ import annotations

from services.core.pending_leads import REJECTED
from services.core.stored_time import NEVER_DUE
from services.tracking.late_events import (
    FIRST_TOUCH_CAME_LATER,
    IS_LATEST_TOUCH,
    IS_OF_ITS_TIME,
    SESSION_TOUCH,
)

# Before the key of an event whose lead is in the address of its page. No pixel's key has a colon.
THANKS_PREFIX = "thanks:"
_IS_THANKS = f"event_key BETWEEN '{THANKS_PREFIX}' AND 'thanks;'"
# A form and the page that thanks for it have numbers next to each other.
_NEAR = 3

# The latest session of the visitor at hand with this project, if it is still open at the time of
# the event. Only the latest one is looked at, so that the rows read do not grow with the visits.
_OPEN_SESSION = f"""
  SELECT id FROM (
    SELECT id, last_activity FROM sessions
    WHERE sessions.visitor_id = visitors.id AND sessions.owning_project_id = ?1 ->> 'project_id'
      AND {IS_OF_ITS_TIME}
    ORDER BY started_at DESC LIMIT 1
  ) WHERE last_activity > ?1 ->> 'open_since'
"""

# The first touch of the visitor at hand with the project at hand. Each client sees its own only.
_FIRST_TOUCH = "first_touches -> (?1 ->> 'project_id')"
# With its time: what came before it is not credited to it.
_NEW_FIRST_TOUCH = "json_set(?1 -> 'touch', '$.at', ?1 ->> 'now')"
# Nobody has so many clients. It bounds the row of a visitor who is made up.
_MAX_TOUCHES_CHARACTERS = 100_000

# The pixel sends an event again when it got no answer: the stored event stays as it is. One of
# another project is no repeat, although its key is the same.
_REPEATED = """
  SELECT 1 FROM tracking_events
  WHERE tracking_events.visitor_id = visitors.id
    AND (
      tracking_events.event_key BETWEEN ?1 ->> 'oldest_key' AND ?1 ->> 'newest_key'
      OR tracking_events.event_key = ?1 ->> 'second_key'
    )
    AND tracking_events.project_id = ?1 ->> 'project_id'
"""
_KEY_IS_TAKEN = """
  SELECT 1 FROM tracking_events AS other
  WHERE other.visitor_id = found.visitor_id AND other.event_key = ?1 ->> 'event_key'
    AND ?1 ->> 'second_key' IS NOT NULL AND other.project_id IS NOT ?1 ->> 'project_id'
"""

# A page view with the lead of a form in its address: the page that thanks for it. A rejected form
# is not what it thanks for. It is the same project's, for two clients may share a visitor.
_THANKED = f"""
  SELECT 1 FROM tracking_events AS form
  WHERE ?1 ->> 'thanked_since' IS NOT NULL
    AND form.visitor_id = visitors.id AND form.project_id = ?1 ->> 'project_id'
    AND form.event_type = 'form_submit' AND form.form_outcome IS NOT 'rejected'
    AND (
      form.timestamp >= ?1 ->> 'thanked_since'
      OR substr(form.page_url, 1, length(?1 ->> 'site')) = ?1 ->> 'site'
      AND form.visitor_sequence BETWEEN (?1 ->> 'sequence') - {_NEAR} AND (?1 ->> 'sequence') - 1
    )
    AND iif(json_valid(form.form_data), form.form_data ->> 'email', NULL)
      = ?1 ->> '$.form_data.email'
"""

# The page that thanks for the form at hand, when it came first and became a lead itself. A form
# with a higher number, on the same site, was sent after that page.
_THANKING = f"""
  {_IS_THANKS} AND event_type = 'form_submit'
  AND project_id = ?1 ->> 'project_id'
  AND form_data ->> 'email' = ?1 ->> '$.form_data.email'
  AND CASE
    WHEN substr(page_url, 1, length(?1 ->> 'site')) = ?1 ->> 'site'
      AND visitor_sequence IS NOT NULL AND ?1 ->> 'sequence' IS NOT NULL
    THEN
      visitor_sequence > ?1 ->> 'sequence' AND (
        timestamp >= ?1 ->> 'thanks_since'
        OR visitor_sequence <= (?1 ->> 'sequence') + {_NEAR}
      )
    ELSE timestamp >= ?1 ->> 'thanks_since'
  END
"""

# A new pixel's form comes again with what became of it. A key of an old pixel is only a repeat.
_IS_CORRECTED = """
  ?1 ->> 'oldest_key' = ?1 ->> 'newest_key'
  AND tracking_events.event_type = 'form_submit' AND excluded.event_type = 'form_submit'
"""

# What waited in R2 is older than what its pixel has said since: it undoes nothing of that.
_NEW_OUTCOME = """iif(
  ?1 ->> 'waited' IS NOT NULL
    AND (excluded.timestamp < tracking_events.timestamp OR form_outcome IS 'accepted'),
  NULL, excluded.form_outcome
)"""
_MERGED_FORM = """iif(
  ?1 ->> 'waited' IS NULL,
  json_patch(form_data, excluded.form_data), json_patch(excluded.form_data, form_data)
)"""

# The sync has sent nothing of it yet.
_IS_OPEN = f"""
  (pipedrive_sync_status IS NULL OR pipedrive_sync_status = '{REJECTED}')
"""

# The address that a corrected form has, and when it is due then: a refused one once, to be checked.
_EMAIL = "coalesce(excluded.form_data ->> 'email', form_data ->> 'email')"
_SYNC_AT = f"coalesce(?1 ->> 'sync_at', '{NEVER_DUE}')"

# A database that was made anew since the pixel was looked up takes no event: see `loss`. Asked once
# for the batch, because it is one more row to read.
_IS_SAME_DATABASE = "?1 ->> 'database_id' = (SELECT id FROM database_identity)"

# A lead of a thank-you page becomes a page view again when its form arrives after it, unless the
# sync has begun to send it.
GIVE_WAY = f"""
UPDATE tracking_events SET
  event_type = 'pageview', form_data = NULL, pipedrive_due_at = NULL, pipedrive_sync_reason = NULL,
  pipedrive_retry_count = 0
WHERE visitor_id = (SELECT id FROM visitors WHERE visitor_cookie = ?1 ->> 'visitor_cookie')
  AND {_THANKING} AND pipedrive_sync_status IS NULL AND pipedrive_lease IS NULL
"""

# A visitor's row changes when a session opens, or with a first touch, not with every page. The
# touch of all projects together is for Workers that know no other one.
RECORD_VISITOR = f"""
INSERT INTO visitors (
  id, visitor_cookie, first_seen, last_seen, visit_count, user_agent, ip_address,
  first_touch, first_touches
)
SELECT
  ?1 ->> 'visitor_id', ?1 ->> 'visitor_cookie', ?1 ->> 'now', ?1 ->> 'now', 1,
  ?1 ->> 'user_agent', ?1 ->> 'ip_address', ?1 -> 'touch',
  iif(
    ?1 -> 'touch' IS NULL, NULL, json_object(?1 ->> 'project_id', {_NEW_FIRST_TOUCH})
  )
WHERE true
ON CONFLICT (visitor_cookie) DO UPDATE SET
  first_seen = min(first_seen, excluded.first_seen),
  last_seen = max(last_seen, excluded.last_seen),
  visit_count = visit_count + NOT EXISTS ({_OPEN_SESSION}),
  first_touch = coalesce(first_touch, excluded.first_touch),
  first_touches = iif(
    ({_FIRST_TOUCH} IS NULL OR {FIRST_TOUCH_CAME_LATER}) AND excluded.first_touches IS NOT NULL
      AND length(coalesce(first_touches, '')) < {_MAX_TOUCHES_CHARACTERS},
    json_patch(
      json_patch(coalesce(first_touches, '{{}}'), json_object(?1 ->> 'project_id', NULL)),
      excluded.first_touches
    ),
    first_touches
  )
WHERE (
    ({_FIRST_TOUCH} IS NULL OR {FIRST_TOUCH_CAME_LATER}) AND excluded.first_touches IS NOT NULL
    OR NOT EXISTS ({_OPEN_SESSION})
  )
  AND NOT EXISTS ({_REPEATED})
"""


def _is_part_of(touch: str) -> str:
    """The SQL of whether the touch at hand says nothing that its session's touch does not say.

    Sites carry some of a link's parameters from page to page, and leave others behind. Values are
    compared as reports compare them; not one by one, for D1 counts a row for each. The very same
    touch counts as one that came again.
    """
    return f"""(
  ?1 -> 'compared' IS NOT NULL AND {touch} IS NOT NULL AND {touch} <> ?1 -> 'touch'
  AND (
    json_patch(lower({touch}), ?1 -> 'compared') = json(lower({touch}))
    OR json_patch(lower({touch}), ?1 ->> 'compared_text') = json(lower({touch}))
  )
)"""


_IS_PART_OF_SESSIONS = _is_part_of("session_touch")
_BECOMES_SESSIONS = f"{IS_LATEST_TOUCH} AND NOT {_is_part_of('touch')}"

# A session has its latest touch: the next page is credited to it.
RECORD_SESSION = f"""
INSERT INTO sessions (
  id, visitor_id, owning_project_id, pixel_id, session_cookie, started_at, last_activity,
  page_views,
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  campaign_region, ad_group, ad_id, search_query, touch
)
SELECT
  coalesce(({_OPEN_SESSION}), ?1 ->> 'session_id'), visitors.id, ?1 ->> 'project_id',
  ?1 ->> 'pixel_id',
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
  utm_source = iif({_BECOMES_SESSIONS}, excluded.utm_source, utm_source),
  utm_medium = iif({_BECOMES_SESSIONS}, excluded.utm_medium, utm_medium),
  utm_campaign = iif({_BECOMES_SESSIONS}, excluded.utm_campaign, utm_campaign),
  utm_content = iif({_BECOMES_SESSIONS}, excluded.utm_content, utm_content),
  utm_term = iif({_BECOMES_SESSIONS}, excluded.utm_term, utm_term),
  campaign_region = iif({_BECOMES_SESSIONS}, excluded.campaign_region, campaign_region),
  ad_group = iif({_BECOMES_SESSIONS}, excluded.ad_group, ad_group),
  ad_id = iif({_BECOMES_SESSIONS}, excluded.ad_id, ad_id),
  search_query = iif({_BECOMES_SESSIONS}, excluded.search_query, search_query),
  touch = iif({_BECOMES_SESSIONS}, excluded.touch, touch)
"""

_EARLIER_FIRST_TOUCH = f"iif({FIRST_TOUCH_CAME_LATER}, NULL, {_FIRST_TOUCH})"

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
  campaign_region, ad_group, ad_id, search_query, click_ids, pipedrive_due_at,
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
  ), (
    SELECT event_key FROM tracking_events
    WHERE ?1 ->> 'thanks_since' IS NOT NULL AND ?1 ->> 'oldest_key' = ?1 ->> 'newest_key'
      AND visitor_id = found.visitor_id AND {_THANKING}
      AND (?1 ->> 'outcome' IS NOT 'rejected' OR pipedrive_sync_status IS NOT NULL)
      AND NOT EXISTS (
        SELECT 1 FROM tracking_events AS stored
        WHERE stored.visitor_id = found.visitor_id AND stored.event_key = ?1 ->> 'event_key'
      )
    LIMIT 1
  ), iif(EXISTS ({_KEY_IS_TAKEN}), ?1 ->> 'second_key', ?1 ->> 'event_key')),
  ?1 ->> 'page_url', ?1 ->> 'referrer_url', ?1 ->> 'page_title',
  ?1 ->> 'user_agent', ?1 ->> 'ip_address', ?1 ->> 'country', ?1 ->> 'region', ?1 ->> 'city',
  ?1 -> 'browser', ?1 -> 'device', ?1 -> 'viewport',
  iif(thanked, NULL, ?1 -> 'form_data'),
  ?1 ->> 'now', ?1 ->> 'now',
  CASE
    WHEN ?1 -> 'touch' IS NOT NULL AND NOT is_part THEN ?1 ->> '$.touch.origin'
    WHEN session_touch IS NOT NULL THEN 'session'
    WHEN first_touch IS NOT NULL THEN 'visitor'
  END,
  touch ->> 'utm_source', touch ->> 'utm_medium', touch ->> 'utm_campaign',
  touch ->> 'utm_content', touch ->> 'utm_term',
  touch ->> 'gclid', touch ->> 'fbclid', touch ->> 'msclkid', touch ->> 'ttclid',
  touch ->> 'twclid', touch ->> 'li_fat_id', touch ->> 'sc_click_id',
  touch ->> 'campaign_region', touch ->> 'ad_group', touch ->> 'ad_id', touch ->> 'search_query',
  nullif(json_patch(
    coalesce(touch -> 'click_ids', '{{}}'), coalesce(?1 -> 'browser_ids', '{{}}')
  ), '{{}}'),
  iif(thanked, NULL, ?1 ->> 'due_at'),
  ?1 ->> 'sequence', ?1 ->> 'outcome', ?1 ->> 'event_name', ?1 ->> 'event_data',
  iif(?1 ->> 'outcome' = 'rejected', '{REJECTED}', NULL)
FROM (
  SELECT *, coalesce(iif(is_part, NULL, ?1 -> 'touch'), session_touch, first_touch) AS touch
  FROM (
    SELECT *, {_IS_PART_OF_SESSIONS} AS is_part
    FROM (
      SELECT
        EXISTS ({_THANKED}) AS thanked,
        visitors.id AS visitor_id, {_EARLIER_FIRST_TOUCH} AS first_touch,
        sessions.id AS session_id, {SESSION_TOUCH} AS session_touch
      FROM visitors JOIN sessions
        ON sessions.visitor_id = visitors.id AND sessions.owning_project_id = ?1 ->> 'project_id'
          AND {IS_OF_ITS_TIME}
      WHERE visitors.visitor_cookie = ?1 ->> 'visitor_cookie'
      ORDER BY sessions.started_at DESC LIMIT 1
    )
  )
) AS found
WHERE {_IS_SAME_DATABASE}
ON CONFLICT (visitor_id, event_key) DO UPDATE SET
  form_outcome = iif(
    {_IS_CORRECTED} AND (form_outcome IS NULL OR {_NEW_OUTCOME} <> 'submitted'),
    coalesce({_NEW_OUTCOME}, form_outcome), form_outcome
  ),
  form_data = iif(
    {_IS_CORRECTED} AND {_IS_OPEN},
    coalesce({_MERGED_FORM}, form_data, excluded.form_data), form_data
  ),
  pipedrive_due_at = CASE
    WHEN NOT {_IS_OPEN} OR NOT ({_IS_CORRECTED}) OR {_EMAIL} IS NULL THEN pipedrive_due_at
    WHEN {_NEW_OUTCOME} = 'rejected' THEN iif(
      form_outcome = 'rejected' AND form_data ->> 'email' IS NOT NULL,
      pipedrive_due_at, {_SYNC_AT}
    )
    WHEN form_outcome = 'rejected' THEN iif(
      {_NEW_OUTCOME} = 'accepted', {_SYNC_AT}, pipedrive_due_at
    )
    WHEN form_data ->> 'email' IS NULL THEN {_SYNC_AT}
    ELSE pipedrive_due_at
  END,
  pipedrive_sync_status = CASE
    WHEN NOT {_IS_OPEN} OR NOT ({_IS_CORRECTED}) THEN pipedrive_sync_status
    WHEN {_NEW_OUTCOME} = 'rejected' THEN '{REJECTED}'
    WHEN {_NEW_OUTCOME} = 'accepted' THEN NULL
    ELSE pipedrive_sync_status
  END
RETURNING json_object(
  'event_id', id, 'visitor_id', visitor_id, 'session_id', session_id,
  'event_type', event_type, 'due_at', pipedrive_due_at,
  'touch', json_object(
    'utm_source', utm_source, 'utm_medium', utm_medium, 'utm_campaign', utm_campaign,
    'utm_content', utm_content, 'utm_term', utm_term,
    'gclid', gclid, 'fbclid', fbclid, 'msclkid', msclkid, 'ttclid', ttclid, 'twclid', twclid,
    'li_fat_id', li_fat_id, 'sc_click_id', sc_click_id, 'touch_origin', touch_origin,
    'click_ids', json(click_ids)
  )
) AS answer
"""

RECORD_EVENT_BATCH = (RECORD_VISITOR, RECORD_SESSION, RECORD_EVENT)
RECORD_FORM_BATCH = (RECORD_VISITOR, RECORD_SESSION, GIVE_WAY, RECORD_EVENT)
