"""An event as one line of JSON or CSV: SQL makes it from a row, Python from an archived line.

Both make the same line of the same event.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from services.core.click_ids import CLICK_ID_COLUMNS
from services.core.json_lines import joined, json_line
from services.core.text import FORMULA_SIGNS

# All columns of an event, first those that the old Worker exported, in its order. A test compares
# them with the table.
COLUMNS = (
    *("id", "event_type", "page_url", "referrer_url", "page_title"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("country", "timestamp", "created_at"),
    *(
        "project_id",
        "pixel_id",
        "visitor_id",
        "session_id",
        "custom_utm",
        "user_agent",
        "ip_address",
    ),
    *("region", "city", "browser_data", "device_data", "viewport_data"),
    *("zapier_sent", "zapier_sent_at", "archived", "form_data"),
    *("campaign_region", "ad_group", "ad_id", "search_query"),
    *("gclid", "fbclid", "msclkid", "ttclid", "twclid", "li_fat_id", "sc_click_id"),
    *("pipedrive_sync_status", "pipedrive_sync_at", "pipedrive_person_id"),
    *("pipedrive_retry_count", "pipedrive_last_retry_at", "event_key", "touch_origin"),
    *("pipedrive_due_at", "pipedrive_lease", "pipedrive_sync_reason"),
    *("visitor_sequence", "form_outcome", "event_name", "event_data", "click_ids"),
    "suspicious",
)

# Columns that name or describe a person, by what they are for. A title greets people by name.
PERSONAL_COLUMNS = (
    *("user_agent", "ip_address", "form_data", "event_data", "page_title", "custom_utm"),
    *("pipedrive_person_id", "pipedrive_sync_reason"),
)
# One click of one person, by which its network knows who that is: only that there was one is shown.
MASKED_COLUMNS = (*CLICK_ID_COLUMNS, "click_ids")
# Addresses of pages are shown without their parameters, which on old thank-you pages are the fields
# of the form.
ADDRESS_COLUMNS = ("page_url", "referrer_url")
# Columns that may hold something of a person, since they come from a page or a browser.
CHECKED_COLUMNS = (
    *ADDRESS_COLUMNS,
    *("event_type", "event_name", "country", "region", "city"),
    *("browser_data", "device_data", "viewport_data"),
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"),
    *("campaign_region", "ad_group", "ad_id", "search_query"),
)

# Text that a spreadsheet would run as a formula gets an apostrophe.
_FORMULA = f"'{FORMULA_SIGNS}' || char(9, 10, 13)"


def _csv_cell(column: str) -> str:
    return f"""CASE
  WHEN {column} IS NULL THEN ''
  WHEN typeof({column}) <> 'text' THEN {column}
  ELSE '"' || iif({column} <> '' AND instr({_FORMULA}, substr({column}, 1, 1)), '''', '')
    || replace({column}, '"', '""') || '"'
END"""


JSON_LINE = json_line(COLUMNS)
CSV_LINE = joined([_csv_cell(column) for column in COLUMNS])

_FORMULA_STARTS = frozenset(f"{FORMULA_SIGNS}\t\n\r")


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


Event = dict[str, object]
Change = Callable[[Event], Mapping[str, object]]
"""Returns the members of an archived event that are shown otherwise than stored."""


def archived_json(stored: str, change: Change | None = None) -> str:
    """The line of JSON of an archived event, with null for columns that are younger than it."""
    event = json.loads(stored)
    if change is None and tuple(event) == COLUMNS:
        return stored
    complete = {column: event.get(column) for column in COLUMNS}
    changes = change(complete) if change else {}
    return json.dumps({**complete, **changes}, ensure_ascii=False, separators=(",", ":"))


def archived_csv(stored: str, change: Change | None = None) -> str:
    """The line of CSV of an archived event."""
    event = json.loads(stored, parse_int=_Number, parse_float=_Number)
    changes = change(event) if change else {}
    return ",".join(_cell(changes.get(column, event.get(column))) for column in COLUMNS)


def bare_address(value: str) -> str:
    """An address up to its parameters and its fragment."""
    return value.partition("#")[0].partition("?")[0]


def _cell(value: object) -> str:
    if not isinstance(value, str):
        return ""
    if isinstance(value, _Number):
        return value
    return text_cell(value)


def text_cell(value: str) -> str:
    """A text as a cell of CSV."""
    apostrophe = "'" if value[:1] in _FORMULA_STARTS else ""
    return f'"{apostrophe}{value.replace(chr(34), chr(34) * 2)}"'
