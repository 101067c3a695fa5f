"""Access to the API: keys and their roles, rate limits, and the recognition of bots.

It knows strings and counts only: no requests, no routes, no tables. The pipeline decides what
follows from an answer. Begin with `rate_limiting.py`.
"""
