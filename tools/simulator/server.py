"""The simulator itself: one HTTP server with the API, its faults, and the page."""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import sys
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Self

from simulator.account import Account, demo_account
from simulator.answers import Answer, failure
from simulator.api import PREFIX, Api, recognise
from simulator.control import Control
from simulator.faults import Fault, Faults
from simulator.limits import Limits
from simulator.recording import RecordedRequest

MAX_BODY = 1_000_000
# The server looks this often whether it is to stop, which tests wait for.
STOP_SECONDS = 0.02
NO_LINGER = struct.pack("ii", 1, 0)


class Simulator:
    """A running simulator; a context manager that stops it.

    Attributes:
        token: the only valid API token.
        account: the persons and fields.
        faults: what is to go wrong.
        limits: the rate limits, settable at any time.
        stopping: set when the simulator stops, so that nothing waits any longer.
    """

    def __init__(self, port: int, account: Account, token: str) -> None:
        """Takes the port at once; serves from `__enter__` on."""
        self.token = token
        self.account = account
        self.faults = Faults()
        self.limits = Limits()
        self.stopping = Event()
        self.api = Api(account, self.limits, token)
        self.control = Control(account, self.faults, lambda: self.requests)
        self._recorded: list[RecordedRequest] = []
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", port), partial(Exchange, self))

    @property
    def url(self) -> str:
        """Its address, which is also the page's."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def api_url(self) -> str:
        """The address of the API."""
        return self.url + PREFIX

    @property
    def requests(self) -> list[RecordedRequest]:
        """The API requests so far, in order of arrival."""
        with self._lock:
            return list(self._recorded)

    def calls(self, operation: str) -> int:
        """How many requests of an operation there were, however they ended."""
        return sum(request.operation == operation for request in self.requests)

    def forget(self) -> None:
        """Forgets requests, faults and what was used of the limits; keeps the account."""
        with self._lock:
            self._recorded.clear()
        self.faults.clear()
        self.limits.forget()

    def record(self, request: RecordedRequest) -> None:
        """Notes a request that has just come."""
        with self._lock:
            self._recorded.append(request)

    def __enter__(self) -> Self:
        """Starts to serve, in a thread."""
        Thread(target=self._server.serve_forever, args=(STOP_SECONDS,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops: lets go of every request that is held, and of every connection."""
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()


def simulator(port: int = 0, account: Account | None = None, token: str | None = None) -> Simulator:
    """A simulator on a port of this machine (0 takes a free one), by default of the demo account.

    Raises:
        OSError: the port is taken.
    """
    return Simulator(port, account or demo_account(), token or secrets.token_hex(20))


class _Server(ThreadingHTTPServer):
    """Knows its open connections: a client would keep them alive beyond the server's end."""

    # Ten leads at once, each with its own connection, must not meet a full queue.
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:  # noqa: ANN401  # passed on as they came
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as above
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401  # as above
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as above
        """Says nothing of a client that has gone."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)


class Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests and answers them, or does what a fault says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, simulator: Simulator, *arguments: object) -> None:
        """Takes the simulator whose connection it is."""
        self._simulator = simulator
        super().__init__(*arguments)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        """Serves any request: the method is part of what is matched."""
        body = self._body()
        if body is None:
            self.close_connection = True
            self._send(failure(400, "the body needs a content-length of at most 1 MB"))
            return
        request = self._request(body)
        if Control.owns(request.path):
            self._send(self._simulator.control.answer(request))
        else:
            self._simulator.record(request)
            self._simulate(request)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_GET  # noqa: N815  # named by http.server

    def log_message(self, *_: object) -> None:
        """Says nothing: the terminal belongs to the Worker's log."""

    def _body(self) -> str | None:
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length)).decode(errors="replace")

    def _request(self, body: str) -> RecordedRequest:
        path, _, query = self.path.partition("?")
        operation, person_id = recognise(self.command, path)
        return RecordedRequest(
            method=self.command,
            path=path,
            query=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            at=time.monotonic(),
            operation=operation,
            person_id=person_id,
        )

    def _simulate(self, request: RecordedRequest) -> None:
        fault = self._simulator.faults.strike(request)
        if fault is None:
            self._answer(request, self._simulator.api.answer(request))
            return
        match fault.kind:
            case "timeout":
                self._hold(fault)
            case "hang_after":
                self._simulator.api.answer(request)
                self._hold(fault)
            case "slow":
                self._answer_slowly(fault, request)
            case "reset":
                self._reset(fault)
            case _:
                fault.reached.set()
                self._answer(request, fault.answer(request))

    def _hold(self, fault: Fault) -> None:
        fault.reached.set()
        self._simulator.stopping.wait(fault.seconds)
        self.close_connection = True

    def _answer_slowly(self, fault: Fault, request: RecordedRequest) -> None:
        fault.reached.set()
        if self._simulator.stopping.wait(fault.seconds):
            self.close_connection = True
        else:
            self._answer(request, self._simulator.api.answer(request))

    def _reset(self, fault: Fault) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        # The socket is closed with the last of its two owners; only then is the reset sent.
        self.rfile.close()
        self.connection.close()
        fault.reached.set()

    def _answer(self, request: RecordedRequest, answer: Answer) -> None:
        answer = self._simulator.api.finish(request, answer)
        # Before it goes out: who reads the answer may look here at once.
        request.status = answer.status
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.content)
