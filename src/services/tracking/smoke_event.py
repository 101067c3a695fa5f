"""The page view that `./ppp smoke` sends, and a deployment: it proves the way, and says nothing.

Where its pixel does not take it, it is not kept: nobody would ever come for it.
"""

from __future__ import annotations

from services.tracking.events import Event

VISITOR = "0" * 16
UNKNOWN_PIXEL = "ppp-no-such-pixel"


def is_smoke_event(event: Event) -> bool:
    """Whether a page view is that of a smoke test, by its visitor, whom chance does not make."""
    return event.visitor_cookie == VISITOR and event.lead is None and event.custom is None
