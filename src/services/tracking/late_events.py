"""SQL about events that waited in R2: they are stored behind events that came after them.

Each counts by its own time. Whatever is read for that is read for no other event.
"""

from __future__ import annotations

from services.tracking.link_parameters import FIELDS

# Whether an event may belong to a session by its time: one that began before it, else one that
# began soon after it. Only such a later session is looked at more closely. Written as an
# expression, because a bound on the index would read one more row of every new visitor.
IS_OF_ITS_TIME = """
  iif(
    sessions.started_at > ?1 ->> 'now',
    sessions.started_at < ?1 ->> 'open_until' AND NOT EXISTS (
      SELECT 1 FROM sessions AS earlier
      WHERE earlier.visitor_id = sessions.visitor_id
        AND earlier.owning_project_id = sessions.owning_project_id
        AND earlier.started_at <= ?1 ->> 'now' AND earlier.last_activity > ?1 ->> 'open_since'
    ), true
  )
"""

# An event of the visitor that came with a touch to this project.
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

# Whether a touch becomes its session's. One that waited may be older than the one that is there.
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
      'click_ids', json(iif(json_valid(earlier.click_ids), earlier.click_ids, NULL))
    ))
    FROM tracking_events AS earlier
    WHERE earlier.visitor_id = visitors.id AND earlier.session_id = sessions.id
      AND earlier.touch_origin IN ('page_url', 'body', 'referrer')
      AND earlier.timestamp <= ?1 ->> 'now'
    ORDER BY earlier.timestamp DESC, earlier.id DESC LIMIT 1
  ), sessions.touch)
"""
