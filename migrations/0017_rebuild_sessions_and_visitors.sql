-- Rebuilt for the same reason as the events (see 0014). WITHOUT ROWID spares the first page view of
-- a visitor two rows written.

ALTER TABLE sessions RENAME TO sessions_v2;
ALTER TABLE visitors RENAME TO visitors_v2;

CREATE TABLE visitors (
  id             TEXT PRIMARY KEY,
  visitor_cookie TEXT UNIQUE NOT NULL,
  first_seen     TEXT DEFAULT (datetime('now')),
  last_seen      TEXT DEFAULT (datetime('now')),
  visit_count    INTEGER DEFAULT 1,
  user_agent     TEXT,
  ip_address     TEXT,
  first_touch    TEXT -- JSON object, NULL while no touch was seen
) WITHOUT ROWID;

CREATE TABLE sessions (
  id              TEXT PRIMARY KEY,
  visitor_id      TEXT REFERENCES visitors (id), -- sessions_by_visitor leads with it
  pixel_id        TEXT, -- no foreign key: no index leads with it
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
  touch           TEXT -- JSON object, NULL when the session has no touch of its own
) WITHOUT ROWID;

INSERT INTO visitors (
  id, visitor_cookie, first_seen, last_seen, visit_count, user_agent, ip_address
)
SELECT
  -- The old tables allowed an id of NULL.
  coalesce(id, 'missing-' || lower(hex(randomblob(8)))), visitor_cookie, first_seen, last_seen,
  visit_count, user_agent, ip_address
FROM visitors_v2
ORDER BY id;

-- A session whose visitor is missing gets one again, or its foreign key would stop this file.
INSERT INTO visitors (id, visitor_cookie, first_seen, last_seen)
SELECT visitor_id, 'missing-' || visitor_id, min(started_at), max(last_activity)
FROM sessions_v2
WHERE visitor_id NOT IN (SELECT id FROM visitors)
GROUP BY visitor_id;

-- In portions, so that no statement grows with the table (see 0014).
UPDATE sessions_v2 SET id = 'missing-' || lower(hex(randomblob(8))) WHERE id IS NULL;

CREATE TABLE portions AS
SELECT number, min(id) AS first_id, max(id) AS last_id
FROM (SELECT id, ntile(8) OVER (ORDER BY id) AS number FROM sessions_v2)
GROUP BY number;

-- The columns in the order of the new table.
CREATE VIEW old_sessions AS
SELECT
  id, visitor_id, pixel_id, session_cookie, started_at, last_activity, page_views, utm_source,
  utm_medium, utm_campaign, utm_content, utm_term, campaign_region, ad_group, ad_id, search_query,
  NULL AS touch
FROM sessions_v2;

INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 1 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 2 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 3 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 4 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 5 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 6 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 7 AND id >= first_id AND id <= last_id ORDER BY id;
INSERT INTO sessions SELECT old_sessions.* FROM portions CROSS JOIN old_sessions
WHERE number = 8 AND id >= first_id AND id <= last_id ORDER BY id;

DROP VIEW old_sessions;
DROP TABLE portions;
DROP TABLE sessions_v2;
DROP TABLE visitors_v2;

-- Serves the latest session of a visitor with a pixel, and all sessions of a person. Nothing in it
-- changes with a page view, or each one would write it again.
CREATE INDEX sessions_by_visitor ON sessions (visitor_id, pixel_id, started_at);
