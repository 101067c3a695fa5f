-- On its own, because freeing a large table takes as long as copying it (see 0014).
DROP TABLE tracking_events_v2;
