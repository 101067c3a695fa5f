"""The analysis of the old Worker: which of the newest hundred events have UTM parameters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from services.core.ports import Database, Row
from services.core.stored_time import format_stored_time
from services.core.text import read_object
from services.reports.utm_analysis import HOURS
from services.tracking.attribution import read_touch

MAX_EVENTS = 100
MAX_SAMPLES = 10
LOW_CAPTURE_PERCENT = 50

# By the primary key: only the newest rows are read, however many there are.
NEWEST_EVENTS = f"""
SELECT * FROM (
  SELECT
    id, event_type, page_url, utm_source, utm_medium, utm_campaign, gclid,
    coalesce(gclid, fbclid, msclkid) AS click_id, form_data IS NOT NULL AS has_form_data,
    pipedrive_sync_status, created_at, browser_data, user_agent
  FROM tracking_events WHERE id > 0 ORDER BY id DESC LIMIT {MAX_EVENTS}
) WHERE created_at >= ?1 ->> 'since'
"""


async def read_legacy_analysis(database: Database, now: datetime) -> Mapping[str, object]:
    """Reads `analysis` and `recommendations` as the old Worker answered them.

    Raises:
        UnavailableError: D1 failed.
    """
    since = format_stored_time(now - timedelta(hours=HOURS))
    [events] = await database.batch_rows((NEWEST_EVENTS,), json.dumps({"since": since}))
    analysis = analyse(events)
    return {"analysis": analysis, "recommendations": _recommendations(analysis)}


def analyse(events: Sequence[Row]) -> Mapping[str, object]:
    """Count the events with UTM parameters, click IDs and forms, the newest ten as samples."""
    total, with_utm = len(events), sum(map(_has_utm, events))
    forms = sum(bool(event["has_form_data"]) for event in events)
    to_pipedrive = sum(
        bool(event["has_form_data"]) or event["event_type"] == "form_submit" for event in events
    )
    sources = Counter(event["utm_source"] for event in events if event["utm_source"])
    hosts = Counter(host for event in events if (host := _host(event["page_url"])))
    return {
        "total_events": total,
        "events_with_utm": with_utm,
        "events_with_gclid": sum(bool(event["click_id"]) for event in events),
        "events_with_form_data": forms,
        "events_sent_to_pipedrive": to_pipedrive,
        "utm_sources": dict(sources),
        "page_url_analysis": dict(hosts),
        "missing_utm_with_params": sum(
            _names_source(event) and not event["utm_source"] for event in events
        ),
        "sample_events": [_sample(event) for event in events[:MAX_SAMPLES]],
        "utm_capture_rate": _percent(with_utm, total),
        "pipedrive_delivery_rate": _percent(to_pipedrive, forms),
    }


def _recommendations(analysis: Mapping[str, object]) -> list[str]:
    missing, rate = analysis["missing_utm_with_params"], analysis["utm_capture_rate"]
    sentences = []
    if missing:
        sentences.append(
            f"{missing} events have UTM parameters in their address that were not stored:"
            " look at `unstored` in data"
        )
    if isinstance(rate, int) and rate < LOW_CAPTURE_PERCENT:
        sentences.append(f"Low UTM capture rate ({rate}%): most visitors came without parameters")
    if not analysis["events_with_utm"]:
        sentences.append("No UTM parameters in the last 48 hours: check the links of the campaigns")
    return sentences


def _sample(event: Row) -> Mapping[str, object]:
    browser = read_object(event["browser_data"])
    names = ("id", "page_url", "utm_source", "utm_medium", "utm_campaign", "gclid")
    return {
        **{name: event[name] for name in names},
        "has_form_data": bool(event["has_form_data"]),
        "created_at": event["created_at"],
        "url_has_utm": _names_utm(event),
        # The old Worker stored the user agent in it, too.
        "browser_data": {"user_agent": event["user_agent"], **browser} if browser else None,
    }


def _has_utm(event: Row) -> bool:
    return any(event[name] for name in ("utm_source", "utm_medium", "utm_campaign"))


def _names_utm(event: Row) -> bool:
    return "utm_" in (event["page_url"] or "")


def _names_source(event: Row) -> bool:
    touch = read_touch(event["page_url"] or "", "page_url")
    return touch is not None and touch.utm_source is not None


def _host(page_url: str | None) -> str | None:
    try:
        return urlsplit(page_url or "").hostname
    except ValueError:
        return None


def _percent(part: int, total: int) -> int:
    return (200 * part + total) // (2 * total) if total else 0
