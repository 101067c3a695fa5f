"""An account with what an environment of wrangler.toml names: its stores and its zone."""

from __future__ import annotations

from typing import Any

from local_config import read_wrangler_toml
from stand_in.account import CloudAccount, Database
from stand_in.cloud import now_text


def production_settings() -> dict[str, Any]:
    """Return the environment `production` of wrangler.toml."""
    settings: dict[str, Any] = read_wrangler_toml()["env"]["production"]
    return settings


def production_hosts() -> tuple[str, ...]:
    """Return the hosts of its routes."""
    return tuple(route["pattern"].partition("/")[0] for route in production_settings()["routes"])


def add_stores(account: CloudAccount) -> None:
    """Add the database, the bucket, the KV namespace and the zone that production needs."""
    settings = production_settings()
    for entry in settings["d1_databases"]:
        if not account.database(entry["database_id"]):
            database = Database(entry["database_id"], entry["database_name"], now_text())
            account.databases.append(database)
    account.buckets = sorted(
        {*account.buckets, *(b["bucket_name"] for b in settings["r2_buckets"])}
    )
    for entry in settings["kv_namespaces"]:
        account.namespaces.setdefault(entry["id"], entry["binding"])
    zones = {route["zone_name"] for route in settings["routes"]}
    account.zones = sorted({*account.zones, *zones})
