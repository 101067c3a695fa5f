"""`make rehearse`: the life of a production, played with the documented commands on the stand-in.

Begin with life.py, which is the order of the acts.
"""
