"""Tracking: from a pixel's untrusted event to one D1 batch with its attribution.

It knows events, touches, leads in forms and sessions, but neither HTTP nor Pipedrive; reports and
the sync read what it stores. Begin with `events.py`, then `attribution.py` and `visits.py`.
"""
