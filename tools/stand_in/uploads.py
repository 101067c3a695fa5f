"""Uploads of Workers: their modules become files, and they must start before they are a version."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from stand_in.account import SECRET, CloudWorker, Deployment, Version
from stand_in.assets import write_assets
from stand_in.cloud import Cloud, local_flags, new_id, new_tag, now_text
from stand_in.multipart import Part
from stand_in.refusals import RefusedCallError, invalid_upload
from stand_in.requests import ApiRequest
from stand_in.starting import StartError, check_start

SOURCE_MAP = "application/source-map"
MAX_BYTES, MAX_COMPRESSED_BYTES = 64 * 1024**2, 10 * 1024**2


def upload_script(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Upload a Worker with all the traffic, and apply its Durable Object migrations (PUT)."""
    worker = cloud.account.workers.get(name) or CloudWorker(name, new_tag(), now_text())
    metadata = _metadata(request.parts())
    _check_migrations(worker, metadata.get("migrations"))
    version = _new_version(cloud, worker, request.parts(), "upload")
    _apply_migrations(worker, version, metadata.get("migrations"))
    _check_classes(cloud, worker, version)
    cloud.account.workers[name] = worker
    worker.versions.append(version)
    deploy_version(cloud, worker, version, version.annotations)
    return {
        "id": name,
        "tag": worker.tag,
        "etag": new_tag(),
        "deployment_id": version.id.replace("-", ""),
        "startup_time_ms": 20,
        "created_on": worker.created_on,
        "modified_on": version.created_on,
        "migration_tag": worker.migration_tag,
    }


def upload_version(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Upload a version without traffic (POST)."""
    worker = cloud.worker(name)
    if _metadata(request.parts()).get("migrations"):
        raise RefusedCallError(
            HTTPStatus.BAD_REQUEST,
            10211,
            "Version upload failed. You attempted to upload a version of a Worker that includes a "
            "Durable Object migration, but migrations must be fully applied by running `wrangler "
            "deploy`.",
        )
    version = _new_version(cloud, worker, request.parts(), "version_upload")
    _check_classes(cloud, worker, version)
    worker.versions.append(version)
    cloud.save()
    return {**describe_version(version), "startup_time_ms": 20}


def deploy_version(
    cloud: Cloud, worker: CloudWorker, version: Version, annotations: Mapping[str, str]
) -> None:
    """Give one version all the traffic."""
    deploy_shares(cloud, worker, {version.id: 100}, annotations)


def deploy_shares(
    cloud: Cloud, worker: CloudWorker, shares: Mapping[str, float], annotations: Mapping[str, str]
) -> None:
    """Make a deployment; workerd starts anew only if other versions are to run."""
    running = worker.deployments[-1].shares if worker.deployments else {}
    worker.deployments.append(Deployment(new_id(), now_text(), dict(shares), dict(annotations)))
    if set(shares) <= set(running):
        cloud.share_traffic()
    else:
        cloud.restart()


def copy_version(
    worker: CloudWorker, bindings: Sequence[Mapping[str, Any]], message: str
) -> Version:
    """Return a new version of the same code as the latest one, with other bindings."""
    latest = worker.versions[-1]
    annotations = {"workers/message": message, "workers/triggered_by": "secret"}
    fields = {**vars(latest), "id": new_id(), "number": latest.number + 1}
    return Version(
        **fields | {"created_on": now_text(), "bindings": [*bindings], "annotations": annotations}
    )


def describe_version(version: Version) -> dict[str, object]:
    """Describe a version as the API does; of secrets only the names."""
    return {
        "id": version.id,
        "number": version.number,
        "annotations": version.annotations,
        "metadata": {
            "created_on": version.created_on,
            "modified_on": version.created_on,
            "author_email": "rehearsal@example.com",
            "author_id": "0" * 32,
            "source": version.source,
            "has_preview": False,
        },
        "resources": {
            "script": {"etag": version.id.replace("-", ""), "handlers": ["fetch", "scheduled"]},
            "script_runtime": {
                "compatibility_date": version.compatibility_date,
                "compatibility_flags": version.compatibility_flags,
                "migration_tag": version.migration_tag,
                "usage_model": "standard",
            },
            "bindings": [
                {name: text for name, text in binding.items() if name != "text"}
                if binding["type"] == SECRET
                else binding
                for binding in version.bindings
            ],
        },
    }


def _metadata(parts: Sequence[Part]) -> dict[str, Any]:
    try:
        [part] = [part for part in parts if part.name == "metadata"]
        metadata: dict[str, Any] = json.loads(part.content)
    except ValueError:
        raise invalid_upload("the upload has no metadata") from None
    return metadata


def _new_version(cloud: Cloud, worker: CloudWorker, parts: Sequence[Part], source: str) -> Version:
    """Write the files of an upload, let it start, and return its version.

    Raises:
        RefusedCallError: it is too large, binds what does not exist, or does not start.
    """
    metadata = _metadata(parts)
    version_id = new_id()
    folder = cloud.folder / "versions" / version_id
    modules = [part for part in parts if part.name != "metadata" and part.media_type != SOURCE_MAP]
    _check_size(modules)
    written = [_write_module(folder / "modules", part) for part in modules]
    bindings = [*metadata.get("bindings", []), *_inherited(worker, metadata)]
    for binding in bindings:
        _check_binding(cloud, binding)
    main = metadata.get("main_module", "")
    version = Version(
        id=version_id,
        number=worker.versions[-1].number + 1 if worker.versions else 1,
        created_on=now_text(),
        main=main,
        modules=sorted(written, key=lambda module: module["name"] != main),
        bindings=[binding for binding in bindings if binding["type"] != "assets"],
        compatibility_date=metadata.get("compatibility_date", "2021-11-02"),
        compatibility_flags=metadata.get("compatibility_flags", []),
        annotations={k: v for k, v in (metadata.get("annotations") or {}).items() if v},
        source="wrangler",
        migration_tag=worker.migration_tag,
        files=version_id,
        assets=write_assets(cloud, folder / "assets", metadata.get("assets")),
    )
    version.annotations |= {"workers/triggered_by": source}
    try:
        check_start(folder / "modules", version, local_flags(version.compatibility_flags))
    except StartError as error:
        raise invalid_upload(str(error)) from None
    return version


def _check_size(modules: Sequence[Part]) -> None:
    size = sum(len(part.content) for part in modules)
    if size > MAX_BYTES or len(gzip.compress(b"".join(part.content for part in modules), 1)) > (
        MAX_COMPRESSED_BYTES
    ):
        raise RefusedCallError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            10027,
            f"Your Worker exceeded the size limit of 10 MiB after compression ({size:,} bytes).",
        )


def _write_module(folder: Path, part: Part) -> dict[str, str]:
    file = (folder / part.name).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise invalid_upload(f"the module {part.name} lies outside of the Worker")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(part.content)
    return {"name": part.name, "type": part.media_type}


def _inherited(worker: CloudWorker, metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the bindings that an upload keeps of the latest version."""
    inherited_types = metadata.get("keep_bindings", [])
    sent = {binding["name"] for binding in metadata.get("bindings", [])}
    latest = worker.versions[-1].bindings if worker.versions else []
    for entry in latest:
        # Nobody could check what Cloudflare does: so the stricter of two that are told of.
        if entry["type"] == SECRET and entry["type"] in inherited_types and entry["name"] in sent:
            raise RefusedCallError(
                HTTPStatus.BAD_REQUEST,
                10053,
                f"Binding name '{entry['name']}' already in use. Please use a different name and "
                "try again.",
            )
    return [
        entry for entry in latest if entry["type"] in inherited_types and entry["name"] not in sent
    ]


def _check_binding(cloud: Cloud, binding: Mapping[str, Any]) -> None:
    match binding["type"]:
        case "d1":
            if not cloud.account.database(binding["id"]):
                raise invalid_upload(
                    f"binding {binding['name']} of type d1 must have a valid `id` specified"
                )
        case "r2_bucket":
            if binding["bucket_name"] not in cloud.account.buckets:
                raise RefusedCallError(
                    HTTPStatus.BAD_REQUEST,
                    10085,
                    f"R2 bucket '{binding['bucket_name']}' not found.",
                )
        case "kv_namespace":
            if binding["namespace_id"] not in cloud.account.namespaces:
                raise RefusedCallError(
                    HTTPStatus.BAD_REQUEST,
                    10041,
                    f"KV namespace '{binding['namespace_id']}' is not valid.",
                )


def _check_migrations(worker: CloudWorker, migrations: Mapping[str, Any] | None) -> None:
    if migrations and migrations.get("old_tag") != worker.migration_tag:
        raise RefusedCallError(
            HTTPStatus.PRECONDITION_FAILED,
            10079,
            "migration tag precondition failed; current tag is "
            f"{worker.migration_tag}, the upload expects {migrations.get('old_tag')}",
        )


def _apply_migrations(
    worker: CloudWorker, version: Version, migrations: Mapping[str, Any] | None
) -> None:
    for step in (migrations or {}).get("steps", []):
        for name in (*step.get("new_classes", []), *step.get("new_sqlite_classes", [])):
            if name in worker.classes:
                raise RefusedCallError(
                    HTTPStatus.BAD_REQUEST,
                    10074,
                    f"Cannot apply new-class migration to class {name} that is already depended on "
                    "by existing Durable Objects",
                )
            worker.classes.append(name)
        for name in step.get("deleted_classes", []):
            worker.classes.remove(name)
    if migrations:
        worker.migration_tag = migrations["new_tag"]
        version.migration_tag = worker.migration_tag


def _check_classes(cloud: Cloud, worker: CloudWorker, version: Version) -> None:
    main = cloud.folder / "versions" / version.files / "modules" / version.main
    text = main.read_text(encoding="utf-8")
    for name in worker.classes:
        # Whatever the language, a main module that exports a class names it.
        if not re.search(rf"\b{re.escape(name)}\b", text):
            raise RefusedCallError(
                HTTPStatus.BAD_REQUEST,
                10064,
                f"New version of script does not export class '{name}' which is depended on by "
                "existing Durable Objects. If you want to delete the Durable Object's data, use a "
                "delete-class migration.",
            )
    for binding in version.bindings:
        if binding["type"] == "durable_object_namespace" and not binding.get("script_name"):
            name = binding["class_name"]
            if name not in worker.classes:
                raise RefusedCallError(
                    HTTPStatus.BAD_REQUEST,
                    10061,
                    f"Cannot create binding for class '{name}' because it is not currently "
                    "configured to implement Durable Objects. Did you forget to apply a migration?",
                )
