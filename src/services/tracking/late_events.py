"""SQL about events that waited in R2: they are stored behind events that came after them.

Whatever else is read for them is read for no other event.
"""

from __future__ import annotations

from services.tracking.link_parameters import FIELDS

# Whether an event belongs to a session by its time, as far as the session's beginning says so.
IS_OF_ITS_TIME = "sessions.started_at < ?1 ->> 'open_until'"

# What an event of the visitor is that came with a touch to this project. Only looked at for an
# event that waited: one that is older than what the visitor or the session has.
_TOUCHED = """
  SELECT 1 FROM tracking_events AS touched
  WHERE touched.visitor_id = visitors.id AND touched.project_id = ?1 ->> 'project_id'
    AND touched.touch_origin IN ('page_url', 'body', 'referrer')
"""
# Whether the visitor's first touch with the project came after the event at hand. Of a visitor who
# is known for long it may lie in the archive.
FIRST_TOUCH_CAME_LATER = f"""(
  visitors.last_seen > ?1 ->> 'now'
  AND visitors.first_seen > datetime(?1 ->> 'now', '-30 days')
  AND EXISTS ({_TOUCHED} AND touched.timestamp > ?1 ->> 'now')
  AND NOT EXISTS ({_TOUCHED} AND touched.timestamp <= ?1 ->> 'now')
)"""

# An event that waited in R2 is older than the session's last one, and perhaps than its touch.
IS_LATEST_TOUCH = """
  excluded.touch IS NOT NULL AND (
    touch IS NULL OR excluded.last_activity >= last_activity
    OR NOT EXISTS (
      SELECT 1 FROM tracking_events AS later
      WHERE later.visitor_id = sessions.visitor_id AND later.session_id = sessions.id
        AND later.touch_origin IN ('page_url', 'body', 'referrer')
        AND later.timestamp > ?1 ->> 'now'
    )
  )
"""
_FIELDS = ", ".join(f"'{name}', earlier.{name}" for name in FIELDS)
# The touch of its session that an event is credited to: the latest one of its time.
SESSION_TOUCH = f"""
  iif(sessions.last_activity > ?1 ->> 'now', (
    SELECT json_patch('{{}}', json_object(
      {_FIELDS},
      'click_ids', json(earlier.click_ids)
    ))
    FROM tracking_events AS earlier
    WHERE earlier.visitor_id = visitors.id AND earlier.session_id = sessions.id
      AND earlier.touch_origin IN ('page_url', 'body', 'referrer')
      AND earlier.timestamp <= ?1 ->> 'now'
    ORDER BY earlier.timestamp DESC, earlier.id DESC LIMIT 1
  ), sessions.touch)
"""
