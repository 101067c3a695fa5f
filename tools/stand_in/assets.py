"""Static assets of an upload: a session asks for the files that are not there yet."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from stand_in.cloud import Cloud, new_tag
from stand_in.refusals import RefusedCallError, invalid_upload
from stand_in.requests import ApiRequest, RawAnswer

BUCKET_SIZE = 50


def open_session(cloud: Cloud, request: ApiRequest, _name: str) -> object:
    """Compare a manifest with the files that are there, and ask for the others."""
    manifest = request.json()["manifest"]
    hashes = dict.fromkeys(entry["hash"] for entry in manifest.values())
    missing = [entry for entry in hashes if not (_store(cloud) / entry).exists()]
    token = _token(cloud, manifest)
    buckets = [missing[at : at + BUCKET_SIZE] for at in range(0, len(missing), BUCKET_SIZE)]
    return {"jwt": token, "buckets": buckets}


def upload_files(cloud: Cloud, request: ApiRequest) -> RawAnswer | object:
    """Take files in base64; with the last ones comes the token for the upload of the Worker."""
    manifest = cloud.uploads.get(request.token)
    if manifest is None:
        raise RefusedCallError(HTTPStatus.UNAUTHORIZED, 10000, "Authentication error")
    _store(cloud).mkdir(parents=True, exist_ok=True)
    for part in request.parts():
        (_store(cloud) / part.name).write_bytes(base64.b64decode(part.content))
    hashes = [entry["hash"] for entry in manifest["manifest"].values()]
    is_complete = all((_store(cloud) / entry).exists() for entry in hashes)
    answer = {"jwt": request.token if is_complete else None}
    envelope = {"success": True, "errors": [], "messages": [], "result": answer}
    status = HTTPStatus.CREATED if is_complete else HTTPStatus.ACCEPTED
    return RawAnswer(json.dumps(envelope).encode(), status, {"Content-Type": "application/json"})


def write_assets(
    cloud: Cloud, folder: Path, assets: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Lay the assets of an upload out as files; None if it has none.

    Raises:
        RefusedCallError: its token is unknown.
    """
    if not assets:
        return None
    session = cloud.uploads.get(assets["jwt"])
    if session is None:
        raise invalid_upload("the assets' completion token is not valid")
    config = dict(assets.get("config") or {})
    for path, entry in session["manifest"].items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes((_store(cloud) / entry["hash"]).read_bytes())
    for name in ("_headers", "_redirects"):
        if config.get(name):
            (folder / name).write_text(config[name], encoding="utf-8")
    return {
        "config": {k: v for k, v in config.items() if k in {"html_handling", "not_found_handling"}}
    }


def _store(cloud: Cloud) -> Path:
    return cloud.folder / "assets"


def _token(cloud: Cloud, manifest: Mapping[str, Any]) -> str:
    """Return a token in the form of a JWT, whose claims wrangler reads."""
    claims = base64.urlsafe_b64encode(json.dumps({"session": new_tag()}).encode()).decode()
    token = f"e30.{claims.rstrip('=')}.{new_tag()}"
    cloud.uploads[token] = {"manifest": manifest}
    return token
