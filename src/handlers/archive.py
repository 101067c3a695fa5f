"""`POST /api/archive`: stores batches that the archive of another deployment sends."""

from __future__ import annotations

from app import App
from handlers.json_api import answer_refusals
from services.archive.received import read_received_batch, store_batch
from services.core.logs import Log
from web import Request, Response, json_response

# 3 MiB of events and their envelope (`services/archive/archive_run.py`).
MAX_BATCH_BYTES = 4 * 2**20


@answer_refusals
async def receive(app: App, request: Request, log: Log) -> Response:
    """Stores a batch of events in R2 and acknowledges their ids; a repeated one is stored once."""
    batch = read_received_batch(await request.text(MAX_BATCH_BYTES))
    is_new = await store_batch(app.bucket, batch)
    ids = batch.part.ids
    log.info("archive_received", batch=batch.name, events=len(ids), new=is_new)
    data = {"batch": batch.name, "acknowledged": ids}
    return json_response({"success": True, "data": data})
