"""`make recoverybench`: how long a deleted database takes to be there again, by the commands.

A storage gets many events, a backup through the Worker, and events that wait in R2. Then the backup
is restored into a new database, and a Worker on that one stores what waited. Run it on a quiet
machine: the figures are times by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from local_config import prepare_local_config
from local_storage import with_database
from paths import LOCAL_CONFIG
from tests.harness.direct import running_directly
from tests.harness.prepared import database_file, migrated_storage, worker_bundle
from tests.harness.waiting import waiting_objects
from tests.ops.asking import ADMIN_KEY, KEYS
from tests.ops.backup_files import store
from tests.ops.running import here

EVENTS, WAITING = 1_000_000, 3_000
# As in the statements.
EVENTS_OF_SESSION, EVENTS_OF_VISITOR = 3, 5
AIM_SECONDS = 300
RECOVERED = "recovered"
ADD_VISITORS = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO visitors (id, visitor_cookie, first_seen, last_seen, user_agent, ip_address)
SELECT printf('%032x', n), printf('pxl_%016x', n), datetime('2026-01-01', n || ' seconds'),
  datetime('2026-01-01', n || ' seconds'),
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0', '192.0.2.1'
FROM numbers
"""
ADD_SESSIONS = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO sessions (id, visitor_id, pixel_id, session_cookie, started_at, last_activity)
SELECT printf('%032x', n), printf('%032x', n * 3 / 5),
  'ppp-demo-pixel', printf('%032x', n), datetime('2026-01-01', n || ' seconds'),
  datetime('2026-01-01', n || ' seconds')
FROM numbers
"""
ADD_EVENTS = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO tracking_events (
  project_id, pixel_id, visitor_id, session_id, event_type, event_key, page_url, referrer_url,
  page_title, user_agent, ip_address, country, region, city, browser_data, device_data,
  form_data, timestamp, created_at, utm_source, utm_medium, utm_campaign, gclid,
  pipedrive_sync_status
)
SELECT 'ppp-demo-project', 'ppp-demo-pixel', printf('%032x', n / 5),
  printf('%032x', n / 3), iif(n % 20, 'pageview', 'form_submit'),
  printf('event-%012d', n), 'https://shop.example/products/' || (n % 997) || '?utm_source=google',
  'https://www.google.com/', 'Product ' || (n % 997) || ' - Shop',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0', '192.0.2.1',
  'CH', 'Zurich', 'Zürich', '{"browser":"Chrome","browser_version":"142","os":"Windows"}',
  '{"type":"desktop","screen":{"width":1920,"height":1080}}',
  iif(n % 20, NULL, json_object('email', 'person' || n || '@example.com', 'first_name', 'Ada')),
  datetime('2026-01-01', n || ' seconds'), datetime('2026-01-01', n || ' seconds'), 'google',
  'cpc', 'campaign-' || (n % 31), printf('Cj0K%020x', n), iif(n % 20, NULL, 'synced')
FROM numbers
"""


def fill(database: Path, events: int) -> None:
    """Add events with their sessions and visitors."""
    with closing(sqlite3.connect(database)) as tables, tables:
        tables.execute(ADD_VISITORS, (events // EVENTS_OF_VISITOR + 1,))
        tables.execute(ADD_SESSIONS, (events // EVENTS_OF_SESSION + 1,))
        tables.execute(ADD_EVENTS, (events - 1,))


@contextmanager
def worker(storage: Path, database_id: str | None = None) -> Iterator[str]:
    """Run the Worker on the database of a storage, or on another one there."""
    text = LOCAL_CONFIG.read_text(encoding="utf-8")
    config = json.loads(with_database(text, database_id) if database_id else text)
    with running_directly(
        worker_bundle(), "entry.py", config, storage, {"API_KEYS": KEYS}
    ) as running:
        yield running.url


def ppp(*arguments: object) -> dict[str, Any]:
    """Run a command and return the JSON object that it tells a script."""
    output = here(*arguments, "--json", env={"PPP_API_KEY": ADMIN_KEY})
    if output.code:
        sys.exit(f"./ppp {' '.join(map(str, arguments))} failed: {output.err}")
    summary: dict[str, Any] = output.json
    return summary


def measure(events: int, waiting: int, folder: Path) -> dict[str, float]:
    """Return the seconds of each step."""
    storage = folder / "storage"
    shutil.copytree(migrated_storage(), storage)
    fill(database_file(storage), events)
    seconds: dict[str, float] = {}
    with worker(storage) as url:
        started = time.monotonic()
        ppp("backup", "--url", url)
        seconds["backup"] = time.monotonic() - started
    store(storage, folder / "objects", waiting_objects(waiting))
    started = time.monotonic()
    restored = ppp("restore", "--local", "--persist-to", storage, "--into", RECOVERED, "--yes")
    seconds["restore"] = time.monotonic() - started
    with worker(storage, restored["database_id"]) as url:
        replayed = ppp("replay", "--url", url)
    seconds["replay"] = replayed["seconds"]
    if replayed["stored"] != waiting:
        sys.exit(f"{replayed['stored']} events of {waiting} were stored")
    return seconds


def main() -> int:
    """Measure once and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--waiting", type=int, default=WAITING)
    options = parser.parse_args()
    prepare_local_config()
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        seconds = measure(options.events, options.waiting, Path(folder))
    recovery = seconds["restore"] + seconds["replay"]
    print(f"{options.events:,} events, {options.waiting:,} waiting; load before: {load:.1f}")
    for name, value in seconds.items():
        print(f"  {name:<8} {value:7.1f} s, {value / seconds['backup']:.1f} of the backup")
    print(f"  replay   {options.waiting / seconds['replay']:7.1f} events a second")
    print(f"recovery: {recovery:.0f} s; the aim is {AIM_SECONDS}")
    return 0 if recovery <= AIM_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
