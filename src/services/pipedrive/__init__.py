"""Pipedrive: accounts, field maps, and calls to its API v2 within limits, retries and a breaker.

Knows nothing of the outbox, of D1 or of the sync that uses it. Begin with `client.py`; an answer is
judged in `answers.py`.
"""
