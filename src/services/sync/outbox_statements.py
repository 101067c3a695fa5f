"""The statements of the outbox. All read one JSON text (`?1`)."""

from __future__ import annotations

from services.core.pending_leads import IS_UNSETTLED, REJECTED
from services.sync.submissions import MAX_PAGE_CHARACTERS, MAX_PAGES
from services.sync.suspicion import SUSPICION_COLUMNS, read_near

# ---- submissions -------------------------------------------------------------------------------

# The site accepted or rejected the form while it was leased, which has set its due time.
_OUTCOME_CHANGED_WHILE_LEASED = f"""
  (tracking_events.pipedrive_sync_status IS '{REJECTED}') <> (outcome.value ->> 'was_rejected')
"""
# Only rows that this portion leased are written, and a final status never changes. What the site
# said meanwhile counts, unless the form was sent all the same.
SETTLE = f"""
UPDATE tracking_events SET
  pipedrive_sync_status = coalesce(outcome.value ->> 'status', pipedrive_sync_status),
  pipedrive_sync_at = iif(
    outcome.value ->> 'status' IS NULL, pipedrive_sync_at, ?1 ->> 'now'
  ),
  pipedrive_person_id = coalesce(outcome.value ->> 'person_id', pipedrive_person_id),
  pipedrive_sync_reason = outcome.value ->> 'reason',
  suspicious = coalesce(outcome.value ->> 'suspicious', suspicious),
  pipedrive_due_at = iif(
    {_OUTCOME_CHANGED_WHILE_LEASED} AND outcome.value ->> 'status' IS NULL,
    pipedrive_due_at, outcome.value ->> 'due_at'
  ),
  pipedrive_retry_count = outcome.value ->> 'tries',
  pipedrive_lease = NULL
FROM json_each(?1, '$.outcomes') AS outcome
WHERE tracking_events.id = outcome.value ->> 'event_id'
  AND tracking_events.pipedrive_lease = ?1 ->> 'settled'
  AND coalesce(tracking_events.pipedrive_sync_status, '{REJECTED}') = '{REJECTED}'
"""

# The persons carry the values of these events now.
SETTLE_PERSONS = """
INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id, written_event_id)
SELECT
  value ->> 'destination', CAST(value ->> 'person_id' AS INTEGER),
  value ->> 'event_id', value ->> 'event_id'
FROM json_each(?1, '$.outcomes')
WHERE value ->> 'written'
ON CONFLICT (destination, person_id) DO UPDATE SET
  written_event_id = max(written_event_id, excluded.written_event_id),
  claimed_event_id = max(claimed_event_id, excluded.claimed_event_id)
"""

_LEASE = """
UPDATE tracking_events SET
  pipedrive_due_at = ?1 ->> 'lease_until',
  pipedrive_lease = ?1 ->> 'lease',
  pipedrive_retry_count = coalesce(pipedrive_retry_count, 0) + 1,
  pipedrive_last_retry_at = ?1 ->> 'now'
"""
_IS_DUE = """
  event_type = 'form_submit' AND pipedrive_sync_status IS NULL
  AND coalesce(pipedrive_due_at, '') <= ?1 ->> 'now'
"""
_IS_CHECK_DUE = f"""
  event_type = 'form_submit' AND pipedrive_sync_status = '{REJECTED}'
  AND coalesce(pipedrive_due_at, '') <= ?1 ->> 'now'
"""
_RUN_IS_ACTIVE = """
  EXISTS (SELECT 1 FROM job_runs WHERE run = ?1 ->> 'run' AND finished_at IS NULL)
"""

# Submissions whose timers expired …
LEASE_TIMED = f"""
{_LEASE}
WHERE id IN (
  SELECT id FROM tracking_events
  WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND {_IS_DUE}
  LIMIT ?1 ->> 'most'
) AND {_RUN_IS_ACTIVE}
"""

# … and all that are due, the longest due first: KV may have lost a timer. Rejected forms have none,
# and come behind the leads.
LEASE_DUE = f"""
{_LEASE}
WHERE id IN (
  SELECT id FROM (
    SELECT * FROM (
      SELECT id, 0 AS is_check FROM tracking_events
      WHERE {_IS_DUE}
      ORDER BY coalesce(pipedrive_due_at, '') LIMIT ?1 ->> 'most'
    )
    UNION ALL
    SELECT * FROM (
      SELECT id, 1 AS is_check FROM tracking_events
      WHERE {_IS_CHECK_DUE}
      ORDER BY coalesce(pipedrive_due_at, '') LIMIT ?1 ->> 'most'
    )
  ) ORDER BY is_check LIMIT ?1 ->> 'most'
) AND {_RUN_IS_ACTIVE}
"""
_IS_LEASED = """
  coalesce(pipedrive_due_at, '') = ?1 ->> 'lease_until' AND pipedrive_lease = ?1 ->> 'lease'
"""

_LEASED_IDS = f"""
  SELECT id FROM tracking_events
  WHERE event_type = 'form_submit' AND pipedrive_sync_status IS NULL AND {_IS_LEASED}
  UNION ALL
  SELECT id FROM tracking_events
  WHERE event_type = 'form_submit' AND pipedrive_sync_status = '{REJECTED}' AND {_IS_LEASED}
"""

# The sources of all values. The last touch is the newest one that came with an event, by its time:
# an event that waited is stored late. Touches and pages are those of the same project, so that no
# client sees another one's.
READ_LEASED = f"""
SELECT
  events.id, events.project_id, events.pixel_id, events.visitor_id, events.session_id,
  events.event_type, events.page_url, events.page_title, events.referrer_url, events.user_agent,
  events.ip_address, events.country, events.region, events.city, events.device_data,
  events.form_data, events.pipedrive_retry_count, events.pipedrive_sync_status, events.timestamp,
  events.utm_source, events.utm_medium, events.utm_campaign, events.utm_content, events.utm_term,
  events.gclid, events.fbclid, events.msclkid, events.ttclid, events.twclid, events.li_fat_id,
  events.sc_click_id, events.touch_origin, events.campaign_region, events.ad_group, events.ad_id,
  events.search_query, events.click_ids,
  {SUSPICION_COLUMNS},
  projects.configuration,
  iif(
    first_touches -> events.project_id ->> 'at' > substr(events.timestamp, 1, 19),
    NULL, first_touches -> events.project_id
  ) AS first_touch,
  sessions.started_at, sessions.last_activity,
  (
    SELECT json_object(
      'utm_source', utm_source, 'utm_medium', utm_medium, 'utm_campaign', utm_campaign,
      'gclid', gclid, 'fbclid', fbclid, 'msclkid', msclkid, 'ttclid', ttclid, 'twclid', twclid,
      'li_fat_id', li_fat_id, 'sc_click_id', sc_click_id,
      'touch_origin', touch_origin, 'click_ids', json(click_ids)
    )
    FROM tracking_events AS earlier
    WHERE earlier.visitor_id = events.visitor_id AND earlier.project_id = events.project_id
      AND (coalesce(earlier.timestamp, ''), earlier.id)
        <= (coalesce(events.timestamp, '9'), events.id)
      AND earlier.touch_origin IN ('page_url', 'body', 'referrer')
    ORDER BY earlier.timestamp DESC, earlier.id DESC LIMIT 1
  ) AS last_touch,
  (
    SELECT json_group_array(substr(page_url, 1, {MAX_PAGE_CHARACTERS})) FROM (
      SELECT page_url FROM tracking_events AS seen
      WHERE seen.visitor_id = events.visitor_id AND seen.project_id = events.project_id
      GROUP BY page_url ORDER BY max(seen.timestamp) DESC, max(seen.id) DESC LIMIT {MAX_PAGES}
    )
  ) AS pages,
  coalesce((
    SELECT max(timestamp) FROM tracking_events AS seen
    WHERE seen.visitor_id = events.visitor_id AND seen.project_id = events.project_id
  ), events.timestamp) AS last_event_at
FROM tracking_events AS events
LEFT JOIN projects ON projects.id = events.project_id
LEFT JOIN pixels ON pixels.id = events.pixel_id
LEFT JOIN visitors ON visitors.id = events.visitor_id
LEFT JOIN sessions ON sessions.id = events.session_id
WHERE events.id IN ({_LEASED_IDS})
ORDER BY events.id
"""

# Whether a lead is one of a burst is seen by what was sent before and after it.
READ_NEAR = read_near(_LEASED_IDS)

# ---- persons -----------------------------------------------------------------------------------

# An older event gives way to a newer one: for good if the newer values are written, for a while if
# the newer event is still being written.
CLAIM_PERSONS = f"""
INSERT INTO pipedrive_persons (destination, person_id, claimed_event_id)
SELECT
  value ->> 'destination', CAST(value ->> 'person_id' AS INTEGER), value ->> 'event_id'
FROM json_each(?1, '$.claims')
WHERE true
ON CONFLICT (destination, person_id) DO UPDATE SET
  claimed_event_id = iif(
    excluded.claimed_event_id > claimed_event_id
    OR NOT EXISTS (
      SELECT 1 FROM tracking_events
      WHERE tracking_events.id = pipedrive_persons.claimed_event_id
        AND {IS_UNSETTLED}
    ),
    max(excluded.claimed_event_id, written_event_id),
    claimed_event_id
  )
RETURNING destination, person_id, claimed_event_id, written_event_id, (
  SELECT nullif(pipedrive_due_at, '') FROM tracking_events WHERE id = claimed_event_id
) AS claimed_due_at
"""
