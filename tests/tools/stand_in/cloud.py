"""A small JavaScript Worker, and the real wrangler that deploys it to the stand-in."""

from __future__ import annotations

import json
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from paths import NODE_BIN, tool_environment
from processes import kill_group
from stand_in.server import StandIn

HOST = "tiny.example.com"
DATABASE, DATABASE_ID = "tiny-db", "11111111-2222-3333-4444-555555555555"
BUCKET, NAMESPACE = "tiny-bucket", "0" * 32
SOURCE = """\
export class Counter {{ fetch() {{ return new Response("counted"); }} }}
{extra}
export default {{
  async fetch(request, env) {{
    console.log(JSON.stringify({{ level: "info", event: "asked", of: "{name}" }}));
    const path = new URL(request.url).pathname;
    if (path === "/rows") return Response.json(await env.DB.prepare("SELECT 1 AS one").all());
    if (path === "/secret") return new Response(env.SECRET ?? "none");
    return new Response("{name}");
  }},
  async scheduled(controller, env) {{ await env.CACHE.put("cron", controller.cron); }},
}};
"""


@dataclass(frozen=True, slots=True)
class Tiny:
    """The Worker's checkout, and the account that it is deployed to."""

    folder: Path
    cloud: StandIn

    def write(
        self, name: str, *, classes: tuple[str, ...] = ("Counter",), **settings: object
    ) -> None:
        """Writes the code, which answers with its name, and the configuration."""
        extra = "\n".join(f"export class {entry} {{}}" for entry in classes if entry != "Counter")
        source = SOURCE.format(name=name, extra=extra)
        (self.folder / "worker.js").write_text(source, encoding="utf-8")
        (self.folder / "assets").mkdir(exist_ok=True)
        (self.folder / "assets" / "hello.txt").write_text(f"hello of {name}", encoding="utf-8")
        migrations = [
            {"tag": f"v{number}", "new_sqlite_classes": [entry]}
            for number, entry in enumerate(classes, start=1)
        ]
        config = {
            "name": "tiny",
            "main": "worker.js",
            "compatibility_date": "2026-11-01",
            "assets": {"directory": "assets"},
            "routes": [{"pattern": f"{HOST}/*", "zone_name": "example.com"}],
            "triggers": {"crons": ["*/5 * * * *"]},
            "d1_databases": [
                {
                    "binding": "DB",
                    "database_name": DATABASE,
                    "database_id": DATABASE_ID,
                    "migrations_dir": "migrations",
                }
            ],
            "r2_buckets": [{"binding": "BUCKET", "bucket_name": BUCKET}],
            "kv_namespaces": [{"binding": "CACHE", "id": NAMESPACE}],
            "durable_objects": {
                "bindings": [{"name": entry.upper(), "class_name": entry} for entry in classes]
            },
            "migrations": migrations,
            **settings,
        }
        (self.folder / "wrangler.json").write_text(json.dumps(config), encoding="utf-8")

    def wrangler(self, *arguments: str, answer: str = "") -> str:
        """Runs one command of the real wrangler; `answer` is its standard input."""
        code, output = self.try_wrangler(*arguments, answer=answer)
        assert code == 0, output
        return output

    def try_wrangler(self, *arguments: str, answer: str = "") -> tuple[int, str]:
        """Runs one that may fail; its exit code, and what it said."""
        process = subprocess.run(
            [NODE_BIN / "wrangler", *arguments, "--config", self.folder / "wrangler.json"],
            cwd=self.folder,
            env=tool_environment() | {"CI": "true"} | self.cloud.variables(),
            input=answer,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        output = process.stdout if process.returncode == 0 else process.stdout + process.stderr
        return process.returncode, output

    @contextmanager
    def following(self, *arguments: str) -> Iterator[IO[str]]:
        """Runs one command that ends only when it is ended; gives its standard output."""
        with subprocess.Popen(
            [NODE_BIN / "wrangler", *arguments, "--config", self.folder / "wrangler.json"],
            cwd=self.folder,
            env=tool_environment() | {"CI": "true"} | self.cloud.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                assert process.stdout
                yield process.stdout
            finally:
                kill_group(process)

    def read_json(self, *arguments: str) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Runs one command and reads its JSON."""
        return json.loads(self.wrangler(*arguments))

    def sql(self, text: str) -> Any:  # noqa: ANN401  # as above
        """Runs SQL and returns the rows of the last statement."""
        return self.read_json("d1", "execute", "DB", "--remote", "--json", "--command", text)[-1][
            "results"
        ]

    def ask(self, path: str = "/", headers: Mapping[str, str] | None = None) -> str:
        """Asks the Worker at its route, over TLS."""
        variables = self.cloud.variables()
        tls = ssl.create_default_context(cafile=variables["SSL_CERT_FILE"])
        with httpx.Client(proxy=variables["HTTPS_PROXY"], verify=tls, timeout=60) as http:
            return http.get(f"https://{HOST}{path}", headers=headers).text
