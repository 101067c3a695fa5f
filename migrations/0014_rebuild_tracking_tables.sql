-- Twenty-six indexes go, under names that are not known here: so the three tables are rebuilt with
-- the few that are worth a row written (measured: 23 rows for a repeat page view before, 5 after).
-- Columns keep their names and are as lenient as before, because the old Worker must run on them
-- after a rollback. No CASE here, and no quote or semicolon in a comment: the remote D1 splits this
-- file at semicolons by itself. https://github.com/cloudflare/workers-sdk/issues/4998

ALTER TABLE visitors RENAME TO visitors_v2;
ALTER TABLE sessions RENAME TO sessions_v2;
ALTER TABLE tracking_events RENAME TO tracking_events_v2;

-- WITHOUT ROWID spares a first page view one row written for each of these two tables.
CREATE TABLE visitors (
  id             TEXT PRIMARY KEY,
  visitor_cookie TEXT UNIQUE NOT NULL,
  first_seen     TEXT DEFAULT (datetime('now')),
  last_seen      TEXT DEFAULT (datetime('now')),
  visit_count    INTEGER DEFAULT 1,
  user_agent     TEXT,
  ip_address     TEXT,
  first_touch    TEXT
) WITHOUT ROWID;

CREATE TABLE sessions (
  id              TEXT PRIMARY KEY,
  -- sessions_by_visitor leads with it, so that deleting a visitor scans nothing.
  visitor_id      TEXT REFERENCES visitors (id),
  -- Not a foreign key: no index leads with it, so that deleting a pixel would scan all sessions.
  pixel_id        TEXT,
  session_cookie  TEXT UNIQUE NOT NULL,
  started_at      TEXT DEFAULT (datetime('now')),
  last_activity   TEXT DEFAULT (datetime('now')),
  page_views      INTEGER DEFAULT 0,
  utm_source      TEXT,
  utm_medium      TEXT,
  utm_campaign    TEXT,
  utm_content     TEXT,
  utm_term        TEXT,
  campaign_region TEXT,
  ad_group        TEXT,
  ad_id           TEXT,
  search_query    TEXT,
  touch           TEXT
) WITHOUT ROWID;

CREATE TABLE tracking_events (
  id                      INTEGER PRIMARY KEY AUTOINCREMENT,
  -- Not a foreign key: no index leads with it. pixel_id leads to the project.
  project_id              TEXT,
  -- tracking_events_by_pixel leads with it.
  pixel_id                TEXT REFERENCES pixels (id),
  -- tracking_events_by_visitor leads with it.
  visitor_id              TEXT REFERENCES visitors (id),
  -- Not a foreign key: deleting a session would scan all events.
  session_id              TEXT,
  event_type              TEXT DEFAULT 'pageview',
  utm_source              TEXT,
  utm_medium              TEXT,
  utm_campaign            TEXT,
  utm_content             TEXT,
  utm_term                TEXT,
  custom_utm              TEXT,
  page_url                TEXT,
  referrer_url            TEXT,
  page_title              TEXT,
  user_agent              TEXT,
  ip_address              TEXT,
  country                 TEXT,
  region                  TEXT,
  city                    TEXT,
  browser_data            TEXT,
  device_data             TEXT,
  viewport_data           TEXT,
  timestamp               TEXT DEFAULT (datetime('now')),
  created_at              TEXT DEFAULT (datetime('now')),
  zapier_sent             INTEGER DEFAULT 0,
  zapier_sent_at          TEXT,
  archived                INTEGER DEFAULT 0,
  form_data               TEXT,
  campaign_region         TEXT,
  ad_group                TEXT,
  ad_id                   TEXT,
  search_query            TEXT,
  gclid                   TEXT,
  fbclid                  TEXT,
  msclkid                 TEXT,
  ttclid                  TEXT,
  twclid                  TEXT,
  li_fat_id               TEXT,
  sc_click_id             TEXT,
  pipedrive_sync_status   TEXT,
  pipedrive_sync_at       TEXT,
  pipedrive_person_id     TEXT,
  pipedrive_retry_count   INTEGER DEFAULT 0,
  pipedrive_last_retry_at TEXT,
  -- The id a pixel gives its event, so that a repeat is recognised. NULL from old pixels.
  event_key               TEXT,
  -- Where the credited touch was seen: page_url, body, referrer. Inherited: session, visitor.
  touch_origin            TEXT
);

-- The touch an old event carried. The old Worker stored its fallback words as if they were real.
CREATE VIEW touches_v2 AS
WITH seen AS (
  SELECT
    id,
    visitor_id,
    nullif(nullif(utm_source, 'direct'), '') AS utm_source,
    nullif(nullif(nullif(utm_medium, 'unknown'), 'none'), '') AS utm_medium,
    nullif(nullif(nullif(utm_campaign, 'none'), 'unknown'), '') AS utm_campaign,
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
  FROM tracking_events_v2
)
SELECT
  id,
  visitor_id,
  -- json_patch drops the nulls. Two objects, because D1 allows a function 32 arguments.
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
FROM seen
WHERE coalesce(
  utm_source, utm_medium, utm_campaign, utm_content, utm_term,
  gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id
) IS NOT NULL;

INSERT INTO visitors (
  id, visitor_cookie, first_seen, last_seen, visit_count, user_agent, ip_address, first_touch
)
SELECT
  visitors_v2.id, visitor_cookie, first_seen, last_seen, visit_count, user_agent, ip_address, touch
FROM visitors_v2
LEFT JOIN (
  -- min() picks the row that touch is taken from. https://www.sqlite.org/lang_select.html#bareagg
  SELECT visitor_id, touch, min(id) FROM touches_v2 GROUP BY visitor_id
) AS first_touches ON first_touches.visitor_id = visitors_v2.id;

INSERT INTO tracking_events (
  id, project_id, pixel_id, visitor_id, session_id, event_type, utm_source, utm_medium,
  utm_campaign, utm_content, utm_term, custom_utm, page_url, referrer_url, page_title,
  user_agent, ip_address, country, region, city, browser_data, device_data, viewport_data,
  timestamp, created_at, zapier_sent, zapier_sent_at, archived, form_data, campaign_region,
  ad_group, ad_id, search_query, gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id,
  pipedrive_sync_status, pipedrive_sync_at, pipedrive_person_id, pipedrive_retry_count,
  pipedrive_last_retry_at
)
SELECT
  id, project_id, pixel_id, visitor_id, session_id, event_type, utm_source, utm_medium,
  utm_campaign, utm_content, utm_term, custom_utm, page_url, referrer_url, page_title,
  user_agent, ip_address, country, region, city, browser_data, device_data, viewport_data,
  timestamp, created_at, zapier_sent, zapier_sent_at, archived, form_data, campaign_region,
  ad_group, ad_id, search_query, gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id,
  pipedrive_sync_status, pipedrive_sync_at, pipedrive_person_id, pipedrive_retry_count,
  pipedrive_last_retry_at
FROM tracking_events_v2;
