-- Each visitor gets the first touch with each project, by what the project itself has of them: the
-- first event with a touch, or an older session whose events are gone. An event that was credited
-- to the first touch of the visitor tells it only if no other project has anything of the visitor.
-- Written over what the trigger of 0031 wrote meanwhile, which knows no older events.

-- In portions, so that no statement grows with the tables (see 0014): first what each project has of
-- each visitor, in the order of the events, then the visitors.

CREATE TABLE portions AS
SELECT
  number,
  iif(number = 1, -9223372036854775808, min(id)) AS first_id,
  iif(number = max(number) OVER (), 9223372036854775807, max(id)) AS last_id
FROM (SELECT id, ntile(16) OVER (ORDER BY id) AS number FROM tracking_events)
GROUP BY number;

CREATE VIEW events_of_projects AS
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
FROM tracking_events NOT INDEXED CROSS JOIN pixels ON pixels.id = pixel_id;

CREATE TABLE traces (
  visitor_id    TEXT,
  project_id    TEXT,
  own_id        INTEGER,
  of_visitor_id INTEGER,
  PRIMARY KEY (visitor_id, project_id)
) WITHOUT ROWID;

-- The ids of an earlier portion are smaller and stay.
INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 1 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 2 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 3 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 4 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 5 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 6 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 7 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 8 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 9 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 10 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 11 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 12 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 13 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 14 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 15 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id, own_id, of_visitor_id)
SELECT
  visitor_id, project_id, min(iif(has_touch AND NOT is_of_visitor, id, NULL)),
  min(iif(has_touch AND is_of_visitor, id, NULL))
FROM portions CROSS JOIN events_of_projects
WHERE number = 16 AND id >= first_id AND id <= last_id AND visitor_id IS NOT NULL
GROUP BY visitor_id, project_id
ON CONFLICT DO UPDATE SET
  own_id = coalesce(own_id, excluded.own_id),
  of_visitor_id = coalesce(of_visitor_id, excluded.of_visitor_id);

INSERT INTO traces (visitor_id, project_id)
SELECT visitor_id, project_id FROM sessions CROSS JOIN pixels ON pixels.id = pixel_id
WHERE visitor_id IS NOT NULL
ON CONFLICT DO NOTHING;

CREATE TABLE portions_of_visitors AS
SELECT number, min(id) AS first_id, max(id) AS last_id
FROM (SELECT id, ntile(16) OVER (ORDER BY id) AS number FROM visitors)
GROUP BY number;

-- The portion that the views below are of.
CREATE TABLE this_portion (first_id TEXT, last_id TEXT);
INSERT INTO this_portion VALUES (NULL, NULL);

CREATE VIEW firsts AS
SELECT
  visitor_id, project_id, own_id, of_visitor_id,
  count(*) OVER (PARTITION BY visitor_id) AS projects
FROM traces
WHERE visitor_id >= (SELECT first_id FROM this_portion)
  AND visitor_id <= (SELECT last_id FROM this_portion);

CREATE TABLE first_sessions (
  visitor_id TEXT,
  project_id TEXT,
  started_at TEXT,
  id         TEXT,
  touch      TEXT,
  PRIMARY KEY (visitor_id, project_id)
) WITHOUT ROWID;

CREATE VIEW sessions_of_portion AS
SELECT
  visitor_id, project_id,
  -- The other columns come from the row of the minimum.
  -- https://www.sqlite.org/lang_select.html#bareagg
  min(started_at) AS started_at, sessions.id, touch
FROM sessions CROSS JOIN pixels ON pixels.id = pixel_id
WHERE touch IS NOT NULL
  AND visitor_id >= (SELECT first_id FROM this_portion)
  AND visitor_id <= (SELECT last_id FROM this_portion)
GROUP BY visitor_id, project_id;

CREATE VIEW first_events AS
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
  ON event.id = iif(projects = 1, coalesce(of_visitor_id, own_id), own_id);

CREATE VIEW maps AS
WITH touches AS (
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
)
SELECT visitor_id, json_group_object(project_id, json(touch)) AS first_touches
FROM touches WHERE touch IS NOT NULL
GROUP BY visitor_id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 1
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 2
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 3
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 4
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 5
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 6
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 7
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 8
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 9
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 10
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 11
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 12
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 13
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 14
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 15
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

UPDATE this_portion SET (first_id, last_id) = (
  SELECT first_id, last_id FROM portions_of_visitors WHERE number = 16
);
INSERT INTO first_sessions SELECT * FROM sessions_of_portion;
UPDATE visitors SET first_touches = maps.first_touches
FROM maps WHERE maps.visitor_id = visitors.id;

DROP VIEW maps;
DROP VIEW first_events;
DROP VIEW sessions_of_portion;
DROP TABLE first_sessions;
DROP VIEW firsts;
DROP VIEW events_of_projects;
DROP TABLE this_portion;
DROP TABLE portions_of_visitors;
DROP TABLE traces;
DROP TABLE portions;

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
