-- Each full index is one more row written for every event: there are two.

-- Serves: one visitor's events (attribution, export and erasure of a person), and refuses the event
-- that a pixel sends twice.
CREATE UNIQUE INDEX tracking_events_by_visitor ON tracking_events (visitor_id, event_key);

-- Serves: a pixel's statistics over a span of time, the pages and sources included, from the index
-- alone. Wide keys cost bytes but no rows; page_url is last because it may overflow the page.
CREATE INDEX tracking_events_by_pixel ON tracking_events (
  pixel_id, timestamp, visitor_id, session_id, utm_source, utm_medium, utm_campaign, page_url
);

-- Serves: the sweep for pending submissions (status IS NULL, oldest id first) and their number by
-- status. A page view is not in it.
CREATE INDEX tracking_events_by_sync_status ON tracking_events (pipedrive_sync_status, id)
WHERE event_type = 'form_submit';
