CREATE INDEX idx_visitors_last_seen ON visitors (last_seen);
CREATE INDEX idx_sessions_last_activity ON sessions (last_activity);
CREATE INDEX idx_events_pixel_timestamp ON tracking_events (pixel_id, timestamp);
CREATE INDEX idx_events_visitor_timestamp ON tracking_events (visitor_id, timestamp);
CREATE INDEX idx_events_session_timestamp ON tracking_events (session_id, timestamp);
CREATE INDEX idx_events_project_timestamp ON tracking_events (project_id, timestamp);
