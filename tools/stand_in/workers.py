"""Workers as the API shows them: services, versions, deployments, secrets, triggers, tails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from stand_in.account import SECRET, ZONE_ID, CloudWorker, Deployment
from stand_in.cloud import Cloud, new_tag
from stand_in.refusals import RefusedCallError, no_version
from stand_in.requests import ApiRequest
from stand_in.uploads import copy_version, deploy_shares, deploy_version, describe_version

FULL_TRAFFIC = 100
MAX_VERSIONS_PER_DEPLOYMENT = 2
LISTED_DEPLOYMENTS = 10


def show_service(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show a Worker as wrangler asks for it before an upload."""
    worker = cloud.worker(name)
    script: dict[str, object] = {
        "id": name,
        "tag": worker.tag,
        "tags": [],
        "migration_tag": worker.migration_tag,
        "last_deployed_from": "wrangler",
        "created_on": worker.created_on,
    }
    return {"id": name, "default_environment": {"environment": "production", "script": script}}


def show_worker(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show a Worker with its subdomain."""
    worker = cloud.worker(name)
    return {"id": worker.tag, "name": name, "subdomain": worker.subdomain, "tags": []}


def list_versions(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """List the versions, the newest first."""
    versions = cloud.worker(name).versions[::-1]
    return {"items": [describe_version(version) for version in versions[:LISTED_DEPLOYMENTS]]}


def show_version(cloud: Cloud, _: ApiRequest, name: str, version_id: str) -> object:
    """Show one version."""
    version = cloud.worker(name).version(version_id)
    if version is None:
        raise no_version(version_id)
    return describe_version(version)


def list_deployments(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """List the last deployments, the newest first."""
    deployments = cloud.worker(name).deployments[: -LISTED_DEPLOYMENTS - 1 : -1]
    return {"deployments": [_describe_deployment(entry) for entry in deployments]}


def create_deployment(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Give versions their shares of the traffic.

    Raises:
        RefusedCallError: the shares are no 100 %, a version is unknown, or lies behind a migration.
    """
    worker, body = cloud.worker(name), request.json()
    shares = {entry["version_id"]: entry["percentage"] for entry in body["versions"]}
    _check_shares(worker, shares)
    annotations = {key: text for key, text in (body.get("annotations") or {}).items() if text}
    deploy_shares(cloud, worker, shares, annotations)
    return _describe_deployment(worker.deployments[-1])


def _check_shares(worker: CloudWorker, shares: dict[str, float]) -> None:
    # The codes of the first two could not be checked.
    if len(shares) > MAX_VERSIONS_PER_DEPLOYMENT or sum(shares.values()) != FULL_TRAFFIC:
        raise RefusedCallError(
            HTTPStatus.BAD_REQUEST, 10142, "the shares of one or two versions must sum up to 100"
        )
    for version_id in shares:
        version = worker.version(version_id)
        if version is None:
            raise no_version(version_id)
        if version.migration_tag != worker.migration_tag:
            raise RefusedCallError(
                HTTPStatus.BAD_REQUEST,
                10210,
                f"Version {version_id} cannot be deployed: a Durable Object migration lies between "
                f"it and the current one ({version.migration_tag} → {worker.migration_tag})",
            )


def _describe_deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "created_on": deployment.created_on,
        "source": deployment.source,
        "strategy": "percentage",
        "author_email": "rehearsal@example.com",
        "annotations": deployment.annotations,
        "versions": [
            {"version_id": version, "percentage": share}
            for version, share in deployment.shares.items()
        ],
    }


# ---- secrets -------------------------------------------------------------------------------------


def list_secrets(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """List the names of the secrets of the version that runs."""
    worker = cloud.worker(name)
    secrets = worker.versions[-1].secrets if worker.versions else {}
    return [{"name": secret, "type": SECRET} for secret in secrets]


def put_secret(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Set a secret: a new version of the same code, with all the traffic."""
    body = request.json()
    _change_secrets(cloud, cloud.worker(name), {body["name"]: body["text"]})
    return {"name": body["name"], "type": SECRET}


def delete_secret(cloud: Cloud, _: ApiRequest, name: str, secret: str) -> None:
    """Delete a secret: a new version of the same code, with all the traffic."""
    worker = cloud.worker(name)
    secret = unquote(secret)
    if secret not in worker.versions[-1].secrets:
        raise RefusedCallError(HTTPStatus.NOT_FOUND, 10056, f"Secret {secret} not found")
    _change_secrets(cloud, worker, {secret: None})


def _change_secrets(cloud: Cloud, worker: CloudWorker, changes: dict[str, str | None]) -> None:
    latest = worker.versions[-1]
    if worker.deployments and worker.deployments[-1].shares != {latest.id: FULL_TRAFFIC}:
        raise RefusedCallError(
            HTTPStatus.BAD_REQUEST,
            10215,
            "Secret edit failed. You attempted to modify a secret, but the latest version of your "
            "Worker isn't currently deployed. Please ensure that the latest version of your Worker "
            "is fully deployed (wrangler versions deploy) before modifying secrets.",
        )
    for entry in latest.bindings:
        if entry["name"] in changes and entry["type"] != SECRET:
            raise RefusedCallError(
                HTTPStatus.BAD_REQUEST,
                10053,
                f"Binding name '{entry['name']}' already in use. Please use a different name and "
                "try again.",
            )
    rest = [entry for entry in latest.bindings if entry["name"] not in changes]
    new = [
        {"type": SECRET, "name": secret, "text": text}
        for secret, text in changes.items()
        if text is not None
    ]
    version = copy_version(worker, [*rest, *new], "secrets changed")
    worker.versions.append(version)
    deploy_version(cloud, worker, version, version.annotations)


# ---- triggers and tails --------------------------------------------------------------------------


def set_subdomain(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Switch the address at workers.dev on or off."""
    worker, body = cloud.worker(name), request.json()
    worker.subdomain = {key: bool(body.get(key)) for key in ("enabled", "previews_enabled")}
    cloud.save()
    return worker.subdomain


def show_subdomain(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show whether the address at workers.dev is on."""
    return cloud.worker(name).subdomain


def set_routes(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Replace the routes of a Worker."""
    worker = cloud.worker(name)
    worker.routes = request.json()
    cloud.share_traffic()
    return [route["pattern"] for route in worker.routes]


def list_routes(cloud: Cloud, _request: ApiRequest, zone: str) -> object:
    """List the routes of a zone."""
    return [
        {"id": new_tag(), "pattern": route["pattern"], "script": worker.name}
        for worker in cloud.account.workers.values()
        for route in worker.routes
        if zone == ZONE_ID
    ]


def set_crons(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Replace the cron triggers of a Worker."""
    worker = cloud.worker(name)
    worker.crons = [entry["cron"] for entry in request.json()]
    cloud.save()
    return show_crons(cloud, request, name)


def show_crons(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show the cron triggers of a Worker."""
    return {"schedules": [{"cron": cron} for cron in cloud.worker(name).crons]}


def change_settings(cloud: Cloud, request: ApiRequest, name: str) -> object:
    """Take settings that are no part of a version, as observability; they have no effect here."""
    cloud.worker(name)
    return request.json()


def start_tail(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Give the address at which the log of a Worker is followed."""
    cloud.worker(name)
    tail = new_tag()
    address = cloud.runtime.bridge.replace("http:", "ws:")
    end = datetime.now(UTC) + timedelta(hours=6)
    return {"id": tail, "url": f"{address}/tail/{name}/{tail}", "expires_at": end.isoformat()}


def end_tail(_cloud: Cloud, _: ApiRequest, _name: str, _tail: str) -> None:
    """End a tail; its connection is closed by whoever opened it."""
