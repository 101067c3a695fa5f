"""The Worker in real workerd, driven from pytest through tests/harness/bridge.mjs."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from paths import LOCAL_CONFIG, ROOT
from tests.harness.node import serving
from tests.harness.prepared import schema_statements, started_from_snapshot

BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36"
)
PIXEL = "ppp-demo-pixel"
PROJECT = "ppp-demo-project"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the Worker answered to a request with Cloudflare's data."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Worker:
    """A running Worker with its bindings, cron and logs."""

    url: str
    bridge: str
    http: httpx.Client

    def act(self, action: str, **arguments: object) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Asks the bridge for one of its actions."""
        answer = self.http.post(f"{self.bridge}/{action}", json=arguments)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def query(self, sql: str, *values: object) -> list[Row]:
        """Runs one statement on the Worker's D1 and returns its rows."""
        rows: list[Row] = self.act("query", sql=sql, values=values)["rows"]
        return rows

    def send(
        self, event: Mapping[str, object], path: str = "/e", address: str | None = None
    ) -> httpx.Response:
        """Sends one event as the pixel does, by default from an address of its own."""
        return self.post(json.dumps(event), path, address)

    def post(
        self, body: str | bytes | Iterator[bytes], path: str = "/e", address: str | None = None
    ) -> httpx.Response:
        """Posts a body as it is, as text/plain."""
        headers = {
            "content-type": "text/plain;charset=UTF-8",
            "cf-connecting-ip": address or some_address(),
        }
        return self.http.post(self.url + path, content=body, headers=headers)

    def deliver(
        self, event: Mapping[str, object], address: str, location: Mapping[str, object]
    ) -> Answer:
        """Sends one event as Cloudflare delivers it: with the client's address and place."""
        headers = {"content-type": "text/plain", "cf-connecting-ip": address}
        return self.fetch("/e", method="POST", headers=headers, body=json.dumps(event), cf=location)

    def fetch(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        cf: Mapping[str, object] | None = None,
    ) -> Answer:
        """Sends a request with Cloudflare's own data about the client."""
        headers = {"user-agent": BROWSER, "cf-connecting-ip": some_address(), **(headers or {})}
        answer = self.act("fetch", path=path, method=method, headers=headers, body=body, cf=cf)
        return Answer(answer["status"], dict(answer["headers"]), base64.b64decode(answer["body"]))

    def event(self, event_id: int) -> Row:
        """The row of one event."""
        return self.query("SELECT * FROM tracking_events WHERE id = ?", event_id)[0]

    def stored_keys(self, prefix: str = "") -> list[str]:
        """The keys of the objects in R2."""
        keys: list[str] = self.act("r2_keys", prefix=prefix)
        return keys

    def stored(self, key: str) -> bytes | None:
        """An object in R2."""
        content: str | None = self.act("r2_get", key=key)
        return None if content is None else base64.b64decode(content)

    def store(self, key: str, content: bytes) -> None:
        """Writes an object into R2."""
        self.act("r2_put", key=key, content=base64.b64encode(content).decode())

    def forget(self, *keys: str) -> None:
        """Deletes objects in R2."""
        self.act("r2_delete", keys=keys)

    def log_lines(self) -> list[Row]:
        """The Worker's own log lines since they were cleared."""
        messages = [entry["message"] for entry in self.act("logs")]
        return [json.loads(message) for message in messages if message.startswith("{")]


def some_visitor() -> str:
    """A visitor cookie that no other test uses."""
    return secrets.token_hex(8)


def some_address() -> str:
    """An IP address that no other test uses."""
    return f"2001:db8:{secrets.randbelow(65536):x}:{secrets.randbelow(65536):x}::1"


def some_event(**fields: object) -> dict[str, object]:
    """A page view of a visitor of its own, with these fields changed."""
    return {
        "pixel_id": PIXEL,
        "visitor_cookie": some_visitor(),
        "event_type": "pageview",
        "page_url": "https://shop.example/",
        **fields,
    }


# Newer ones of the Worker itself hold less: this one claims to hold every event.
ADD_FULL_BACKUP = """
INSERT OR REPLACE INTO backups (id, kind, state, started_at, finished_at, verified_at, progress)
SELECT
  '20000101T000000Z-manual', 'manual', 'verified', datetime('now', ?1), datetime('now', ?1),
  datetime('now', ?1), json_object(
    'previous', NULL, 'base', NULL, 'parts', json('[]'), 'phase', 'verify', 'migration', '',
    'start', json_object('event', 0, 'change', 0, 'log', 0),
    'marker', json_object('event', CAST(?2 AS INTEGER), 'change', 0, 'log', 0)
  )
"""


CLAIMED_MANIFEST = "backups/20000101T000000Z-manual/manifest.json"


def claim_full_backup(worker: Worker, hours_ago: int = 20, newest_event: int = 10**9) -> None:
    """Records a verified full backup, so that the jobs move and delete rows."""
    worker.query(ADD_FULL_BACKUP, f"-{hours_ago} hours", newest_event)
    worker.store(CLAIMED_MANIFEST, b'{"format": 1, "parts": []}')


@contextmanager
def running_worker(
    config: str = LOCAL_CONFIG.name, env_vars: Mapping[str, str] | None = None
) -> Iterator[Worker]:
    """Starts a Worker with fresh, migrated storage; stops it at the end."""
    settings, variables = started_from_snapshot(
        json.loads((ROOT / config).read_text(encoding="utf-8"))
    )
    with (
        _config_file(settings) as config_name,
        serving("bridge.mjs", _options(config_name, env_vars or {}), variables) as (_, addresses),
        httpx.Client(timeout=1_200, headers={"user-agent": BROWSER}) as http,
    ):
        worker = Worker(addresses["worker"], f"http://127.0.0.1:{addresses['bridge']}", http)
        seed(worker)
        yield worker


def _options(config: str, env_vars: Mapping[str, str]) -> dict[str, object]:
    """What bridge.mjs is told: the configuration's file, vars, and the statements of the schema."""
    return {
        "root": str(ROOT),
        "config": config,
        "vars": env_vars,
        "schema": schema_statements(),
    }


@contextmanager
def _config_file(config: Mapping[str, object]) -> Iterator[str]:
    """Writes a configuration beside wrangler.toml, where its paths are right, for a while."""
    path = ROOT / f"wrangler.test-{secrets.token_hex(8)}.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    try:
        yield path.name
    finally:
        path.unlink()


def seed(worker: Worker) -> None:
    """Adds the demo project and pixel."""
    statements: Sequence[str] = (ROOT / "demo" / "seed.sql").read_text(encoding="utf-8").split(";")
    for statement in statements:
        if statement.strip():
            worker.query(statement)
