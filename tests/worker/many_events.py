"""A million events of a hundred pixels over a year, made by the database itself."""

from tests.harness.worker import Worker

PIXELS = 100
EVENTS_OF_A_PIXEL = 10_000
VISITORS_OF_A_PIXEL = 1_000
SESSIONS_OF_A_PIXEL = 2_000
FORMS_OF_A_PIXEL = 1_000
SPAN = {"from": "2025-11-01 00:00:00", "to": "2026-10-31 23:59:59"}

ADD_PIXELS = f"""
WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < {PIXELS - 1})
INSERT INTO pixels (id, project_id, name)
SELECT 'many-' || n, 'ppp-demo-project', 'many-' || n FROM number
"""

ADD_VISITORS = f"""
WITH RECURSIVE number (n) AS (
  SELECT CAST(?1 AS INTEGER) * {VISITORS_OF_A_PIXEL} UNION ALL
  SELECT n + 1 FROM number WHERE n < CAST(?2 AS INTEGER) * {VISITORS_OF_A_PIXEL} - 1
)
INSERT INTO visitors (id, visitor_cookie, first_touches)
SELECT
  'visitor-' || n, 'pxl_' || n,
  iif(n % 3, json_object(
    'ppp-demo-project',
    json_object('origin', 'page_url', 'utm_source', 's' || (n % 7), 'gclid', 'G')
  ), NULL)
FROM number
"""

# Every third visitor has no touch, every tenth event is a form.
ADD_EVENTS = f"""
WITH RECURSIVE number (n) AS (
  SELECT CAST(?1 AS INTEGER) * {EVENTS_OF_A_PIXEL} UNION ALL
  SELECT n + 1 FROM number WHERE n < CAST(?2 AS INTEGER) * {EVENTS_OF_A_PIXEL} - 1
)
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, session_id, event_type, form_outcome, page_url, referrer_url,
  country, timestamp, visitor_sequence, event_key, touch_origin, utm_source, gclid,
  browser_data, device_data
)
SELECT
  'ppp-demo-project', 'many-' || (n / {EVENTS_OF_A_PIXEL}), 'visitor-' || (n / 10),
  'session-' || (n / 5),
  iif(n % 10 = 9, 'form_submit', 'pageview'), iif(n % 10 = 9, 'accepted', NULL),
  'https://shop.example/' || (n % 50) || '?x=' || (n % 2), 'https://www.google.com/',
  iif(n % 4, 'DE', 'AT'), datetime('2025-11-01', (n * 3079 % 31536000) || ' seconds'),
  1 + n % 10, 'event-' || n,
  iif(n / 10 % 3, iif(n % 5, 'visitor', 'page_url'), NULL),
  iif(n / 10 % 3, 's' || (n / 10 % 7), NULL),
  iif(n / 10 % 3, 'G', NULL), '{{"browser": "Firefox"}}', '{{"type": "desktop"}}'
FROM number
"""


def add_events(worker: Worker, first: int, end: int) -> None:
    """Adds the events and visitors of the pixels from `first` to before `end`."""
    worker.query(ADD_VISITORS, first, end)
    worker.query(ADD_EVENTS, first, end)
