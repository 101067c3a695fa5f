"""`POST /api/archive`: keeps what the archive of another deployment sends."""

from __future__ import annotations

from app import App
from handlers.refusals import refusing
from services.archive.received import keep, read_received
from services.core.logs import Log
from web import Request, Response, json_response

# 3 MiB of events with what stands around them (`services/archive/archive_run.py`).
MAX_BYTES = 4 * 2**20


@refusing
async def receive(app: App, request: Request, log: Log) -> Response:
    """Keeps a batch of events in R2 and acknowledges them; the same batch once."""
    received = read_received(await request.text(MAX_BYTES))
    is_new = await keep(app.bucket, received)
    part = received.part
    log.info("archive_received", batch=received.batch, events=len(part.lines), new=is_new)
    data = {"batch": received.batch, "acknowledged": part.ids}
    return json_response({"success": True, "data": data})
