-- Each full index is one more row written for every event, so there are two.

-- Serves all events of a visitor (export and erasure of a person), and refuses an event that a
-- pixel sends twice.
CREATE UNIQUE INDEX tracking_events_by_visitor ON tracking_events (visitor_id, event_key);

-- Serves the statistics of a pixel over a span of time, by page and by source too, without reading
-- the events themselves, which halves the time. page_url is last: long ones overflow the page.
CREATE INDEX tracking_events_by_pixel ON tracking_events (
  pixel_id, timestamp, visitor_id, session_id, utm_source, utm_medium, utm_campaign, page_url
);

-- Serves the sweep for pending submissions (status NULL, lowest id first) and their numbers by
-- status. Page views are not in it and pay nothing for it.
CREATE INDEX tracking_events_by_sync_status ON tracking_events (pipedrive_sync_status, id)
WHERE event_type = 'form_submit';
