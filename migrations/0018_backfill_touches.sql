-- Each inherited session gets its touch, each inherited visitor the first one. Where nothing was
-- seen, old pixels and the old Worker stored a word, which counts as absent here.

-- In portions, so that no statement grows with the table (see 0014).
CREATE TABLE portions AS
SELECT number, min(id) AS first_id, max(id) AS last_id
FROM (SELECT id, ntile(16) OVER (ORDER BY id) AS number FROM sessions)
GROUP BY number;

CREATE VIEW seen_sessions AS
SELECT
  id,
  iif(lower(utm_source) IN ('direct', 'null', 'undefined', ''), NULL, utm_source) AS utm_source,
  iif(
    lower(utm_medium) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_medium
  ) AS utm_medium,
  iif(
    lower(utm_campaign) IN ('unknown', 'none', 'null', 'undefined', ''), NULL, utm_campaign
  ) AS utm_campaign,
  iif(lower(utm_content) IN ('null', 'undefined', ''), NULL, utm_content) AS utm_content,
  iif(lower(utm_term) IN ('null', 'undefined', ''), NULL, utm_term) AS utm_term,
  iif(
    lower(campaign_region) IN ('null', 'undefined', ''), NULL, campaign_region
  ) AS campaign_region,
  iif(lower(ad_group) IN ('null', 'undefined', ''), NULL, ad_group) AS ad_group,
  iif(lower(ad_id) IN ('null', 'undefined', ''), NULL, ad_id) AS ad_id,
  iif(lower(search_query) IN ('null', 'undefined', ''), NULL, search_query) AS search_query
FROM sessions;

CREATE VIEW touches_of_sessions AS
SELECT
  id,
  -- json_patch leaves the nulls out.
  json_patch('{}', json_object(
    'utm_source', utm_source,
    'utm_medium', utm_medium,
    'utm_campaign', utm_campaign,
    'utm_content', utm_content,
    'utm_term', utm_term,
    'campaign_region', campaign_region,
    'ad_group', ad_group,
    'ad_id', ad_id,
    'search_query', search_query,
    'origin', 'inherited'
  )) AS touch
FROM seen_sessions
WHERE coalesce(utm_source, utm_medium, utm_campaign, utm_content, utm_term) IS NOT NULL;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 1 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 2 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 3 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 4 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 5 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 6 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 7 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 8 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 9 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 10 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 11 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 12 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 13 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 14 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 15 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

WITH seen AS MATERIALIZED (
  SELECT id, touch FROM portions CROSS JOIN touches_of_sessions
  WHERE number = 16 AND id >= first_id AND id <= last_id
)
UPDATE sessions SET touch = seen.touch FROM seen
WHERE seen.id = sessions.id;

DROP VIEW touches_of_sessions;
DROP VIEW seen_sessions;
DROP TABLE portions;

-- In one pass over the events and in their order, where by visitor it would jump about. In portions,
-- so that no statement grows with the table (see 0014).
CREATE TABLE portions AS
SELECT
  number,
  iif(number = 1, -9223372036854775808, min(id)) AS first_id,
  iif(number = max(number) OVER (), 9223372036854775807, max(id)) AS last_id
FROM (SELECT id, ntile(16) OVER (ORDER BY id) AS number FROM tracking_events)
GROUP BY number;

CREATE VIEW seen_events AS
SELECT
  id,
  visitor_id,
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
FROM tracking_events NOT INDEXED;

CREATE VIEW touches_of_events AS
SELECT
  id,
  visitor_id,
  -- Two objects, because D1 allows a function 32 arguments.
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
      'origin', 'inherited'
    )
  ) AS touch
FROM seen_events
WHERE coalesce(
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id
) IS NOT NULL;

-- The touch comes from the row of the minimum. https://www.sqlite.org/lang_select.html#bareagg
-- A visitor of an earlier portion has it already.
UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 1 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 2 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 3 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 4 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 5 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 6 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 7 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 8 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 9 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 10 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 11 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 12 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 13 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 14 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 15 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

UPDATE visitors SET first_touch = firsts.touch
FROM (
  SELECT visitor_id, min(id), touch FROM portions CROSS JOIN touches_of_events
  WHERE number = 16 AND id >= first_id AND id <= last_id GROUP BY visitor_id
) AS firsts
WHERE firsts.visitor_id = visitors.id AND first_touch IS NULL;

DROP VIEW touches_of_events;
DROP VIEW seen_events;
DROP TABLE portions;
