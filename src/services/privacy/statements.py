"""What is stored about one person in D1 and KV: the statements that find, count and delete it.

All read one JSON text (`?1`). `whole` are visitors of whom everything is the person's, `events` ids
of events that are theirs whoever visited. The tables are large, so each is read by index, a page at
a time.
"""

from __future__ import annotations

from services.core.pending_leads import IS_PENDING

FORMS_OF_A_PAGE = 5_000
ROWS_OF_A_PORTION = 1_000
LEADS_OF_A_PAGE = 2_000
LOGS_OF_A_PAGE = 5_000

# ---- found by an address -----------------------------------------------------------------------


def _in_url(column: str) -> str:
    text = f"lower({column})"
    return f"(instr({text}, ?1 ->> 'clue') OR instr({text}, ?1 ->> 'url_clue'))"


_FORMS = f"""
  SELECT
    id, visitor_id, form_data, event_data, page_url, referrer_url, page_title
  FROM tracking_events INDEXED BY tracking_events_by_form
  WHERE event_type = 'form_submit' AND id > ?1 ->> 'after' ORDER BY id LIMIT {FORMS_OF_A_PAGE}
"""

LAST_FORM = f"SELECT max(id) AS last FROM ({_FORMS})"

# Old rows have whole forms, in whatever shape; what has the clue is then read.
FORMS_WITH_CLUE = f"""
SELECT * FROM ({_FORMS})
WHERE instr(lower(form_data), ?1 ->> 'clue') OR {_in_url("page_url")}
"""

# Of some visitors: all forms, which tell whether somebody else used the browser too, and whatever
# else may have the address in it.
LEADS_OF_VISITORS = f"""
SELECT
  tracking_events.id, tracking_events.visitor_id, event_type, form_data, event_data, page_url,
  referrer_url, page_title
FROM json_each(?1, '$.visitors') AS visitor
JOIN tracking_events ON tracking_events.visitor_id = visitor.value
WHERE tracking_events.id > ?1 ->> 'after' AND (
  event_type = 'form_submit'
  OR instr(lower(event_data), ?1 ->> 'clue')
  OR {_in_url("page_url")} OR {_in_url("referrer_url")}
  OR instr(lower(page_title), ?1 ->> 'clue')
)
ORDER BY tracking_events.id LIMIT {LEADS_OF_A_PAGE}
"""

VISITOR_OF_COOKIE = "SELECT id FROM visitors WHERE visitor_cookie = ?1 ->> 'visitor_cookie'"

# ---- theirs ------------------------------------------------------------------------------------

_THEIR_EVENTS = """
  SELECT tracking_events.id FROM json_each(?1, '$.events') AS each
  JOIN tracking_events ON tracking_events.id = each.value
  UNION
  SELECT tracking_events.id FROM json_each(?1, '$.whole') AS whole
  JOIN tracking_events ON tracking_events.visitor_id = whole.value
"""
_THEIR_SESSIONS = """
  SELECT sessions.id FROM json_each(?1, '$.whole') AS whole
  JOIN sessions ON sessions.visitor_id = whole.value
"""
_THEIR_VISITORS = """
  SELECT visitors.id FROM json_each(?1, '$.whole') AS whole
  JOIN visitors ON visitors.id = whole.value
"""
# What the sync remembers of the events, the archived ones among them.
_THEIR_PERSONS = f"""
  SELECT persons.destination, persons.person_id FROM (
    {_THEIR_EVENTS} UNION SELECT value FROM json_each(?1, '$.forms')
  ) AS theirs
  JOIN pipedrive_persons AS persons ON persons.claimed_event_id = theirs.id
"""

COUNT_EVENTS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_THEIR_EVENTS}))
"""

COUNT_SESSIONS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_THEIR_SESSIONS}))
"""

COUNT_VISITORS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_THEIR_VISITORS}))
"""

COUNT_PERSONS = f"""
SELECT
  count(*) AS number,
  json_group_array(json_object('destination', destination, 'person_id', person_id)) AS ids
FROM ({_THEIR_PERSONS})
"""

PROJECTS_OF_EVENTS = f"""
SELECT DISTINCT coalesce(events.project_id, pixels.project_id) AS project_id
FROM ({_THEIR_EVENTS}) AS theirs
JOIN tracking_events AS events ON events.id = theirs.id
LEFT JOIN pixels ON pixels.id = events.pixel_id
UNION
SELECT pixels.project_id FROM json_each(?1, '$.pixels') AS archived
JOIN pixels ON pixels.id = archived.value
ORDER BY 1
"""

# ---- exported, a page at a time ----------------------------------------------------------------

EXPORT_VISITORS = f"""
SELECT * FROM visitors WHERE id IN ({_THEIR_VISITORS}) AND id > ?1 ->> 'after'
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_SESSIONS = f"""
SELECT * FROM sessions WHERE id IN ({_THEIR_SESSIONS}) AND id > ?1 ->> 'after'
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_EVENTS = f"""
SELECT * FROM tracking_events
WHERE id IN ({_THEIR_EVENTS}) AND id > CAST(?1 ->> 'after' AS INTEGER)
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_LOGS = """
SELECT * FROM system_logs
WHERE id IN (SELECT value FROM json_each(?1, '$.logs')) AND id > CAST(?1 ->> 'after' AS INTEGER)
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_PERSONS = f"""
SELECT persons.* FROM ({_THEIR_PERSONS}) AS theirs
JOIN pipedrive_persons AS persons
  ON persons.destination = theirs.destination AND persons.person_id = theirs.person_id
"""

# ---- deleted -----------------------------------------------------------------------------------

# A lead that the sync has leased stays until the lease ends: the sync would otherwise write it to
# the person in Pipedrive after the receipt.
_IS_BEING_SENT = f"""
  {IS_PENDING} AND pipedrive_lease IS NOT NULL AND pipedrive_due_at > ?1 ->> 'now'
"""

# Not UNION: the first ones are enough, and one that comes twice is deleted once.
SOME_EVENTS = f"""
SELECT id FROM (
  SELECT tracking_events.id FROM json_each(?1, '$.events') AS each
  JOIN tracking_events ON tracking_events.id = each.value
  WHERE NOT coalesce({_IS_BEING_SENT}, 0)
  UNION ALL
  SELECT tracking_events.id FROM json_each(?1, '$.whole') AS whole
  JOIN tracking_events ON tracking_events.visitor_id = whole.value
  WHERE NOT coalesce({_IS_BEING_SENT}, 0)
) LIMIT {ROWS_OF_A_PORTION}
"""

BEING_SENT = f"""
SELECT count(*) AS number, max(pipedrive_due_at) AS until FROM tracking_events
WHERE id IN ({_THEIR_EVENTS}) AND {_IS_BEING_SENT}
"""

DELETE_EVENTS = f"""
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND NOT coalesce({_IS_BEING_SENT}, 0)
"""

DELETE_PERSONS = """
DELETE FROM pipedrive_persons
WHERE claimed_event_id IN (SELECT value FROM json_each(?1, '$.ids'))
  AND NOT EXISTS (SELECT 1 FROM tracking_events WHERE id = claimed_event_id)
"""

SOME_SESSIONS = f"SELECT id FROM ({_THEIR_SESSIONS}) LIMIT {ROWS_OF_A_PORTION}"

DELETE_SESSIONS = "DELETE FROM sessions WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))"

# One who is on a page at this moment has an event again: it goes with the next look.
DELETE_VISITORS = """
DELETE FROM visitors
WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.visitor_id = visitors.id)
  AND NOT EXISTS (
    SELECT 1 FROM tracking_events WHERE tracking_events.visitor_id = visitors.id
  )
"""

SOME_VISITORS = f"SELECT id FROM ({_THEIR_VISITORS}) LIMIT {ROWS_OF_A_PORTION}"

# ---- the old Worker's log ----------------------------------------------------------------------

_LOGS = f"""
  SELECT id, visitor_id, event_id, message, context FROM system_logs
  WHERE id > ?1 ->> 'after' ORDER BY id LIMIT {LOGS_OF_A_PAGE}
"""

LAST_LOG = f"SELECT max(id) AS last FROM ({_LOGS})"

LOGS_WITH_CLUE = f"""
SELECT
  id, message, context,
  coalesce(
    visitor_id IN (SELECT value FROM json_each(?1, '$.whole'))
    OR CAST(event_id AS INTEGER) IN (SELECT value FROM json_each(?1, '$.events')), 0
  ) AS is_theirs
FROM ({_LOGS})
WHERE is_theirs OR instr(lower(concat_ws(' ', message, context)), ?1 ->> 'clue')
"""

DELETE_LOGS = "DELETE FROM system_logs WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))"

# ---- keys --------------------------------------------------------------------------------------

# Forms of which KV may still know something: their timers, or the answers of the last day.
LATE_FORMS = f"""
SELECT id FROM tracking_events
WHERE id IN ({_THEIR_EVENTS}) AND event_type = 'form_submit'
  AND (pipedrive_sync_status IS NULL OR timestamp >= ?1 ->> 'week_ago')
"""
