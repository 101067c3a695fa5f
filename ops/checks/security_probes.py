"""What a stranger may try on a Worker, and what must come of it.

Nothing here stores anything: events have no pixel that could exist, changes have no key, and where
a key were not asked for, there is nothing by these names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

import httpx

from ops.checks.security_prober import Finding, Stranger, answered, found
from routes import methods_of
from security_headers import API_CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from web import MAX_BODY_BYTES

ORIGIN = "https://evil.example"
NOBODY = "nobody-knows-this-one"
# One address for each route that needs a key; a test knows when one is missing.
PROTECTED = (
    "/api/projects",
    f"/api/projects/{NOBODY}",
    f"/api/projects/{NOBODY}/pixels",
    f"/api/projects/pixels/{NOBODY}",
    "/api/archive",
    "/api/backups",
    f"/api/backups/{NOBODY}",
    f"/api/backups/{NOBODY}/continue",
    *("/api/privacy/find", "/api/privacy/export", "/api/privacy/erase"),
    *("/api/privacy/receipts", f"/api/privacy/receipts/{NOBODY}"),
    "/api/reports/metrics",
    "/api/reports/debug/utm-analysis",
    f"/api/reports/project/{NOBODY}/stats",
    f"/api/reports/stats/{NOBODY}",
    f"/api/reports/realtime/{NOBODY}",
    f"/api/reports/breakdown/{NOBODY}",
    f"/api/reports/export/{NOBODY}",
)
# Which of its insides a Worker might tell.
INTERNALS = re.compile(
    r"Traceback|\.py\b|D1_ERROR|SQLITE|sqlite|SELECT .* FROM|pyodide|workerd|JsException|"
    r"node_modules|\bat \w+ \(|/session/|API_KEYS|PIPEDRIVE_"
)
HIDDEN = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
SCRIPT = "<script>alert(1)</script>"
NESTED = "[" * 8_000
HIDDEN_FILES = (
    *("/.env", "/.git/config", "/.dev.vars", "/wrangler.toml", "/src/entry.py"),
    *("/static/%2e%2e/%2e%2e/wrangler.toml", "/..%2f..%2f..%2fetc%2fpasswd"),
    *("/static/..%5c..%5cwrangler.toml", "/%2e%2e/%2e%2e/etc/passwd"),
)


Check = Callable[[Stranger], Iterator[Finding]]


def has_security_headers(stranger: Stranger) -> Iterator[Finding]:
    """Every kind of answer has every security header."""
    for what, answer in (
        ("an answer", stranger.ask("GET", "/health")),
        ("a page that is not there", stranger.ask("GET", f"/{NOBODY}")),
        ("a refusal", stranger.ask("GET", "/api/reports/metrics")),
        ("a refused event", stranger.post("no json")),
        ("the script", stranger.ask("GET", "/p.js")),
    ):
        expected = dict(SECURITY_HEADERS)
        if what != "the script":
            expected["Content-Security-Policy"] = API_CONTENT_SECURITY_POLICY
        wrong = [name for name, value in expected.items() if answer.headers.get(name) != value]
        yield found(
            f"security headers of {what}", fine=not wrong, seen=", ".join(wrong) or "all there"
        )
        telling = [name for name in ("x-powered-by", "set-cookie") if name in answer.headers]
        if telling:
            yield found(f"nothing else in {what}", fine=False, seen=", ".join(telling))


def is_open_only_where_pixels_send(stranger: Stranger) -> Iterator[Finding]:
    """Other sites' scripts may send events, and read nothing else."""
    asks = {"origin": ORIGIN, "access-control-request-method": "POST"}
    allowed = stranger.ask("OPTIONS", "/e", asks).headers
    fine = allowed.get("access-control-allow-origin") == "*"
    credentials = "access-control-allow-credentials" in allowed
    yield found("events from other sites", fine=fine and not credentials, seen=_cors(allowed))
    for path in ("/api/projects", "/api/reports/metrics"):
        for method in ("OPTIONS", "GET"):
            answer = stranger.ask(method, path, asks)
            fine = "access-control-allow-origin" not in answer.headers
            yield found(f"{method} {path} from other sites", fine=fine, seen=_cors(answer.headers))


def _cors(headers: Mapping[str, str]) -> str:
    told = [f"{name}: {value}" for name, value in headers.items() if "allow-" in name.lower()]
    return ", ".join(told) or "no CORS header"


# ---- keys --------------------------------------------------------------------------------------


def needs_a_key(stranger: Stranger) -> Iterator[Finding]:
    """Without a key nothing that is protected answers, by any method."""
    for path in PROTECTED:
        opened = []
        for method in methods_of(path):
            # A body that is refused by whoever reads it.
            answer = stranger.ask(method, path, content="[]" if method != "GET" else None)
            is_closed = (
                answer.status_code == HTTPStatus.UNAUTHORIZED
                and "www-authenticate" in answer.headers
            )
            if not (is_closed and answer.headers.get("cache-control") == "no-store"):
                opened.append(f"{method} {answer.status_code}")
        methods = ", ".join(methods_of(path))
        yield found(f"no key: {path}", fine=not opened, seen=", ".join(opened) or f"{methods}: 401")


def knows_no_other_key(stranger: Stranger) -> Iterator[Finding]:
    """A key that nobody knows is refused in both headers."""
    for name, value in (("x-api-key", NOBODY), ("authorization", f"Bearer {NOBODY}")):
        answer = stranger.ask("GET", "/api/reports/metrics", {name: value})
        told = NOBODY in answer.text
        # 429: this address guessed before.
        refusals = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
        yield answered(f"an unknown key in {name}", answer, *refusals, fine=not told)
    answer = stranger.ask("GET", "/api/reports/metrics", {"authorization": "Basic Og=="})
    yield answered("another scheme than Bearer", answer, HTTPStatus.UNAUTHORIZED)


def takes_no_key_from_the_address(stranger: Stranger) -> Iterator[Finding]:
    """Addresses stand in logs, so a key in one opens nothing."""
    what = "a right key in the address"
    if stranger.key is None:
        yield Finding(what, "skip", "on this machine only, with a key: it would stand in logs")
        return
    for name in ("api_key", "key", "token"):
        path = f"/api/reports/metrics?{name}={stranger.key.text}"
        answer = stranger.ask("GET", path)
        yield answered(f"{what} as {name}", answer, HTTPStatus.UNAUTHORIZED)


# ---- what is sent ------------------------------------------------------------------------------


def sees_bots(stranger: Stranger) -> Iterator[Finding]:
    """What names itself a machine is answered 204."""
    for agent in ("curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1)", "python-requests/2.32"):
        headers = {"user-agent": agent, "content-type": "text/plain"}
        answer = stranger.ask("POST", "/e", headers, f'{{"pixel_id": "{NOBODY}"}}')
        yield answered(f"a bot: {agent[:40]}", answer, HTTPStatus.NO_CONTENT)


def refuses_what_is_no_event(stranger: Stranger) -> Iterator[Finding]:
    """Bodies that are too large, too deep or broken are refused, and harm nobody."""
    large = "x" * (MAX_BODY_BYTES + 1)
    for what, content, expected in (
        ("a body of 16 KiB and a byte", large, 413),
        ("the same without its length", large.encode(), 413),
        ("8,000 nested lists", NESTED, 400),
        ("8,000 nested objects", '{"a":' * 2_700, 400),
        ("bytes that are no text", b"\xff\xfe\x00\x80", 400),
        ("a number in place of an object", "1e999", 400),
        ("SQL for a pixel", _event("x' OR '1'='1' --"), 400),
        ("SQL in a union", _event("' UNION SELECT sql FROM sqlite_master --"), 400),
        ("a script for a pixel", _event(SCRIPT), 400),
    ):
        answer = stranger.post(content)
        yield answered(what, answer, HTTPStatus(expected), fine=_is_harmless(answer))
    answer = stranger.ask("GET", "/health")
    yield answered("the Worker after all that", answer, HTTPStatus.OK)


def keeps_strings_apart(stranger: Stranger) -> Iterator[Finding]:
    """What stands in an address becomes neither SQL, a header, a path nor a page."""
    sql = "%27%20OR%201%3D1%20--"
    for what, path, expected in (
        ("SQL in a path", f"/api/reports/stats/{sql}", 401),
        ("SQL in a parameter", f"/api/reports/metrics?format={sql}", 401),
        ("a script in a path", f"/{SCRIPT}", 404),
        ("a header in a path", "/%0d%0aX-Injected:%201", 404),
        ("a NUL in a path", "/api/reports/stats/%00", 401),
    ):
        answer = stranger.ask("GET", path)
        yield answered(what, answer, HTTPStatus(expected), fine=_is_harmless(answer))
    for what, value in (("SQL", sql), ("a script", SCRIPT), ("a header", "%0d%0aX-Injected:%201")):
        path = f"/e/page.gif?pixel_id={value}&page_url=https://evil.example/{value}"
        answer = stranger.ask("GET", path)
        is_image = answer.headers.get("content-type") == "image/gif"
        fine = is_image and answer.content.startswith(b"GIF8") and _is_harmless(answer)
        yield found(
            f"{what} in the image's address", fine=fine, seen=answer.headers["content-type"]
        )


def hides_its_files(stranger: Stranger) -> Iterator[Finding]:
    """Nothing but the assets is served."""
    for path in HIDDEN_FILES:
        answer = stranger.ask("GET", path)
        yield answered(f"a file: {path}", answer, *HIDDEN)


def takes_no_other_method(stranger: Stranger) -> Iterator[Finding]:
    """A method that is not meant is 405 and says which are."""
    for method, path in (("DELETE", "/e"), ("PUT", "/health"), ("PATCH", "/api/projects")):
        answer = stranger.ask(method, path)
        says_which = "allow" in answer.headers
        yield answered(f"{method} {path}", answer, HTTPStatus.METHOD_NOT_ALLOWED, fine=says_which)


def tells_no_internals(stranger: Stranger) -> Iterator[Finding]:
    """No answer so far told what the Worker is made of. The script and its like are left out."""
    telling = [
        f"{answer.request.method} {answer.request.url.path}: {leak[0]}"
        for answer in stranger.answers
        if "json" in answer.headers.get("content-type", "")
        and (leak := INTERNALS.search(answer.text))
    ]
    what = f"internals in {len(stranger.answers)} answers"
    yield found(what, fine=not telling, seen="; ".join(telling) or "none")
    failed = [each for each in stranger.answers if each.is_server_error]
    seen = ", ".join(f"{each.request.url.path} {each.status_code}" for each in failed)
    yield found("answers of 500 and above", fine=not failed, seen=seen or "none")


CHECKS: Sequence[Check] = (
    has_security_headers,
    is_open_only_where_pixels_send,
    needs_a_key,
    knows_no_other_key,
    takes_no_key_from_the_address,
    sees_bots,
    refuses_what_is_no_event,
    keeps_strings_apart,
    hides_its_files,
    takes_no_other_method,
    tells_no_internals,
)


def _event(pixel_id: str) -> str:
    return json.dumps({"pixel_id": pixel_id, "page_url": "https://evil.example/"})


def _is_harmless(answer: httpx.Response) -> bool:
    """Neither a header nor a page was made of what was sent."""
    kind = answer.headers.get("content-type", "")
    is_page = "html" in kind or (SCRIPT in answer.text and "json" not in kind)
    return "x-injected" not in answer.headers and not is_page
