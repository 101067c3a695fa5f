"""The table of methods and addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from stand_in import access, assets, bookmarks, databases, stores, uploads, workers
from stand_in.cloud import Cloud
from stand_in.refusals import not_routed
from stand_in.requests import ApiRequest

Handler = Callable[..., Any]

_ACCOUNT = "/accounts/[^/]+"
_SCRIPT = f"{_ACCOUNT}/workers/scripts/([^/]+)"
_D1 = f"{_ACCOUNT}/d1/database"
_R2 = f"{_ACCOUNT}/r2/buckets"
_KV = f"{_ACCOUNT}/storage/kv/namespaces"

_TABLE: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/user/tokens/verify", access.verify_token),
    ("GET", "/user", access.show_user),
    ("GET", "/memberships", access.list_memberships),
    ("GET", "/accounts", access.list_accounts),
    ("GET", _ACCOUNT, access.show_account),
    ("GET", "/zones", access.list_zones),
    ("GET", "/zones/([^/]+)/workers/routes", workers.list_routes),
    ("GET", f"{_ACCOUNT}/workers/services/([^/]+)", workers.show_service),
    ("GET", f"{_ACCOUNT}/workers/workers/([^/]+)", workers.show_worker),
    ("PUT", _SCRIPT, uploads.upload_script),
    ("GET", f"{_SCRIPT}/versions", workers.list_versions),
    ("POST", f"{_SCRIPT}/versions", uploads.upload_version),
    ("GET", f"{_SCRIPT}/versions/([^/]+)", workers.show_version),
    ("GET", f"{_SCRIPT}/deployments", workers.list_deployments),
    ("POST", f"{_SCRIPT}/deployments", workers.create_deployment),
    ("GET", f"{_SCRIPT}/secrets", workers.list_secrets),
    ("PUT", f"{_SCRIPT}/secrets", workers.put_secret),
    ("DELETE", f"{_SCRIPT}/secrets/([^/]+)", workers.delete_secret),
    ("GET", f"{_SCRIPT}/subdomain", workers.show_subdomain),
    ("POST", f"{_SCRIPT}/subdomain", workers.set_subdomain),
    ("PUT", f"{_SCRIPT}/routes", workers.set_routes),
    ("GET", f"{_SCRIPT}/schedules", workers.show_crons),
    ("PUT", f"{_SCRIPT}/schedules", workers.set_crons),
    ("PATCH", f"{_SCRIPT}/script-settings", workers.change_settings),
    ("POST", f"{_SCRIPT}/tails", workers.start_tail),
    ("DELETE", f"{_SCRIPT}/tails/([^/]+)", workers.end_tail),
    ("POST", f"{_SCRIPT}/assets-upload-session", assets.open_session),
    ("POST", f"{_ACCOUNT}/workers/assets/upload", assets.upload_files),
    ("GET", _D1, databases.list_databases),
    ("POST", _D1, databases.create_database),
    ("GET", f"{_D1}/([^/]+)", databases.show_database),
    ("DELETE", f"{_D1}/([^/]+)", databases.delete_database),
    ("POST", f"{_D1}/([^/]+)/query", databases.query),
    ("POST", f"{_D1}/([^/]+)/raw", databases.raw),
    ("POST", f"{_D1}/([^/]+)/import", databases.import_file),
    ("POST", f"{_D1}/([^/]+)/export", databases.export),
    ("GET", f"{_D1}/([^/]+)/time_travel/bookmark", bookmarks.show_bookmark),
    ("POST", f"{_D1}/([^/]+)/time_travel/restore", bookmarks.restore),
    ("GET", _R2, stores.list_buckets),
    ("POST", _R2, stores.create_bucket),
    ("GET", f"{_R2}/([^/]+)", stores.show_bucket),
    ("GET", f"{_R2}/([^/]+)/objects", stores.list_objects),
    ("GET|PUT|DELETE", f"{_R2}/([^/]+)/objects/(.+)", stores.objects),
    ("GET", _KV, stores.list_namespaces),
    ("POST", _KV, stores.create_namespace),
    ("GET", f"{_KV}/([^/]+)/keys", stores.list_keys),
    ("GET|PUT|DELETE", f"{_KV}/([^/]+)/values/(.+)", stores.values),
)
_ROUTES = [(re.compile(methods), re.compile(path), call) for methods, path, call in _TABLE]


def answer(cloud: Cloud, request: ApiRequest) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Return the result of a request.

    Raises:
        RefusedCallError: it is refused, or there is no such address.
    """
    for methods, path, handler in _ROUTES:
        match = path.fullmatch(request.path)
        if match and methods.fullmatch(request.method):
            with cloud.lock:
                return handler(cloud, request, *match.groups())
    raise not_routed(f"/client/v4{request.path}")
