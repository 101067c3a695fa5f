"""R2 and KV as the API shows them."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import unquote

from stand_in.cloud import Cloud, new_tag, now_text
from stand_in.refusals import RefusedCallError, no_object
from stand_in.requests import ApiRequest, Paged, RawAnswer


def list_buckets(cloud: Cloud, _: ApiRequest) -> object:
    """List the buckets."""
    return {"buckets": [_bucket(name) for name in cloud.account.buckets]}


def create_bucket(cloud: Cloud, request: ApiRequest) -> object:
    """Create an empty bucket.

    Raises:
        RefusedCallError: the name is taken.
    """
    name = request.json()["name"]
    if name in cloud.account.buckets:
        raise RefusedCallError(
            HTTPStatus.CONFLICT,
            10004,
            "The bucket you tried to create already exists, and you own it.",
        )
    cloud.account.buckets.append(name)
    cloud.restart()
    return _bucket(name)


def show_bucket(cloud: Cloud, _: ApiRequest, name: str) -> object:
    """Show one bucket."""
    cloud.require_bucket(name)
    return _bucket(name)


def list_objects(cloud: Cloud, request: ApiRequest, bucket: str) -> Paged:
    """List the objects of a bucket."""
    cloud.require_bucket(bucket)
    prefix, cursor = request.query.get("prefix", ""), request.query.get("cursor", "")
    page = cloud.runtime.store("r2", bucket, "GET", None, prefix=prefix, cursor=cursor).json()
    info = {"cursor": page["cursor"]} if page.get("truncated") else {}
    return Paged(page["objects"], info)


def objects(cloud: Cloud, request: ApiRequest, bucket: str, key: str) -> RawAnswer | object:
    """Read, write or delete an object.

    Raises:
        RefusedCallError: there is no such bucket or object.
    """
    cloud.require_bucket(bucket)
    answer = cloud.runtime.store("r2", bucket, request.method, unquote(key), request.body)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise no_object()
    return RawAnswer(answer.content) if request.method == "GET" else {"key": unquote(key)}


def list_namespaces(cloud: Cloud, _: ApiRequest) -> Paged:
    """List the KV namespaces."""
    namespaces = cloud.account.namespaces.items()
    rows = [{"id": key, "title": title, "supports_url_encoding": True} for key, title in namespaces]
    return Paged(rows, {"page": 1, "count": len(rows), "total_count": len(rows)})


def create_namespace(cloud: Cloud, request: ApiRequest) -> object:
    """Create an empty KV namespace."""
    namespace, title = new_tag(), request.json()["title"]
    cloud.account.namespaces[namespace] = title
    cloud.restart()
    return {"id": namespace, "title": title, "supports_url_encoding": True}


def list_keys(cloud: Cloud, _: ApiRequest, namespace: str) -> Paged:
    """List the keys of a namespace, the first thousand."""
    cloud.require_namespace(namespace)
    return Paged(cloud.runtime.store("kv", namespace, "GET", None).json()["keys"], {})


def values(cloud: Cloud, request: ApiRequest, namespace: str, key: str) -> RawAnswer | object:
    """Read, write or delete a value.

    Raises:
        RefusedCallError: there is no such namespace or key.
    """
    cloud.require_namespace(namespace)
    answer = cloud.runtime.store("kv", namespace, request.method, unquote(key), request.body)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise RefusedCallError(HTTPStatus.NOT_FOUND, 10009, "get: 'key not found'")
    return RawAnswer(answer.content) if request.method == "GET" else None


def _bucket(name: str) -> dict[str, str]:
    return {"name": name, "creation_date": now_text(), "location": "WEUR"}
