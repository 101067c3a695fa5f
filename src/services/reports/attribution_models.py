"""Models of attribution in SQL: how the touches before a lead share the credit for it.

A touch is an event's own one. In one session, a touch that repeats the one before it is none: a
page that was loaded again, or parameters that a site carries from page to page. Events count in the
order of their times, because one that waited is stored late. The touches of a lead are its
visitor's on the project, up to the lead and not older than the window. A lead without any keeps
what the JavaScript Worker credited it to, which knew no touches; else it is direct.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.core.pending_leads import FORGED
from services.reports.repeated_touches import without_repeats
from services.reports.spans import IN_SPAN

# A form that its site rejected is no submission, nor one of which a person said that it is forged.
IS_SUBMISSION = f"(form_outcome IS NOT 'rejected' AND pipedrive_sync_status IS NOT '{FORGED}')"

DEFAULT_WINDOW_DAYS = 90
MAX_WINDOW_DAYS = 365
HALF_LIFE_DAYS = 7

_FIELDS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "gclid", "fbclid"),
    *("msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id", "ad_group", "click_ids"),
)
# Rows of production hold anything.
_CLICK_IDS = "iif(json_valid(click_ids), click_ids, NULL)"
_COLUMNS = (*_FIELDS[:-1], _CLICK_IDS)
_TOUCH_COLUMNS = ", ".join(_COLUMNS)
_LEAD_COLUMNS = ", ".join(f"iif(touch_origin IS NULL, {column}, NULL)" for column in _COLUMNS)
# As they stand in an array behind id, session, time and origin.
_STEP_COLUMNS = ", ".join(f"step_values ->> {at} AS {name}" for at, name in enumerate(_FIELDS, 4))

# Reads `steps`: the touches of each lead, by their `step` of `steps`, the oldest first. The shares
# of a lead add up to 1.
SHARES: Mapping[str, str] = {
    "last_non_direct": "step = steps",
    "linear": "1.0 / steps",
    "position": """
      CASE
        WHEN steps <= 2 THEN 1.0 / steps
        WHEN step IN (1, steps) THEN 0.4
        ELSE 0.2 / (steps - 2)
      END
    """,
    "time_decay": f"""
      pow(2, (touched_on - last_on) / {HALF_LIFE_DAYS})
        / sum(pow(2, (touched_on - last_on) / {HALF_LIFE_DAYS})) OVER (PARTITION BY lead_id)
    """,
}

# The touches of all visitors with a lead are read once, by the index that leads with the visitor.
# Leads and touches of a visitor come together by grouping, because a join of two temporary tables
# has no index.
STEPS = f"""
leads AS MATERIALIZED (
  SELECT visitor_id, json_array(id, session_id, timestamp, NULL, {_LEAD_COLUMNS}) AS lead
  FROM tracking_events
  WHERE {IN_SPAN} AND event_type = 'form_submit' AND {IS_SUBMISSION}
),
seen AS (
  SELECT
    visitor_id, session_id, id, timestamp, touch_origin, {", ".join(_FIELDS[:-1])},
    {_CLICK_IDS} AS click_ids,
    json_array(id, session_id, timestamp, touch_origin, {_TOUCH_COLUMNS}) AS touch
  FROM (SELECT DISTINCT visitor_id AS lead_visitor FROM leads)
  CROSS JOIN tracking_events ON tracking_events.visitor_id = lead_visitor
  WHERE touch_origin IN ('page_url', 'body', 'referrer')
    AND project_id = (SELECT project_id FROM pixels WHERE pixels.id = ?1 ->> 'pixel_id')
),
touches AS ({without_repeats("seen")}),
histories AS MATERIALIZED (
  SELECT
    visitor_id,
    json_group_array(json(lead)) FILTER (WHERE lead IS NOT NULL) AS leads,
    json_group_array(json(touch)) FILTER (WHERE touch IS NOT NULL) AS touches
  FROM (
    SELECT visitor_id, lead, NULL AS touch FROM leads
    UNION ALL
    SELECT visitor_id, NULL, touch FROM touches
  ) GROUP BY visitor_id
),
paths AS (
  SELECT
    visitor_id, lead.value ->> 0 AS lead_id, touch.value ->> 0 AS touch_id,
    coalesce(touch.value, lead.value) AS step_values,
    coalesce(julianday(coalesce(touch.value, lead.value) ->> 2), 0) AS touched_on
  FROM histories CROSS JOIN json_each(leads) AS lead LEFT JOIN json_each(touches) AS touch
    ON (touch.value ->> 2, touch.value ->> 0) <= (lead.value ->> 2, lead.value ->> 0)
    AND touch.value ->> 2 >= datetime(lead.value ->> 2, '-' || (?1 ->> 'window') || ' days')
),
steps AS (
  SELECT
    visitor_id, lead_id, touch_id, touched_on,
    step_values ->> 1 AS session_id, step_values ->> 3 AS touch_origin, {_STEP_COLUMNS},
    row_number() OVER (PARTITION BY lead_id ORDER BY touched_on, touch_id) AS step,
    count(*) OVER (PARTITION BY lead_id) AS steps,
    max(touched_on) OVER (PARTITION BY lead_id) AS last_on
  FROM paths
)
"""
