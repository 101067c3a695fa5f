"""Personal data: requests about one person (find, export, erase), and the retention of rows.

The package knows everything that D1, R2 and KV hold about a person and deletes it for good, also
from the archive. It must not import reports, monitoring or backup; a restore reads its notes
(`erasure_notes`). Begin with `person_requests`, then `search` and `erasure`; `retention` is a job
of its own.
"""
