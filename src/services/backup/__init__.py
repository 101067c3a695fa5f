"""Backups: full, hourly and on demand, from D1 into R2, in steps that any run may continue.

Copies every table by the schema alone; only the counts of a manifest know which tables are which.
Begin with `backup_run.py` (one run) and `schedule.py` (when), then `steps.py` (how); `records.py`
is the table in D1, `store.py` the files in R2, `retention.py` how long they stay.
"""
