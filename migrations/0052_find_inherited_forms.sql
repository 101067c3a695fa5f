-- The old Worker stored the fields of a form with whatever type the page gave the event. Serves the
-- walk through these forms beside those of tracking_events_by_form: neither a page view nor a lead
-- pays a row for it.
CREATE INDEX tracking_events_by_other_form ON tracking_events (id) WHERE form_data IS NOT NULL AND event_type IS NOT 'form_submit';
