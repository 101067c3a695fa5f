-- The click IDs that have no column of their own, and what else ads say of a click: a JSON object,
-- NULL without any. No index has it.
ALTER TABLE tracking_events ADD COLUMN click_ids TEXT;
