#!/usr/bin/env python3
"""Stands in for wrangler where only its processes matter: a child of it serves, as workerd would.

`d1 migrations apply` makes a database with one migration. `dev` serves on --port; a request for
/silence makes it answer nothing from then on.
"""

import json
import sqlite3
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event

from local_storage import database_file


class Page(BaseHTTPRequestHandler):
    is_silent = Event()

    def do_GET(self) -> None:
        if self.path == "/silence":
            self.is_silent.set()
        elif self.is_silent.is_set():
            Event().wait()
        self.send_response(200)
        self.send_header("X-Request-Id", "1")
        self.end_headers()

    do_OPTIONS = do_GET  # noqa: N815  # named by http.server

    def log_message(self, *_: object) -> None:
        pass


def option(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


def main() -> None:
    match sys.argv[1:3]:
        case ["serve", port]:
            ThreadingHTTPServer(("127.0.0.1", int(port)), Page).serve_forever()
        case ["d1", "migrations"]:
            [binding] = json.loads(Path(option("--config")).read_text())["d1_databases"]
            file = database_file(binding["database_id"])
            file.parent.mkdir(parents=True, exist_ok=True)
            with sqlite3.connect(file) as database:
                database.execute("CREATE TABLE d1_migrations (name TEXT)")
                database.execute("INSERT INTO d1_migrations VALUES ('0001')")
        case ["dev", _]:
            sys.stdout.write('{"level": "info", "event": "started", "request_id": "1"}\n')
            sys.stdout.flush()
            # By the name it was called by: a child of wrangler is known by node_modules in it.
            sys.exit(subprocess.call([sys.executable, sys.argv[0], "serve", option("--port")]))


if __name__ == "__main__":
    main()
