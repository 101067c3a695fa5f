"""The days that a project's configuration sets for a job, in SQL."""

from __future__ import annotations

from services.projects.configuration import MAX_ARCHIVE_DAYS, MAX_RETENTION_DAYS

# A stored configuration may be any text. What the check of a new one would refuse is no setting.
_CHOSEN_DAYS = """
  iif(
    json_valid(projects.configuration),
    iif(
      json_type(projects.configuration, '$.jobs.{name}') = 'integer'
        AND projects.configuration ->> '$.jobs.{name}' BETWEEN 1 AND {largest},
      projects.configuration ->> '$.jobs.{name}', NULL
    ),
    NULL
  )
"""
# Whole days from 1; NULL where a row of `projects` sets none.
RETENTION_DAYS = _CHOSEN_DAYS.format(name="retention_days", largest=MAX_RETENTION_DAYS)
ARCHIVE_DAYS = _CHOSEN_DAYS.format(name="archive_days", largest=MAX_ARCHIVE_DAYS)
