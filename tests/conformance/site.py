"""A client's site: the folder pages/, by two hosts, each page with the pixel's tag in it.

Whatever is posted is answered with the thank-you page, and below /api with JSON. The parameters of
/api/answer say how it answers: `status`, `body`, `slow` (seconds), `download`. Below /situation
stands the page of a situation. A page's placeholders are `{{road}}`, `{{pixel_id}}`,
`{{email}}` (of a visitor whose browser fills it in), `{{elsewhere}}` (the other origin) and
`{{private}}`: fields that are nobody's business.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.harness.listening import listening
from tests.harness.worker import PIXEL

PAGES = Path(__file__).with_name("pages")
SLOW_SECONDS = 1.0
WEBSOCKET_ID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # of RFC 6455

MESSAGE = "The pond is between us"
PASSWORD = "hunter2-and-more"  # noqa: S105  # nobody's
PRIVATE = {
    "message": f'<textarea name="message">{MESSAGE}</textarea>',
    "+49 151 5550123": '<input type="tel" name="phone" value="+49 151 5550123">',
    "4111 1111 1111 1111": '<input name="card" value="4111 1111 1111 1111">',
    "crm-7f3a9c": '<input type="hidden" name="crm_id" value="crm-7f3a9c">',
}
SECRETS = (MESSAGE, PASSWORD, "5550123", "4111 1111", "crm-7f3a9c")


@dataclass(frozen=True, slots=True)
class Site:
    """The running site, by its two addresses: different hosts, so cookies are not shared."""

    url: str
    elsewhere: str
    received: list[str]
    """The bodies that were posted to it."""

    def knows(self, email: str) -> bool:
        """Whether an address was sent to it, in whatever encoding."""
        return any(email.partition("@")[0] in body for body in self.received)


class _Page(BaseHTTPRequestHandler):
    def __init__(self, placeholders: dict[str, str], received: list[str], *args: object) -> None:
        self._placeholders = placeholders
        self._received = received
        super().__init__(*args)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        if "upgrade" in self.headers:
            self._take_from_socket()
        elif self.path.startswith("/api/"):
            self._received.append(unquote(self.path))
            self._answer_as_told()
        else:
            self._show(urlsplit(self.path).path.strip("/"))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._received.append(body.decode("utf-8", "replace"))
        if not self.path.startswith("/api/"):
            self._show("thank-you")
            return
        if self.path == "/api/slow":
            time.sleep(SLOW_SECONDS)
        self._answer_as_told()

    def _take_from_socket(self) -> None:
        """Takes the first short message of a WebSocket."""
        key = self.headers["sec-websocket-key"] + WEBSOCKET_ID
        self.protocol_version = "HTTP/1.1"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        digest = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
        self.end_headers()
        header = self.rfile.read(2)
        mask, length = self.rfile.read(4), header[-1] & 127
        masked = zip(self.rfile.read(length), mask * length, strict=False)
        self._received.append(bytes(byte ^ other for byte, other in masked).decode())

    def _answer_as_told(self) -> None:
        options = dict(parse_qsl(urlsplit(self.path).query))
        time.sleep(float(options.get("slow", "0")))
        body = options.get("body", json.dumps({"ok": "status" not in options}))
        content_type = "application/octet-stream" if "download" in options else "application/json"
        self._answer(content_type, body, int(options.get("status", "200")))

    def _show(self, name: str) -> None:
        file = PAGES / f"{name}.html"
        if name.startswith("situation"):
            content = self._placeholders["situation"]
        elif file.parent == PAGES and file.is_file():
            content = file.read_text(encoding="utf-8")
        else:
            self.send_error(404)
            return
        for placeholder, value in self._placeholders.items():
            content = content.replace(f"{{{{{placeholder}}}}}", value)
        self._answer("text/html; charset=utf-8", content)

    def _answer(self, content_type: str, content: str, status: int = 200) -> None:
        body = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_site(road: str, email: str, situation: str = "") -> Iterator[Site]:
    """The site, for one visitor, with the pixel of the Worker at the end of that road."""
    placeholders = {
        "situation": situation,
        "road": road,
        "pixel_id": PIXEL,
        "email": email,
        "private": "\n      ".join(PRIVATE.values()),
    }
    received: list[str] = []
    page = partial(_Page, placeholders, received)
    with listening(page) as port:
        placeholders["elsewhere"] = f"http://localhost:{port}"
        yield Site(f"http://127.0.0.1:{port}", placeholders["elsewhere"], received)
