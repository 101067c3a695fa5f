"""The HTTP server of the stand-in: envelopes, tokens, faults."""

from __future__ import annotations

import json
import secrets
import socket
import struct
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl

from local_config import prepare_local_config
from stand_in import databases
from stand_in.access import Tokens
from stand_in.account import ACCOUNT_ID
from stand_in.api import answer
from stand_in.certificates import make_certificate
from stand_in.cloud import Cloud, open_cloud
from stand_in.faults import ApiFault, ApiFaults
from stand_in.refusals import RefusedCallError
from stand_in.requests import ApiRequest, Paged, RawAnswer
from stand_in.runtime import start_runtime

PREFIX = "/client/v4"
OUTSIDE_THE_API = "/stand-in/"
STOP_SECONDS = 0.02
RETRY_AFTER_SECONDS = "1"
NO_LINGER = struct.pack("ii", 1, 0)
DELETED_DATABASE = b'{"success":false,"error":"D1_ERROR: The database could not be found"}'


@dataclass
class StandIn:
    """A running stand-in. `requests` are those that came, as `METHOD path`."""

    cloud: Cloud
    tokens: Tokens
    faults: ApiFaults
    certificate: Path
    token: str
    requests: list[str] = field(default_factory=list)
    stopping: Event = field(default_factory=Event)

    def variables(self) -> dict[str, str]:
        """Return the environment variables with which every tool talks to it."""
        proxy = f"http://127.0.0.1:{self.cloud.runtime.proxy_port}"
        return {
            "CLOUDFLARE_API_BASE_URL": f"{self.cloud.address}{PREFIX}",
            "CLOUDFLARE_API_TOKEN": self.token,
            "CLOUDFLARE_ACCOUNT_ID": ACCOUNT_ID,
            "WRANGLER_SEND_METRICS": "false",
            "HTTPS_PROXY": proxy,
            "https_proxy": proxy,
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(self.certificate),
            "CURL_CA_BUNDLE": str(self.certificate),
            "NODE_EXTRA_CA_CERTS": str(self.certificate),
        }

    def cron(self, worker: str, cron: str, at_milliseconds: int) -> Mapping[str, Any]:
        """Let a cron trigger fire once; the version that ran and its outcome are returned."""
        fired: dict[str, Any] = self.cloud.runtime.act(
            "cron", worker=worker, cron=cron, scheduledTime=at_milliseconds
        )
        return fired

    def followers(self, worker: str) -> int:
        """Return how many follow the log of a Worker."""
        return int(self.cloud.runtime.act("followers", worker=worker))


class _ApiServer(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as they came
        """Say nothing of a client that has gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def stand_in(
    folder: Path,
    hosts: tuple[str, ...] = (),
    redirects: Mapping[str, str] | None = None,
    port: int = 0,
) -> Iterator[StandIn]:
    """Run a stand-in on the state in a folder, which is made where it is missing.

    `hosts` are those of the routes, for the certificate; `redirects` the addresses of the outside
    world that Workers may reach, by host.
    """
    prepare_local_config()
    folder.mkdir(parents=True, exist_ok=True)
    certificate = make_certificate(folder, hosts)
    holder: list[StandIn] = []
    server = _ApiServer(("127.0.0.1", port), partial(ApiExchange, holder))
    address = f"http://127.0.0.1:{server.server_address[1]}"
    Thread(target=server.serve_forever, args=(STOP_SECONDS,), daemon=True).start()
    runtime = start_runtime(folder / "storage", f"{address}{OUTSIDE_THE_API}gone", certificate)
    try:
        cloud = open_cloud(folder, runtime, address, redirects or {})
        token = secrets.token_hex(20)
        running = StandIn(
            cloud, Tokens({token}), ApiFaults(), Path(certificate["certificate"]), token
        )
        holder.append(running)
        yield running
        running.stopping.set()
    finally:
        server.shutdown()
        server.server_close()
        runtime.stop()


class ApiExchange(BaseHTTPRequestHandler):
    """One connection: reads requests and answers them, or fails as it is told."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, holder: list[StandIn], *arguments: object) -> None:
        """Take the stand-in whose connection it is."""
        self._holder = holder
        super().__init__(*arguments)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        """Serve any request."""
        request = self._read()
        if request.path.startswith(OUTSIDE_THE_API):
            self._send(self._answer_outside(request))
            return
        running = self._holder[0]
        running.requests.append(f"{request.method} {request.path}")
        fault = running.faults.strike(request.method, request.path)
        if fault is None or fault.kind == "lost":
            prepared = self._answer(running, request)
            if fault:
                self._reset()
            else:
                self._send(prepared)
        else:
            self._fail(running, fault)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # named by http.server

    def log_message(self, *_: object) -> None:
        """Say nothing: the terminal belongs to the rehearsal."""

    def _read(self) -> ApiRequest:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if headers.get("transfer-encoding") == "chunked":
            body = self._read_chunks()
        else:
            body = self.rfile.read(int(headers.get("content-length", "0")))
        path = path.removeprefix(PREFIX)
        return ApiRequest(self.command, path, dict(parse_qsl(query)), headers, body)

    def _read_chunks(self) -> bytes:
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, running: StandIn, request: ApiRequest) -> RawAnswer:
        try:
            running.tokens.check(request)
            content = answer(running.cloud, request)
        except RefusedCallError as refusal:
            return _refusal(refusal)
        except Exception:  # noqa: BLE001  # a fault of the stand-in is a fault of the service
            traceback.print_exc()
            return _refusal(RefusedCallError(500, 10001, "the stand-in has a fault of its own"))
        if isinstance(content, RawAnswer):
            return content
        rows, info = (content.rows, content.info) if isinstance(content, Paged) else (content, None)
        return _json(
            {
                "success": True,
                "errors": [],
                "messages": [],
                "result": rows,
                **({} if info is None else {"result_info": info}),
            }
        )

    def _answer_outside(self, request: ApiRequest) -> RawAnswer:
        kind, _, name = request.path.removeprefix(OUTSIDE_THE_API).partition("/")
        if kind == "gone":
            return RawAnswer(
                DELETED_DATABASE, HTTPStatus.NOT_FOUND, {"Content-Type": "application/json"}
            )
        take = databases.take_upload if kind == "uploads" else databases.give_export
        return take(self._holder[0].cloud, request, name)

    def _fail(self, running: StandIn, fault: ApiFault) -> None:
        match fault.kind:
            case "error":
                self._send(
                    _refusal(RefusedCallError(500, 10001, "internal error; please try again"))
                )
            case "limit":
                limited = _refusal(
                    RefusedCallError(429, 971, "Please wait and consider throttling")
                )
                headers = {**limited.headers, "Retry-After": RETRY_AFTER_SECONDS}
                self._send(RawAnswer(limited.content, limited.status, headers))
            case "expired":
                self._send(_refusal(RefusedCallError(403, 9109, "Invalid access token")))
            case "timeout":
                running.stopping.wait(fault.seconds)
                self.close_connection = True
            case _:
                self._reset()

    def _reset(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.rfile.close()
        self.connection.close()

    def _send(self, prepared: RawAnswer) -> None:
        self.send_response(prepared.status)
        self.send_header("Content-Length", str(len(prepared.content)))
        for name, text in prepared.headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(prepared.content)


def _refusal(refusal: RefusedCallError) -> RawAnswer:
    errors = [{"code": refusal.code, "message": refusal.message}]
    return _json(
        {"success": False, "errors": errors, "messages": [], "result": None}, refusal.status
    )


def _json(content: object, status: int = HTTPStatus.OK) -> RawAnswer:
    return RawAnswer(json.dumps(content).encode(), status, {"Content-Type": "application/json"})
