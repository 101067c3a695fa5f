-- Each trigger stands on one line, BEGIN and END in capitals: the remote D1 cuts other forms apart.
-- https://github.com/cloudflare/workers-sdk/issues/4998

CREATE TABLE projects (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL UNIQUE,
  webhook_url   TEXT NOT NULL,
  configuration TEXT DEFAULT '{}',
  created_at    TEXT DEFAULT (datetime('now')),
  updated_at    TEXT DEFAULT (datetime('now')),
  active        INTEGER DEFAULT 1
);

CREATE TABLE pixels (
  id            TEXT PRIMARY KEY,
  project_id    TEXT NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
  name          TEXT NOT NULL,
  website_url   TEXT,
  configuration TEXT DEFAULT '{}',
  created_at    TEXT DEFAULT (datetime('now')),
  updated_at    TEXT DEFAULT (datetime('now')),
  active        INTEGER DEFAULT 1,
  UNIQUE (project_id, name)
);

CREATE TABLE visitors (
  id             TEXT PRIMARY KEY,
  visitor_cookie TEXT UNIQUE NOT NULL,
  first_seen     TEXT,
  last_seen      TEXT,
  visit_count    INTEGER DEFAULT 1,
  user_agent     TEXT,
  ip_address     TEXT
);

CREATE TABLE sessions (
  id             TEXT PRIMARY KEY,
  visitor_id     TEXT REFERENCES visitors (id),
  pixel_id       TEXT REFERENCES pixels (id),
  session_cookie TEXT UNIQUE NOT NULL,
  started_at     TEXT,
  last_activity  TEXT,
  page_views     INTEGER DEFAULT 0,
  utm_source     TEXT,
  utm_medium     TEXT,
  utm_campaign   TEXT
);

CREATE TABLE tracking_events (
  id             INTEGER PRIMARY KEY AUTOINCREMENT,
  project_id     TEXT REFERENCES projects (id),
  pixel_id       TEXT REFERENCES pixels (id),
  visitor_id     TEXT REFERENCES visitors (id),
  session_id     TEXT REFERENCES sessions (id),
  event_type     TEXT DEFAULT 'pageview',
  utm_source     TEXT,
  utm_medium     TEXT,
  utm_campaign   TEXT,
  utm_content    TEXT,
  utm_term       TEXT,
  custom_utm     TEXT,
  page_url       TEXT,
  referrer_url   TEXT,
  page_title     TEXT,
  user_agent     TEXT,
  ip_address     TEXT,
  country        TEXT,
  region         TEXT,
  city           TEXT,
  browser_data   TEXT,
  device_data    TEXT,
  viewport_data  TEXT,
  timestamp      TEXT DEFAULT (datetime('now')),
  created_at     TEXT DEFAULT (datetime('now')),
  zapier_sent    INTEGER,
  zapier_sent_at TEXT,
  archived       INTEGER DEFAULT 0
);

CREATE INDEX idx_visitors_cookie ON visitors (visitor_cookie);
CREATE INDEX idx_sessions_visitor ON sessions (visitor_id);
CREATE INDEX idx_sessions_pixel ON sessions (pixel_id);
CREATE INDEX idx_sessions_cookie ON sessions (session_cookie);
CREATE INDEX idx_events_project ON tracking_events (project_id);
CREATE INDEX idx_events_pixel ON tracking_events (pixel_id);
CREATE INDEX idx_events_visitor ON tracking_events (visitor_id);
CREATE INDEX idx_events_session ON tracking_events (session_id);
CREATE INDEX idx_events_timestamp ON tracking_events (timestamp);
CREATE INDEX idx_events_zapier ON tracking_events (zapier_sent);
CREATE INDEX idx_events_archived ON tracking_events (archived);

CREATE TRIGGER projects_updated_at AFTER UPDATE ON projects BEGIN UPDATE projects SET updated_at = datetime('now') WHERE id = NEW.id; END;
CREATE TRIGGER pixels_updated_at AFTER UPDATE ON pixels BEGIN UPDATE pixels SET updated_at = datetime('now') WHERE id = NEW.id; END;
