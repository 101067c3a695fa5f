"""Objects under `waiting/`, as the Worker writes them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.core.ports import KeyPage
from services.core.request_origin import Location, RequestOrigin
from services.tracking.events import check_event
from services.tracking.waiting_room import WaitingEvent, WaitingRoom
from tests.harness.worker import BROWSER, some_event

ORIGIN = RequestOrigin("192.0.2.1", BROWSER, Location("CH", "Zurich", "Zürich"))


class _Objects:
    """R2 that keeps what is put into it."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    async def get_each(self, keys: Sequence[str]) -> Sequence[bytes | None]:
        return [self.objects.get(key) for key in keys]

    async def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    async def delete(self, keys: Sequence[str]) -> None:
        raise AssertionError("nothing is deleted", keys)

    async def page(self, _prefix: str, _cursor: str | None) -> KeyPage:
        return KeyPage([], None)


def waiting_objects(
    events: int, event_type: str = "pageview", prefix: str = "waits"
) -> dict[str, bytes]:
    """Events of some visitors that arrived one after the other, an hour ago."""
    objects = _Objects()
    room = WaitingRoom(objects, lambda: "")
    began_at = datetime.now(UTC) - timedelta(hours=1)
    for number in range(events):
        visitor = hashlib.sha256(f"{prefix}{number // 3}".encode()).hexdigest()[:16]
        fields = some_event(
            visitor_cookie=visitor, event_type=event_type, event_key=f"{prefix}-event-{number:06}"
        )
        if event_type == "form_submit":
            fields["form_data"] = {"email": f"person{number}@example.com"}
        event = check_event(fields, visitor)
        received_at = began_at + timedelta(milliseconds=50 * number)
        asyncio.run(room.add(WaitingEvent(event, ORIGIN, received_at, declines=False)))
    return objects.objects
