"""Events outside the database: as parts in R2, recorded in D1, exchanged between deployments.

The package knows how events leave D1 without getting lost, how a part is written, read, checked and
rewritten, and both sides of `POST /api/archive`. It must not import reports, privacy or sync, which
read what it stores, nor Cloudflare's objects. Begin with `archive_run`, then `parts`.
"""
