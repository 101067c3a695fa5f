-- Each visitor gets the first touch with each project, by what the project itself has of them: the
-- first event with a touch, or an older session whose events are gone. An event that was credited
-- to the first touch of the visitor tells it only if no other project has anything of the visitor.
-- Written over what the trigger of 0031 wrote meanwhile, which knows no older events.

WITH events AS (
  SELECT
    tracking_events.id, visitor_id, pixels.project_id, touch_origin IS 'visitor' AS is_of_visitor,
    coalesce(
      iif(lower(utm_source) IN ('direct', 'null', 'undefined', ''), NULL, utm_source),
      iif(lower(utm_medium) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_medium),
      iif(lower(utm_campaign) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_campaign),
      iif(lower(utm_content) IN ('null', 'undefined', ''), NULL, utm_content),
      iif(lower(utm_term) IN ('null', 'undefined', ''), NULL, utm_term),
      iif(lower(gclid) IN ('null', 'undefined', ''), NULL, gclid),
      iif(lower(fbclid) IN ('null', 'undefined', ''), NULL, fbclid),
      iif(lower(msclkid) IN ('null', 'undefined', ''), NULL, msclkid),
      iif(lower(ttclid) IN ('null', 'undefined', ''), NULL, ttclid),
      iif(lower(twclid) IN ('null', 'undefined', ''), NULL, twclid),
      iif(lower(li_fat_id) IN ('null', 'undefined', ''), NULL, li_fat_id),
      iif(lower(sc_click_id) IN ('null', 'undefined', ''), NULL, sc_click_id)
    ) IS NOT NULL AS has_touch
  FROM tracking_events NOT INDEXED CROSS JOIN pixels ON pixels.id = pixel_id
),
traces AS (
  SELECT
    visitor_id, project_id,
    iif(has_touch AND NOT is_of_visitor, id, NULL) AS own_id,
    iif(has_touch AND is_of_visitor, id, NULL) AS of_visitor_id
  FROM events
  UNION ALL
  SELECT visitor_id, project_id, NULL, NULL FROM sessions CROSS JOIN pixels ON pixels.id = pixel_id
),
firsts AS MATERIALIZED (
  SELECT
    visitor_id, project_id, min(own_id) AS own_id, min(of_visitor_id) AS of_visitor_id,
    count(*) OVER (PARTITION BY visitor_id) AS projects
  FROM traces WHERE visitor_id IS NOT NULL
  GROUP BY visitor_id, project_id
),
first_sessions AS MATERIALIZED (
  SELECT
    visitor_id, project_id,
    -- The other columns come from the row of the minimum.
    -- https://www.sqlite.org/lang_select.html#bareagg
    min(started_at) AS started_at, sessions.id, touch
  FROM sessions CROSS JOIN pixels ON pixels.id = pixel_id
  WHERE touch IS NOT NULL
  GROUP BY visitor_id, project_id
),
first_events AS (
  SELECT
    firsts.visitor_id, firsts.project_id, event.id, event.session_id, event.timestamp,
    iif(touch_origin IN ('page_url', 'body', 'referrer'), touch_origin, 'inherited') AS origin,
    iif(lower(utm_source) IN ('direct', 'null', 'undefined', ''), NULL, utm_source) AS utm_source,
    iif(
      lower(utm_medium) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_medium
    ) AS utm_medium,
    iif(
      lower(utm_campaign) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_campaign
    ) AS utm_campaign,
    iif(lower(utm_content) IN ('null', 'undefined', ''), NULL, utm_content) AS utm_content,
    iif(lower(utm_term) IN ('null', 'undefined', ''), NULL, utm_term) AS utm_term,
    iif(lower(gclid) IN ('null', 'undefined', ''), NULL, gclid) AS gclid,
    iif(lower(fbclid) IN ('null', 'undefined', ''), NULL, fbclid) AS fbclid,
    iif(lower(msclkid) IN ('null', 'undefined', ''), NULL, msclkid) AS msclkid,
    iif(lower(ttclid) IN ('null', 'undefined', ''), NULL, ttclid) AS ttclid,
    iif(lower(twclid) IN ('null', 'undefined', ''), NULL, twclid) AS twclid,
    iif(lower(li_fat_id) IN ('null', 'undefined', ''), NULL, li_fat_id) AS li_fat_id,
    iif(lower(sc_click_id) IN ('null', 'undefined', ''), NULL, sc_click_id) AS sc_click_id,
    iif(
      lower(campaign_region) IN ('null', 'undefined', ''), NULL, campaign_region
    ) AS campaign_region,
    iif(lower(ad_group) IN ('null', 'undefined', ''), NULL, ad_group) AS ad_group,
    iif(lower(ad_id) IN ('null', 'undefined', ''), NULL, ad_id) AS ad_id,
    iif(lower(search_query) IN ('null', 'undefined', ''), NULL, search_query) AS search_query
  FROM firsts
  LEFT JOIN tracking_events AS event
    ON event.id = iif(projects = 1, coalesce(of_visitor_id, own_id), own_id)
),
touches AS (
  SELECT
    events.visitor_id, events.project_id,
    iif(
      events.id IS NULL
      OR first_sessions.started_at < events.timestamp
        AND first_sessions.id IS NOT events.session_id,
      first_sessions.touch,
      -- Two objects, because D1 allows a function 32 arguments. json_patch leaves the nulls out.
      json_patch(
        json_patch('{}', json_object(
          'utm_source', utm_source,
          'utm_medium', utm_medium,
          'utm_campaign', utm_campaign,
          'utm_content', utm_content,
          'utm_term', utm_term,
          'gclid', gclid,
          'fbclid', fbclid,
          'msclkid', msclkid,
          'ttclid', ttclid,
          'twclid', twclid,
          'li_fat_id', li_fat_id,
          'sc_click_id', sc_click_id
        )),
        json_object(
          'campaign_region', campaign_region,
          'ad_group', ad_group,
          'ad_id', ad_id,
          'search_query', search_query,
          'origin', origin
        )
      )
    ) AS touch
  FROM first_events AS events
  LEFT JOIN first_sessions
    ON first_sessions.visitor_id = events.visitor_id
    AND first_sessions.project_id = events.project_id
),
maps AS (
  SELECT visitor_id, json_group_object(project_id, json(touch)) AS first_touches
  FROM touches WHERE touch IS NOT NULL
  GROUP BY visitor_id
)
UPDATE visitors
SET first_touches = maps.first_touches
FROM maps
WHERE maps.visitor_id = visitors.id;

-- Events that were credited to a first touch with another project lose it.
WITH credited AS (
  SELECT events.id, first_touches -> pixels.project_id AS touch
  FROM tracking_events AS events NOT INDEXED
  CROSS JOIN pixels ON pixels.id = events.pixel_id
  CROSS JOIN visitors ON visitors.id = events.visitor_id
  WHERE touch_origin = 'visitor'
)
UPDATE tracking_events
SET
  touch_origin = iif(touch IS NULL, NULL, 'visitor'),
  utm_source = touch ->> 'utm_source',
  utm_medium = touch ->> 'utm_medium',
  utm_campaign = touch ->> 'utm_campaign',
  utm_content = touch ->> 'utm_content',
  utm_term = touch ->> 'utm_term',
  gclid = touch ->> 'gclid',
  fbclid = touch ->> 'fbclid',
  msclkid = touch ->> 'msclkid',
  ttclid = touch ->> 'ttclid',
  twclid = touch ->> 'twclid',
  li_fat_id = touch ->> 'li_fat_id',
  sc_click_id = touch ->> 'sc_click_id',
  campaign_region = touch ->> 'campaign_region',
  ad_group = touch ->> 'ad_group',
  ad_id = touch ->> 'ad_id',
  search_query = touch ->> 'search_query'
FROM credited
WHERE credited.id = tracking_events.id AND (
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id
) IS NOT (
  touch ->> 'utm_source', touch ->> 'utm_medium', touch ->> 'utm_campaign',
  touch ->> 'utm_content', touch ->> 'utm_term', touch ->> 'gclid', touch ->> 'fbclid',
  touch ->> 'msclkid', touch ->> 'ttclid', touch ->> 'twclid', touch ->> 'li_fat_id',
  touch ->> 'sc_click_id'
);
