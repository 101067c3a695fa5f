DROP TABLE tracking_events_v2;
