"""Serves demo/ as a client's website, on its own port, so cross-origin to the Worker.

The pages contain the placeholders `{{worker}}` and `{{pixel_id}}`. The fields of a form that is
posted to `/thank-you` go to a callback, which stands for the site's CRM.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from paths import ROOT

PAGES = ROOT / "demo"
DEMO_PIXEL = "ppp-demo-pixel"
CONTENT_TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
FORM_ACTION = "/thank-you"

OnForm = Callable[[Mapping[str, str]], object]


class DemoPage(BaseHTTPRequestHandler):
    """Answers one request of the demo site."""

    def __init__(
        self, pages: Path, placeholders: dict[str, str], on_form: OnForm, *args: object
    ) -> None:
        """Takes the pages' folder, the placeholders' values and the callback for posted forms."""
        self._pages = pages
        self._placeholders = placeholders
        self._on_form = on_form
        super().__init__(*args)  # type: ignore[arg-type]  # passed through as they came

    def do_GET(self) -> None:
        """Serves a page, a stylesheet or a script."""
        self._serve(urlsplit(self.path).path)

    def do_POST(self) -> None:
        """Passes the form's fields to the callback and answers with the thank-you page."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self._on_form(dict(parse_qsl(body.decode("utf-8", "replace"))))
        self._serve(FORM_ACTION)

    def _serve(self, path: str) -> None:
        name = path.strip("/") or "index"
        file = self._pages / (name if Path(name).suffix else f"{name}.html")
        if file.parent != self._pages or not file.is_file():
            self.send_error(404)
            return
        content = file.read_text(encoding="utf-8")
        for placeholder, value in self._placeholders.items():
            content = content.replace(f"{{{{{placeholder}}}}}", value)
        body = content.encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPES.get(file.suffix, "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the terminal is for the Worker's log."""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The demo site; it runs while its context is open."""

    server: ThreadingHTTPServer

    @property
    def url(self) -> str:
        """The site's base URL."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        """Starts the server in a thread."""
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops the server."""
        self.server.shutdown()
        self.server.server_close()


def demo_site(
    port: int,
    worker: str,
    pixel_id: str = DEMO_PIXEL,
    pages: Path = PAGES,
    on_form: OnForm = lambda _: None,
) -> DemoSite:
    """A demo site whose pages load the pixel from the Worker at the URL `worker`.

    Port 0 means any free port. `on_form` is called with the fields of each posted form.

    Raises:
        OSError: the port is in use.
    """
    handler = partial(DemoPage, pages, {"worker": worker, "pixel_id": pixel_id}, on_form)
    return DemoSite(ThreadingHTTPServer(("127.0.0.1", port), handler))
