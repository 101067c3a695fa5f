-- Some twenty indexes go, under names that are not known here, so that DROP INDEX cannot be relied
-- on: the table is rebuilt without them. Two more files index it and drop the old one, because a
-- whole migration has 30 seconds. https://developers.cloudflare.com/d1/platform/limits/
--
-- Columns keep their names and stay as lenient as they were: after a rollback the old Worker runs
-- on them again.

ALTER TABLE tracking_events RENAME TO tracking_events_v2;

-- A foreign key needs an index that leads with its column, or deleting a parent scans this table.
CREATE TABLE tracking_events (
  id                      INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id              TEXT, -- no foreign key: no index leads with it
  pixel_id                TEXT REFERENCES pixels (id), -- tracking_events_by_pixel leads with it
  visitor_id              TEXT, -- no foreign key: it doubles the time of this migration
  session_id              TEXT, -- no foreign key: no index leads with it
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
  event_key               TEXT, -- the id a pixel gives its event, NULL from old pixels
  touch_origin            TEXT  -- page_url, body, referrer, or inherited from session, visitor
);

-- AUTOINCREMENT goes on after the highest id ever given, also when that event is gone.
INSERT INTO sqlite_sequence (name, seq)
SELECT 'tracking_events', seq FROM sqlite_sequence WHERE name = 'tracking_events_v2';

-- In portions of equally many rows, whatever their ids are, so that no statement grows with the table
-- beyond the 30 seconds that D1 gives it. The first and the last one are open: no row is left out.
CREATE TABLE portions AS
SELECT
  number,
  iif(number = 1, -9223372036854775808, min(id)) AS first_id,
  iif(number = max(number) OVER (), 9223372036854775807, max(id)) AS last_id
FROM (SELECT id, ntile(16) OVER (ORDER BY id) AS number FROM tracking_events_v2)
GROUP BY number;

-- The columns in the order of the new table.
CREATE VIEW old_events AS
SELECT
  id, project_id, pixel_id, visitor_id, session_id, event_type, utm_source, utm_medium,
  utm_campaign, utm_content, utm_term, custom_utm, page_url, referrer_url, page_title, user_agent,
  ip_address, country, region, city, browser_data, device_data, viewport_data, timestamp,
  created_at, zapier_sent, zapier_sent_at, archived, form_data, campaign_region, ad_group, ad_id,
  search_query, gclid, fbclid, msclkid, ttclid, twclid, li_fat_id, sc_click_id,
  pipedrive_sync_status, pipedrive_sync_at, pipedrive_person_id, pipedrive_retry_count,
  pipedrive_last_retry_at,
  NULL AS event_key, NULL AS touch_origin
FROM tracking_events_v2;

INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 1 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 2 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 3 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 4 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 5 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 6 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 7 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 8 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 9 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 10 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 11 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 12 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 13 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 14 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 15 AND id >= first_id AND id <= last_id;
INSERT INTO tracking_events SELECT old_events.* FROM portions CROSS JOIN old_events
WHERE number = 16 AND id >= first_id AND id <= last_id;

DROP VIEW old_events;
DROP TABLE portions;
