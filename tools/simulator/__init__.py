"""A simulated Pipedrive: the API v2 of persons, its limits, its faults, and a page of its account.

The other tools start it; it imports none of them. Begin with server.py.
"""
