"""Probes of the security check: what an attacker may try, and what the Worker must answer.

No probe stores anything: events name a pixel that does not exist, changes have no key, and the ids
in the paths exist nowhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus

import httpx

from ops.checks.security_prober import Prober, SecurityFinding, finding, status_finding
from routes import routes_by_method
from security_headers import API_CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from web import MAX_BODY_BYTES

ORIGIN = "https://evil.example"
UNKNOWN_ID = "nobody-knows-this-one"
# One path for each route that needs a key; a test fails if one is missing.
PROTECTED_PATHS = (
    *(f"/api{area}/projects" for area in ("", "/manage")),
    *(f"/api{area}/projects/{UNKNOWN_ID}" for area in ("", "/manage")),
    *(f"/api{area}/projects/{UNKNOWN_ID}/pixels" for area in ("", "/manage")),
    *(f"/api/projects/pixels/{UNKNOWN_ID}", f"/api/manage/pixels/{UNKNOWN_ID}"),
    *("/api/analytics/metrics", "/api/analytics/debug/utm-analysis"),
    f"/api/analytics/project/{UNKNOWN_ID}/stats",
    *(f"/api/analytics/{name}/{UNKNOWN_ID}" for name in ("stats", "realtime", "export")),
    *("/api/alerts", f"/api/alerts/{UNKNOWN_ID}/acknowledge"),
    "/api/archive",
    "/api/backups",
    f"/api/backups/{UNKNOWN_ID}",
    f"/api/backups/{UNKNOWN_ID}/continue",
    *("/api/privacy/find", "/api/privacy/export", "/api/privacy/erase"),
    *("/api/privacy/receipts", f"/api/privacy/receipts/{UNKNOWN_ID}"),
    *("/api/waiting", "/api/waiting/replay"),
    *(f"/api/manage/projects/{UNKNOWN_ID}/views{view}" for view in ("", f"/{UNKNOWN_ID}")),
    "/api/key",
    "/api/reports/metrics",
    "/api/reports/debug/utm-analysis",
    f"/api/reports/project/{UNKNOWN_ID}/stats",
    f"/api/reports/stats/{UNKNOWN_ID}",
    f"/api/reports/realtime/{UNKNOWN_ID}",
    f"/api/reports/breakdown/{UNKNOWN_ID}",
    f"/api/reports/export/{UNKNOWN_ID}",
)
# Implementation details that an answer must not reveal.
INTERNALS = re.compile(
    r"Traceback|\.py\b|D1_ERROR|SQLITE|sqlite|SELECT .* FROM|pyodide|workerd|JsException|"
    r"node_modules|\bat \w+ \(|/session/|API_KEYS|PIPEDRIVE_"
)
HIDDEN_STATUSES = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
SCRIPT = "<script>alert(1)</script>"
NESTED = "[" * 8_000
HIDDEN_FILES = (
    *("/.env", "/.git/config", "/.dev.vars", "/wrangler.toml", "/src/entry.py"),
    *("/static/%2e%2e/%2e%2e/wrangler.toml", "/..%2f..%2f..%2fetc%2fpasswd"),
    *("/static/..%5c..%5cwrangler.toml", "/%2e%2e/%2e%2e/etc/passwd"),
)


Probe = Callable[[Prober], Iterator[SecurityFinding]]


def probe_security_headers(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that every kind of answer has every security header."""
    for subject, answer in (
        ("an answer", prober.request("GET", "/health")),
        ("a page that is not there", prober.request("GET", f"/{UNKNOWN_ID}")),
        ("a refusal", prober.request("GET", "/api/reports/metrics")),
        ("a refused event", prober.post_event("no json")),
        ("the script", prober.request("GET", "/p.js")),
    ):
        expected = dict(SECURITY_HEADERS)
        if subject != "the script":
            expected["Content-Security-Policy"] = API_CONTENT_SECURITY_POLICY
        wrong = [name for name, value in expected.items() if answer.headers.get(name) != value]
        yield finding(
            f"security headers of {subject}",
            fine=not wrong,
            observed=", ".join(wrong) or "all there",
        )
        unwanted = [name for name in ("x-powered-by", "set-cookie") if name in answer.headers]
        if unwanted:
            yield finding(f"nothing else in {subject}", fine=False, observed=", ".join(unwanted))


def probe_cors(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that scripts of other sites may send events and read nothing else."""
    preflight = {"origin": ORIGIN, "access-control-request-method": "POST"}
    allowed = prober.request("OPTIONS", "/e", preflight).headers
    fine = allowed.get("access-control-allow-origin") == "*"
    credentials = "access-control-allow-credentials" in allowed
    yield finding("events from other sites", fine=fine and not credentials, observed=_cors(allowed))
    for path in ("/api/manage/projects", "/api/reports/metrics"):
        for method in ("OPTIONS", "GET"):
            answer = prober.request(method, path, preflight)
            fine = "access-control-allow-origin" not in answer.headers
            yield finding(
                f"{method} {path} from other sites", fine=fine, observed=_cors(answer.headers)
            )


def _cors(headers: Mapping[str, str]) -> str:
    allowed = [f"{name}: {value}" for name, value in headers.items() if "allow-" in name.lower()]
    return ", ".join(allowed) or "no CORS header"


# ---- keys --------------------------------------------------------------------------------------


def probe_missing_key(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that no protected route answers without a key, by any method."""
    for path in PROTECTED_PATHS:
        open_methods = []
        for method in routes_by_method(path):
            # Every route refuses this body.
            answer = prober.request(method, path, content="[]" if method != "GET" else None)
            is_closed = (
                answer.status_code == HTTPStatus.UNAUTHORIZED
                and "www-authenticate" in answer.headers
            )
            if not (is_closed and answer.headers.get("cache-control") == "no-store"):
                open_methods.append(f"{method} {answer.status_code}")
        methods = ", ".join(routes_by_method(path))
        yield finding(
            f"no key: {path}",
            fine=not open_methods,
            observed=", ".join(open_methods) or f"{methods}: 401",
        )


def probe_unknown_key(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that an unknown key is refused in both headers."""
    for name, value in (("x-api-key", UNKNOWN_ID), ("authorization", f"Bearer {UNKNOWN_ID}")):
        answer = prober.request("GET", "/api/reports/metrics", {name: value})
        is_echoed = UNKNOWN_ID in answer.text
        # 429: this client has guessed keys before.
        refusals = (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS)
        yield status_finding(f"an unknown key in {name}", answer, *refusals, fine=not is_echoed)
    answer = prober.request("GET", "/api/reports/metrics", {"authorization": "Basic Og=="})
    yield status_finding("another scheme than Bearer", answer, HTTPStatus.UNAUTHORIZED)


def probe_key_in_url(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that a key in the URL is refused, because logs record URLs."""
    subject = "a right key in the address"
    if prober.key is None:
        yield SecurityFinding(
            subject, "skip", "on this machine only, with a key: it would stand in logs"
        )
        return
    for name in ("api_key", "key", "token"):
        path = f"/api/reports/metrics?{name}={prober.key.text}"
        answer = prober.request("GET", path)
        yield status_finding(f"{subject} as {name}", answer, HTTPStatus.UNAUTHORIZED)


# ---- untrusted input ---------------------------------------------------------------------------


def probe_bots(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that requests with the user agent of a bot are answered 204."""
    for agent in ("curl/8.5.0", "Mozilla/5.0 (compatible; Googlebot/2.1)", "python-requests/2.32"):
        headers = {"user-agent": agent, "content-type": "text/plain"}
        answer = prober.request("POST", "/e", headers, f'{{"pixel_id": "{UNKNOWN_ID}"}}')
        yield status_finding(f"a bot: {agent[:40]}", answer, HTTPStatus.NO_CONTENT)


def probe_broken_events(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that bodies that are too large, too deeply nested or malformed are refused."""
    large = "x" * (MAX_BODY_BYTES + 1)
    for subject, content, expected in (
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
        answer = prober.post_event(content)
        yield status_finding(subject, answer, HTTPStatus(expected), fine=_is_harmless(answer))
    answer = prober.request("GET", "/health")
    yield status_finding("the Worker after all that", answer, HTTPStatus.OK)


def probe_injections(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that text in a URL becomes neither SQL, a header, a path nor HTML."""
    sql = "%27%20OR%201%3D1%20--"
    for subject, path, expected in (
        ("SQL in a path", f"/api/reports/stats/{sql}", 401),
        ("SQL in a parameter", f"/api/reports/metrics?format={sql}", 401),
        ("a script in a path", f"/{SCRIPT}", 404),
        ("a header in a path", "/%0d%0aX-Injected:%201", 404),
        ("a NUL in a path", "/api/reports/stats/%00", 401),
    ):
        answer = prober.request("GET", path)
        yield status_finding(subject, answer, HTTPStatus(expected), fine=_is_harmless(answer))
    for subject, value in (
        ("SQL", sql),
        ("a script", SCRIPT),
        ("a header", "%0d%0aX-Injected:%201"),
    ):
        path = f"/e/page.gif?pixel_id={value}&page_url=https://evil.example/{value}"
        answer = prober.request("GET", path)
        is_image = answer.headers.get("content-type") == "image/gif"
        fine = is_image and answer.content.startswith(b"GIF8") and _is_harmless(answer)
        yield finding(
            f"{subject} in the image's address", fine=fine, observed=answer.headers["content-type"]
        )


def probe_hidden_files(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that only the assets are served as files."""
    for path in HIDDEN_FILES:
        answer = prober.request("GET", path)
        yield status_finding(f"a file: {path}", answer, *HIDDEN_STATUSES)


def probe_methods(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that other methods are answered 405 with an Allow header."""
    for method, path in (("DELETE", "/e"), ("PUT", "/health"), ("PATCH", "/api/projects")):
        answer = prober.request(method, path)
        has_allow = "allow" in answer.headers
        yield status_finding(
            f"{method} {path}", answer, HTTPStatus.METHOD_NOT_ALLOWED, fine=has_allow
        )


def probe_internals(prober: Prober) -> Iterator[SecurityFinding]:
    """Check that no JSON answer so far reveals implementation details, and that none is a 5xx."""
    leaks = [
        f"{answer.request.method} {answer.request.url.path}: {match[0]}"
        for answer in prober.answers
        if "json" in answer.headers.get("content-type", "")
        and (match := INTERNALS.search(_without_request_path(answer)))
    ]
    subject = f"internals in {len(prober.answers)} answers"
    yield finding(subject, fine=not leaks, observed="; ".join(leaks) or "none")
    failed = [answer for answer in prober.answers if answer.is_server_error]
    statuses = ", ".join(f"{answer.request.url.path} {answer.status_code}" for answer in failed)
    yield finding("answers of 500 and above", fine=not failed, observed=statuses or "none")


PROBES: Sequence[Probe] = (
    probe_security_headers,
    probe_cors,
    probe_missing_key,
    probe_unknown_key,
    probe_key_in_url,
    probe_bots,
    probe_broken_events,
    probe_injections,
    probe_hidden_files,
    probe_methods,
    probe_internals,
)


def _without_request_path(answer: httpx.Response) -> str:
    """Return the answer's text without the path that was asked for, which a 404 repeats."""
    return answer.text.replace(answer.request.url.path, "")


def _event(pixel_id: str) -> str:
    return json.dumps({"pixel_id": pixel_id, "page_url": "https://evil.example/"})


def _is_harmless(answer: httpx.Response) -> bool:
    """Return whether the input became neither a header nor HTML."""
    media_type = answer.headers.get("content-type", "")
    is_html = "html" in media_type or (SCRIPT in answer.text and "json" not in media_type)
    return "x-injected" not in answer.headers and not is_html
