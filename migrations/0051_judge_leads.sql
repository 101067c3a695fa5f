-- Events whose browser said that they were sent from another site than the one of the pixel.
ALTER TABLE failed_requests ADD COLUMN refused_senders INTEGER NOT NULL DEFAULT 0;
-- Why a lead may be forged: a JSON array of reasons. NULL while it was not judged, [] if nothing
-- speaks against it.
ALTER TABLE tracking_events ADD COLUMN suspicious TEXT;
