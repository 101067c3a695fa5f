-- The newest million events get the click IDs of their own page_url. An event that was credited to
-- its session or visitor keeps their touch whole. One that was direct has a touch of its own if it
-- was a click. What is encoded stays so, but for the signs that IDs have. As the code reads them,
-- the first of two values counts, and details without a touch make none.
-- In portions, so that no statement takes long (see 0014).
CREATE TABLE portions AS
SELECT number, min(id) AS first_id, max(id) AS last_id
FROM (
  SELECT id, ntile(16) OVER (ORDER BY id) AS number
  FROM (SELECT id FROM tracking_events ORDER BY id DESC LIMIT 1000000)
)
GROUP BY number;

-- The portion that the view below is of.
CREATE TABLE this_portion (first_id INTEGER, last_id INTEGER);
INSERT INTO this_portion VALUES (NULL, NULL);

CREATE VIEW clicks AS
WITH pages AS (
  SELECT
    id,
    replace(
      replace(substr(page_url, instr(page_url, '?') + 1), '#', '&'), '&amp' || char(59), '&'
    ) AS query,
    touch_origin IS NOT NULL OR coalesce(
      utm_source, utm_medium, utm_campaign, utm_content, utm_term,
      gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id
    ) IS NOT NULL AS has_touch
  FROM tracking_events NOT INDEXED
  WHERE id >= (SELECT first_id FROM this_portion) AND id <= (SELECT last_id FROM this_portion)
    AND (touch_origin IS NULL OR touch_origin = 'page_url')
    AND click_ids IS NULL
    AND instr(page_url, '?') > 0
    AND (
      page_url LIKE '%braid=%' OR page_url LIKE '%gad_%' OR page_url LIKE '%gclsrc=%'
      OR page_url LIKE '%dclid=%' OR page_url LIKE '%rdt_cid=%' OR page_url LIKE '%epik=%'
      OR page_url LIKE '%qclid=%' OR page_url LIKE '%yclid=%' OR page_url LIKE '%irclid=%'
      OR page_url LIKE '%oppref=%' OR page_url LIKE '%utm_id=%'
      OR page_url LIKE '%utm_source_platform=%' OR page_url LIKE '%utm_creative_format=%'
      OR page_url LIKE '%utm_marketing_tactic=%' OR page_url LIKE '%matchtype=%'
      OR page_url LIKE '%network=%' OR page_url LIKE '%placement=%' OR page_url LIKE '%hsa_%'
    )
),
pairs AS (
  SELECT
    pages.id, has_touch, pair.key AS position,
    lower(substr(pair.value, 1, instr(pair.value || '=', '=') - 1)) AS name,
    replace(replace(replace(replace(replace(replace(
      substr(pair.value, instr(pair.value, '=') + 1, 500),
      '+', ' '), '%20', ' '), '%2D', '-'), '%5F', '_'), '%3D', '='), '%2E', '.') AS value
  FROM pages CROSS JOIN json_each('[' || replace(json_quote(query), '&', '","') || ']') AS pair
),
firsts AS (
  SELECT
    id, has_touch, name,
    -- The value comes from the row of the minimum.
    min(position), value
  FROM pairs
  WHERE trim(value) <> '' AND name IN (
    'gbraid', 'wbraid', 'gad_source', 'gad_campaignid', 'dclid', 'rdt_cid', 'epik', 'qclid',
    'yclid', 'irclid', 'oppref', 'gclsrc', 'utm_id', 'utm_source_platform', 'utm_creative_format',
    'utm_marketing_tactic', 'matchtype', 'network', 'placement', 'hsa_acc', 'hsa_cam', 'hsa_src',
    'hsa_net', 'hsa_mt', 'hsa_tgt', 'hsa_ver'
  )
  GROUP BY id, name
)
SELECT
  id, has_touch, json_group_object(name, trim(value)) AS click_ids,
  max(name IN (
    'gbraid', 'wbraid', 'gad_source', 'gad_campaignid', 'dclid', 'rdt_cid', 'epik', 'qclid',
    'yclid', 'irclid', 'oppref'
  )) AS is_click
FROM firsts GROUP BY id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 1
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 2
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 3
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 4
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 5
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 6
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 7
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 8
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 9
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 10
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 11
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 12
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 13
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 14
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 15
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions WHERE number = 16
);
UPDATE tracking_events
SET
  click_ids = clicks.click_ids,
  touch_origin = iif(has_touch, touch_origin, 'page_url')
FROM clicks
WHERE clicks.id = tracking_events.id AND (has_touch OR is_click);

DROP VIEW clicks;
DROP TABLE this_portion;
DROP TABLE portions;
