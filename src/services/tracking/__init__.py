"""Tracking: from a pixel's untrusted event to one D1 batch with its attribution.

It knows events, touches, leads in forms and sessions, and marks a lead as pending for the
sync. It must not import HTTP, Pipedrive or the sync; reports and the sync read what it stores.
Begin with `events.py`, then `attribution.py` and `visits.py`.
"""
