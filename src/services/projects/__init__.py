"""Projects and their pixels: how people manage them, and the rules that tracking reads.

It knows the two tables and their configuration, and nothing of events. Begin with `register.py`,
or on the hot path with `pixel_cache.py`.
"""
