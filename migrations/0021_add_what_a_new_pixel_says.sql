-- The number of an event among those of its visitor on its pixel: gaps are events that were lost.
ALTER TABLE tracking_events ADD COLUMN visitor_sequence INTEGER;
-- What became of a form: submitted, accepted or rejected. NULL from pixels that do not say.
ALTER TABLE tracking_events ADD COLUMN form_outcome TEXT;
-- Of custom events: what the site calls it, and a JSON object.
ALTER TABLE tracking_events ADD COLUMN event_name TEXT;
ALTER TABLE tracking_events ADD COLUMN event_data TEXT;

-- Serves the statistics of a pixel over a span of time without reading the events themselves, but
-- for the outcomes of its forms and for touches without all three of source, medium and campaign.
-- page_url is last: long ones overflow the page.
DROP INDEX tracking_events_by_pixel;
CREATE INDEX tracking_events_by_pixel ON tracking_events (
  pixel_id, timestamp, visitor_id, session_id, visitor_sequence, event_type, touch_origin,
  utm_source, utm_medium, utm_campaign, page_url
);
