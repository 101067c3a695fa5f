"""Which form submissions still wait to be sent to Pipedrive, as a condition in SQL.

A pending lead is never archived and never deleted by the retention.
"""

from __future__ import annotations

from services.core.stored_time import NEVER_DUE

# The status of a form that its own site rejected. It is final for the old Worker, which takes up
# whatever has none. Here such a form is due once, to be checked, and the status ends if the form
# turns out to be accepted.
REJECTED = "rejected"

# The status of a lead that may be forged and waits for a person: final for the sync and for the old
# Worker, until somebody sends it again.
WITHHELD = "held"
# The status of one of which a person said that it is forged.
FORGED = "forged"
# Among the reasons of one that a person sent all the same: it is not held again.
RELEASED = "released by a person"
# Over the columns of `tracking_events`. The reasons are a JSON array.
MAY_BE_FORGED = f"""
  (coalesce(suspicious, '[]') <> '[]' AND instr(suspicious, '{RELEASED}') = 0)
"""

# Over the columns of `tracking_events`. It may use the index `tracking_events_by_sync_status`; it
# is NULL for a row without an event type, so its negation is `NOT coalesce(…, 0)`.
IS_PENDING = f"""
  event_type = 'form_submit' AND pipedrive_sync_status IS NULL
  AND coalesce(pipedrive_due_at, '') < '{NEVER_DUE}'
"""
# May be leased by the sync: pending, or rejected and not checked yet.
IS_UNSETTLED = f"""
  event_type = 'form_submit'
  AND (pipedrive_sync_status IS NULL OR pipedrive_sync_status = '{REJECTED}')
  AND coalesce(pipedrive_due_at, '') < '{NEVER_DUE}'
"""
# One that is held waits, too.
IS_NOT_PENDING = f"""
  NOT coalesce({IS_PENDING}, 0) AND pipedrive_sync_status IS NOT '{WITHHELD}'
"""
