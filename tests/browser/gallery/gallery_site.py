"""A client's site whose pages are the forms of the gallery, and the servers of their builders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote_plus, urlsplit

from demo_site import DEMO_PIXEL, DemoPage, DemoSite

PAGES = Path(__file__).parent
REFUSED = "not-a-phone"  # the one value that a server refuses
DONE = "Thank you"

Json = dict[str, object]
MAIL_SENT: Json = {"status": "mail_sent", "message": DONE, "invalid_fields": []}
VALIDATION_FAILED: Json = {
    "status": "validation_failed",
    "message": "One or more fields have an error.",
    "invalid_fields": [{"field": "your-tel", "message": "Please enter a telephone number."}],
}
OF_WORDPRESS: dict[str, Json] = {
    "wpforms_submit": {"confirmation": f'<div class="wpforms-confirmation-container">{DONE}</div>'},
    "elementor_pro_forms_send_form": {"message": DONE, "data": []},
    "nf_ajax_submit": {"form_id": "1", "actions": {"success_message": f"<p>{DONE}</p>"}},
    "fluentform_submit": {"insert_id": 7, "result": {"message": DONE, "action": "hide_form"}},
}
GRAVITY_CONFIRMATION = f"""<!doctype html><html lang="en"><body class="GF_AJAX_POSTBACK">
<div id="gform_confirmation_wrapper_1" class="gform_confirmation_wrapper">{DONE}</div>
</body></html>"""


@dataclass(frozen=True, slots=True)
class Post:
    """What a form sent to the server of its builder."""

    path: str
    body: str

    @property
    def text(self) -> str:
        """The body with what is encoded in it made readable, twice over as some do."""
        return unquote_plus(unquote_plus(self.body))


@dataclass(frozen=True, slots=True)
class Gallery:
    """The running site and what its servers were sent."""

    url: str
    posts: list[Post] = field(default_factory=list)


class GalleryPage(DemoPage):
    """Answers one request of the site, and the ones that builders answer."""

    def __init__(self, take: Callable[[Post], object], *args: object) -> None:
        self._take = take
        super().__init__(PAGES, *args)  # type: ignore[arg-type]  # passed through as they came

    def do_POST(self) -> None:  # noqa: N802  # named by http.server
        length = int(self.headers.get("content-length", 0))
        post = Post(urlsplit(self.path).path, self.rfile.read(length).decode("utf-8", "replace"))
        self._take(post)
        match post.path.strip("/").split("/"):
            case ["contact"] if "gform_ajax" in post.body:
                self._answer("text/html", GRAVITY_CONFIRMATION)
            case ["wp-json", *_]:
                refused = REFUSED in post.body
                self._answer_json(VALIDATION_FAILED if refused else MAIL_SENT)
            case ["wp-admin", *_]:
                data = next(data for name, data in OF_WORDPRESS.items() if name in post.body)
                self._answer_json({"success": True, "errors": [], "data": data})
            case ["api" | "_api", *_]:
                self._answer_json({"ok": True, "msg": "ok", "code": 200})
            case ["index.php", *_]:
                self._answer_json({"formId": "1001", "aliId": "4711"})
            case _:
                self._serve("/thank-you")

    def _answer_json(self, content: Json) -> None:
        self._answer("application/json", json.dumps(content))

    def _answer(self, content_type: str, content: str) -> None:
        body = content.encode()
        self.send_response(200)
        self.send_header("Content-Type", f"{content_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def gallery_site(worker: str) -> Iterator[Gallery]:
    """Runs the site, whose pages carry a pixel of the Worker at `worker`, until the block ends."""
    posts: list[Post] = []
    placeholders = {"worker": worker, "pixel_id": DEMO_PIXEL}
    handler = partial(GalleryPage, posts.append, placeholders, lambda _: None)
    with DemoSite(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as site:
        yield Gallery(site.url, posts)
