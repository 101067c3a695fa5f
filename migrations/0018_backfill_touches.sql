-- The touch of each inherited session, and the first of each inherited visitor. The old Worker
-- stored its fallback words as if they had been seen: here they count as absent.

WITH seen AS (
  SELECT
    id,
    nullif(nullif(utm_source, 'direct'), '') AS utm_source,
    nullif(nullif(nullif(utm_medium, 'unknown'), 'none'), '') AS utm_medium,
    nullif(nullif(nullif(utm_campaign, 'unknown'), 'none'), '') AS utm_campaign,
    nullif(utm_content, '') AS utm_content,
    nullif(utm_term, '') AS utm_term,
    nullif(campaign_region, '') AS campaign_region,
    nullif(ad_group, '') AS ad_group,
    nullif(ad_id, '') AS ad_id,
    nullif(search_query, '') AS search_query
  FROM sessions
)
UPDATE sessions
SET touch = json_patch('{}', json_object(
  'utm_source', seen.utm_source,
  'utm_medium', seen.utm_medium,
  'utm_campaign', seen.utm_campaign,
  'utm_content', seen.utm_content,
  'utm_term', seen.utm_term,
  'campaign_region', seen.campaign_region,
  'ad_group', seen.ad_group,
  'ad_id', seen.ad_id,
  'search_query', seen.search_query,
  'origin', 'inherited'
))
FROM seen
WHERE seen.id = sessions.id
  AND coalesce(
    seen.utm_source, seen.utm_medium, seen.utm_campaign, seen.utm_content, seen.utm_term
  ) IS NOT NULL;

WITH seen AS (
  SELECT
    id,
    visitor_id,
    nullif(nullif(utm_source, 'direct'), '') AS utm_source,
    nullif(nullif(nullif(utm_medium, 'unknown'), 'none'), '') AS utm_medium,
    nullif(nullif(nullif(utm_campaign, 'unknown'), 'none'), '') AS utm_campaign,
    nullif(utm_content, '') AS utm_content,
    nullif(utm_term, '') AS utm_term,
    nullif(gclid, '') AS gclid,
    nullif(fbclid, '') AS fbclid,
    nullif(msclkid, '') AS msclkid,
    nullif(ttclid, '') AS ttclid,
    nullif(twclid, '') AS twclid,
    nullif(li_fat_id, '') AS li_fat_id,
    nullif(sc_click_id, '') AS sc_click_id,
    nullif(campaign_region, '') AS campaign_region,
    nullif(ad_group, '') AS ad_group,
    nullif(ad_id, '') AS ad_id,
    nullif(search_query, '') AS search_query
  FROM tracking_events NOT INDEXED -- in the order of the table: by visitor it jumps about in it
),
first_touches AS (
  SELECT
    visitor_id,
    min(id), -- picks the row of the other columns: https://www.sqlite.org/lang_select.html#bareagg
    json_patch( -- drops the nulls; two objects, because D1 allows a function 32 arguments
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
        'origin', 'inherited'
      )
    ) AS touch
  FROM seen
  WHERE coalesce(
    utm_source, utm_medium, utm_campaign, utm_content, utm_term,
    gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id
  ) IS NOT NULL
  GROUP BY visitor_id
)
UPDATE visitors
SET first_touch = first_touches.touch
FROM first_touches
WHERE first_touches.visitor_id = visitors.id;
