"""Whether the database lost data: judged against a high-water mark that lies in R2, not in D1.

Begin with `judgement.py`: when a database counts as lost. `high_water_mark.py` is what it is
compared with, `contents.py` what it holds now.
"""
