"""The statements that find, count, export and delete the rows of one person.

All read one JSON text (`?1`). `whole` are the visitors whose every event is the person's, `events`
the ids of events that contain their address. The tables are large, so that every statement uses an
index and reads one page.
"""

from __future__ import annotations

from services.core.pending_leads import IS_UNSETTLED

FORM_PAGE_ROWS = 5_000
ERASURE_BATCH_ROWS = 1_000
VISITOR_PAGE_ROWS = 2_000
LOG_PAGE_ROWS = 5_000

# The ids of rows in a note of an erasure are those of this database.
DATABASE_ID = "SELECT id FROM database_identity WHERE ?1 IS NOT NULL"

# ---- rows with the address ---------------------------------------------------------------------


def _in_url(column: str) -> str:
    text = f"lower({column})"
    return f"(instr({text}, ?1 ->> 'clue') OR instr({text}, ?1 ->> 'url_clue'))"


_FORM_COLUMNS = (
    "id, pixel_id, visitor_id, form_data, event_data, page_url, referrer_url, page_title"
)
_SUBMITTED = "event_type = 'form_submit'"
# The old Worker stored the fields of a form with whatever type the page gave the event.
_OTHER_FORM = "form_data IS NOT NULL AND event_type IS NOT 'form_submit'"

# Each of the two has at most a page of its own, or the second one would be read to its end.
_FORM_PAGE = f"""
  SELECT {_FORM_COLUMNS} FROM (
    SELECT {_FORM_COLUMNS} FROM tracking_events INDEXED BY tracking_events_by_form
    WHERE {_SUBMITTED} AND id > ?1 ->> 'after'
    ORDER BY id LIMIT {FORM_PAGE_ROWS}
  )
  UNION ALL
  SELECT {_FORM_COLUMNS} FROM (
    SELECT {_FORM_COLUMNS} FROM tracking_events INDEXED BY tracking_events_by_other_form
    WHERE {_OTHER_FORM} AND id > ?1 ->> 'after'
    ORDER BY id LIMIT {FORM_PAGE_ROWS}
  )
  ORDER BY id LIMIT {FORM_PAGE_ROWS}
"""

END_OF_FORM_PAGE = f"SELECT max(id) AS last FROM ({_FORM_PAGE})"

# Old rows have forms of any shape; Python reads those with a clue.
FORMS_WITH_CLUE = f"""
SELECT * FROM ({_FORM_PAGE})
WHERE instr(lower(form_data), ?1 ->> 'clue') OR {_in_url("page_url")}
"""

# All forms of some visitors, which tell whether another person used the browser too, and the other
# events with a clue.
FORMS_AND_MENTIONS_OF_VISITORS = f"""
SELECT
  tracking_events.id, pixel_id, tracking_events.visitor_id, event_type, form_data, event_data,
  page_url, referrer_url, page_title
FROM json_each(?1, '$.visitors') AS visitor
JOIN tracking_events ON tracking_events.visitor_id = visitor.value
WHERE tracking_events.id > ?1 ->> 'after' AND (
  {_SUBMITTED} OR form_data IS NOT NULL
  OR instr(lower(event_data), ?1 ->> 'clue')
  OR {_in_url("page_url")} OR {_in_url("referrer_url")}
  OR instr(lower(page_title), ?1 ->> 'clue')
)
ORDER BY tracking_events.id LIMIT {VISITOR_PAGE_ROWS}
"""

VISITOR_OF_COOKIE = "SELECT id FROM visitors WHERE visitor_cookie = ?1 ->> 'visitor_cookie'"

COOKIES_OF_VISITORS = """
SELECT visitors.visitor_cookie FROM json_each(?1, '$.whole') AS whole
JOIN visitors ON visitors.id = whole.value
"""

# ---- rows of the person ------------------------------------------------------------------------

PIXELS_OF_PROJECTS = """
SELECT id FROM pixels WHERE project_id IN (SELECT value FROM json_each(?1, '$.projects'))
"""


def _is_within(table: str) -> str:
    """Whether a row is of a pixel to which the search is limited, if it is."""
    pixels = "SELECT value FROM json_each(?1, '$.within')"
    return f"(?1 ->> 'within' IS NULL OR coalesce({table}.pixel_id IN ({pixels}), 0))"


def _is_only_within(table: str, rows: str) -> str:
    """Whether the search is limited to no pixels, or these rows of a table are of no other."""
    row_outside = f"SELECT 1 FROM {table} WHERE {rows} AND NOT {_is_within(table)}"
    return f"(?1 ->> 'within' IS NULL OR NOT EXISTS ({row_outside}))"


_SUBJECT_EVENTS = f"""
  SELECT tracking_events.id FROM json_each(?1, '$.events') AS each
  JOIN tracking_events ON tracking_events.id = each.value
  UNION
  SELECT tracking_events.id FROM json_each(?1, '$.whole') AS whole
  JOIN tracking_events ON tracking_events.visitor_id = whole.value
  WHERE {_is_within("tracking_events")}
"""
_EVENTS_OF_SESSION = """
  tracking_events.visitor_id = sessions.visitor_id AND tracking_events.session_id = sessions.id
"""
# What other projects need of a browser stays theirs.
_SUBJECT_SESSIONS = f"""
  SELECT sessions.id FROM json_each(?1, '$.whole') AS whole
  JOIN sessions ON sessions.visitor_id = whole.value
  WHERE {_is_within("sessions")} AND {_is_only_within("tracking_events", _EVENTS_OF_SESSION)}
"""
_SUBJECT_VISITORS = f"""
  SELECT visitors.id FROM json_each(?1, '$.whole') AS whole
  JOIN visitors ON visitors.id = whole.value
  WHERE {_is_only_within("sessions", "sessions.visitor_id = visitors.id")}
    AND {_is_only_within("tracking_events", "tracking_events.visitor_id = visitors.id")}
"""
# The claims of the sync for the events, archived forms included.
_SUBJECT_PERSONS = f"""
  SELECT persons.destination, persons.person_id FROM (
    {_SUBJECT_EVENTS} UNION SELECT value FROM json_each(?1, '$.forms')
  ) AS theirs
  JOIN pipedrive_persons AS persons ON persons.claimed_event_id = theirs.id
"""

COUNT_EVENTS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_SUBJECT_EVENTS}))
"""

COUNT_SESSIONS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_SUBJECT_SESSIONS}))
"""

COUNT_VISITORS = f"""
SELECT count(*) AS number, json_group_array(id) FILTER (WHERE place <= ?1 ->> 'most') AS ids
FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ({_SUBJECT_VISITORS}))
"""

COUNT_PERSONS = f"""
SELECT
  count(*) AS number,
  json_group_array(json_object('destination', destination, 'person_id', person_id)) AS ids
FROM ({_SUBJECT_PERSONS})
"""

PROJECTS_OF_EVENTS = f"""
SELECT DISTINCT coalesce(events.project_id, pixels.project_id) AS project_id
FROM ({_SUBJECT_EVENTS}) AS theirs
JOIN tracking_events AS events ON events.id = theirs.id
LEFT JOIN pixels ON pixels.id = events.pixel_id
UNION
SELECT pixels.project_id FROM json_each(?1, '$.pixels') AS archived
JOIN pixels ON pixels.id = archived.value
ORDER BY 1
"""

# ---- exported pages ----------------------------------------------------------------------------

EXPORT_VISITORS = f"""
SELECT * FROM visitors WHERE id IN ({_SUBJECT_VISITORS}) AND id > ?1 ->> 'after'
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_SESSIONS = f"""
SELECT * FROM sessions WHERE id IN ({_SUBJECT_SESSIONS}) AND id > ?1 ->> 'after'
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_EVENTS = f"""
SELECT * FROM tracking_events
WHERE id IN ({_SUBJECT_EVENTS}) AND id > CAST(?1 ->> 'after' AS INTEGER)
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_LOGS = """
SELECT * FROM system_logs
WHERE id IN (SELECT value FROM json_each(?1, '$.logs')) AND id > CAST(?1 ->> 'after' AS INTEGER)
ORDER BY id LIMIT ?1 ->> 'rows'
"""

EXPORT_PERSONS = f"""
SELECT persons.* FROM ({_SUBJECT_PERSONS}) AS theirs
JOIN pipedrive_persons AS persons
  ON persons.destination = theirs.destination AND persons.person_id = theirs.person_id
"""

# ---- deleted -----------------------------------------------------------------------------------

# A lead that the sync has leased stays until the lease ends: the sync would otherwise write it to
# the person in Pipedrive after the receipt.
_IS_LEASED = f"""
  {IS_UNSETTLED} AND pipedrive_lease IS NOT NULL AND pipedrive_due_at > ?1 ->> 'now'
"""

# UNION ALL stops at the limit; an id that comes twice is deleted once.
NEXT_EVENTS = f"""
SELECT id FROM (
  SELECT tracking_events.id FROM json_each(?1, '$.events') AS each
  JOIN tracking_events ON tracking_events.id = each.value
  WHERE NOT coalesce({_IS_LEASED}, 0)
  UNION ALL
  SELECT tracking_events.id FROM json_each(?1, '$.whole') AS whole
  JOIN tracking_events ON tracking_events.visitor_id = whole.value
  WHERE NOT coalesce({_IS_LEASED}, 0) AND {_is_within("tracking_events")}
) LIMIT {ERASURE_BATCH_ROWS}
"""

LEASED_UNTIL = f"""
SELECT count(*) AS number, max(pipedrive_due_at) AS until FROM tracking_events
WHERE id IN ({_SUBJECT_EVENTS}) AND {_IS_LEASED}
"""

DELETE_EVENTS = f"""
DELETE FROM tracking_events
WHERE id IN (SELECT value FROM json_each(?1, '$.ids')) AND NOT coalesce({_IS_LEASED}, 0)
"""

DELETE_PERSONS = """
DELETE FROM pipedrive_persons
WHERE claimed_event_id IN (SELECT value FROM json_each(?1, '$.ids'))
  AND NOT EXISTS (SELECT 1 FROM tracking_events WHERE id = claimed_event_id)
"""

NEXT_SESSIONS = f"SELECT id FROM ({_SUBJECT_SESSIONS}) LIMIT {ERASURE_BATCH_ROWS}"

# A session that has a new event stays, as a trigger demands; the next pass deletes both.
DELETE_SESSIONS = f"""
DELETE FROM sessions
WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
  AND NOT EXISTS (SELECT 1 FROM tracking_events WHERE {_EVENTS_OF_SESSION})
"""

# A visitor who is active now may have a new event; the next pass deletes it.
DELETE_VISITORS = """
DELETE FROM visitors
WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))
  AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.visitor_id = visitors.id)
  AND NOT EXISTS (
    SELECT 1 FROM tracking_events WHERE tracking_events.visitor_id = visitors.id
  )
"""

NEXT_VISITORS = f"SELECT id FROM ({_SUBJECT_VISITORS}) LIMIT {ERASURE_BATCH_ROWS}"

# ---- the old Worker's log ----------------------------------------------------------------------

_LOG_PAGE = f"""
  SELECT id, visitor_id, event_id, message, context FROM system_logs
  WHERE id > ?1 ->> 'after' ORDER BY id LIMIT {LOG_PAGE_ROWS}
"""

END_OF_LOG_PAGE = f"SELECT max(id) AS last FROM ({_LOG_PAGE})"

LOGS_WITH_CLUE = f"""
SELECT
  id, message, context,
  coalesce(
    visitor_id IN (SELECT value FROM json_each(?1, '$.whole'))
    OR CAST(event_id AS INTEGER) IN (SELECT value FROM json_each(?1, '$.events')), 0
  ) AS is_theirs
FROM ({_LOG_PAGE})
WHERE is_theirs OR instr(lower(concat_ws(' ', message, context)), ?1 ->> 'clue')
"""

DELETE_LOGS = "DELETE FROM system_logs WHERE id IN (SELECT value FROM json_each(?1, '$.ids'))"

# ---- keys --------------------------------------------------------------------------------------

# Forms that KV may still hold a timer or a response of.
RECENT_FORMS = f"""
SELECT id FROM tracking_events
WHERE id IN ({_SUBJECT_EVENTS}) AND ({_SUBMITTED} OR form_data IS NOT NULL)
  AND (pipedrive_sync_status IS NULL OR timestamp >= ?1 ->> 'week_ago')
"""
