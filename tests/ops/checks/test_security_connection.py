"""The probe of the connection, on a server that ends TLS with a certificate of its own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from ops.checks.security_connection import probe_connection
from ops.checks.security_prober import Prober
from ops.worker_api.worker import choose_worker
from stand_in.certificates import DAYS, make_certificate


class Handler(BaseHTTPRequestHandler):
    """Answers every GET with nothing."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Write nothing."""


@pytest.fixture
def prober(tmp_path: Path) -> Iterator[Prober]:
    """A prober of a server with TLS."""
    files = make_certificate(tmp_path, ("localhost",))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(files["certificate"], files["key"])
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"https://localhost:{server.server_address[1]}"
        trusted = ssl.create_default_context(cafile=files["certificate"])
        with httpx.Client(base_url=url, verify=trusted) as http:
            yield Prober(choose_worker(None, url, local=False), None, http)
        server.shutdown()


def test_the_certificate_and_the_version_are_those_of_the_requests(prober: Prober) -> None:
    findings = {finding.subject: finding for finding in probe_connection(prober)}
    assert findings["the certificate's days"].observed in {DAYS, str(int(DAYS) - 1)}
    assert (findings["TLS"].verdict, findings["TLS"].observed) == ("pass", "TLSv1.3")


def test_a_connection_that_fails_is_a_finding() -> None:
    url = "https://localhost:1"
    with httpx.Client(base_url=url) as http:
        prober = Prober(choose_worker(None, url, local=False), None, http)
        [finding] = probe_connection(prober)
    assert (finding.subject, finding.verdict) == ("TLS", "fail")
    assert finding.observed.startswith("no connection: ")
