CREATE TABLE system_logs (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  timestamp       TEXT,
  level           TEXT CHECK (level IN ('DEBUG', 'INFO', 'WARN', 'ERROR', 'CRITICAL')),
  category        TEXT NOT NULL,
  action          TEXT NOT NULL,
  message         TEXT NOT NULL,
  context         TEXT,
  event_id        TEXT,
  visitor_id      TEXT,
  pixel_id        TEXT,
  error_code      TEXT,
  processing_time INTEGER,
  ip_address      TEXT,
  user_agent      TEXT
);
