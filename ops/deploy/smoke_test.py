"""Asks a deployed version what only a working one answers. What it stores is marked as ours.

It sends one page view, for a pixel of its own in a project whose leads go nowhere. Everything else
is refused or only read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from config import VERSION
from ops.terminal.errors import OpsError
from ops.worker_api.client import Api, path_segment

PROJECT = "Deployment checks"
PIXEL = "Smoke test"
VISITOR = "0" * 16
UNKNOWN_PIXEL = "ppp-no-such-pixel"
METRICS = "/api/reports/metrics"

Probe = Callable[[], str | None]
"""Asks one thing; returns what is wrong, or None."""


class UnhealthyError(OpsError):
    """The version does not do what it must; the message says which."""


@dataclass(frozen=True, slots=True)
class Smoke:
    """The questions, for one version where `version` is an id, else for whatever answers.

    `api` must be asking that version, with an admin's key.
    """

    api: Api
    version: str | None = None

    def look(self) -> Mapping[str, str]:
        """Asks what changes nothing; returns what is wrong by the name of the probe."""
        return _asked(
            {
                "health": self._health,
                "script": self._script,
                "image": self._image,
                "tracking": self._refused_event,
            }
        )

    def whole(self) -> Mapping[str, str]:
        """Asks everything, and has one page view stored."""
        further = _asked(
            {"keys": self._needs_a_key, "numbers": self._numbers, "event": self._event}
        )
        return {**self.look(), **further}

    def require_whole(self) -> None:
        """Asks everything.

        Raises:
            UnhealthyError: something is wrong.
        """
        wrong = self.whole()
        if wrong:
            raise UnhealthyError(f"the new version fails: {in_words(wrong)}")

    def _health(self) -> str | None:
        answer = self._get("/health")
        if answer.status_code != HTTPStatus.OK:
            return f"/health answers {answer.status_code}: {answer.text[:300]}"
        content = answer.json()
        if content["version"] != VERSION:
            return f"/health says version {content['version']}, this checkout is {VERSION}"
        if self.version and content["worker_version"] != self.version:
            return f"{content['worker_version']} answers, not {self.version}"
        return None

    def _script(self) -> str | None:
        for path in ("/p.js", f"/static/pixel-{VERSION}-more.js"):
            answer = self._get(path)
            if answer.status_code != HTTPStatus.OK or not _is(answer, "javascript"):
                return f"{path} answers {answer.status_code}, {answer.headers.get('content-type')}"
        return None

    def _image(self) -> str | None:
        answer = self._get(f"/e/page.gif?pixel_id={UNKNOWN_PIXEL}")
        return None if _is(answer, "image/gif") else f"the image answers {answer.status_code}"

    def _refused_event(self) -> str | None:
        answer = self._send_event(UNKNOWN_PIXEL)
        if answer.status_code == HTTPStatus.BAD_REQUEST and "pixel_id" in answer.text:
            return None
        return f"an event of an unknown pixel is answered {answer.status_code}: {answer.text[:300]}"

    def _needs_a_key(self) -> str | None:
        answer = httpx.get(
            f"{self.api.worker.url}{METRICS}",
            headers={
                name: value for name, value in self.api.http.headers.items() if name != "x-api-key"
            },
            timeout=self.api.http.timeout,
            trust_env=not self.api.worker.is_on_this_machine,
        )
        if answer.status_code == HTTPStatus.UNAUTHORIZED:
            return None
        return f"the numbers without a key are answered {answer.status_code}, not 401"

    def _numbers(self) -> str | None:
        answer = self._get(METRICS)
        if answer.status_code == HTTPStatus.OK:
            return None
        return f"the numbers are answered {answer.status_code}: {answer.text[:300]}"

    def _event(self) -> str | None:
        answer = self._send_event(find_pixel(self.api))
        if answer.status_code == HTTPStatus.OK and answer.json().get("event_id"):
            return None
        return f"a page view is answered {answer.status_code}: {answer.text[:300]}"

    def _get(self, path: str) -> httpx.Response:
        return self.api.http.get(path)

    def _send_event(self, pixel_id: str) -> httpx.Response:
        event = {
            "pixel_id": pixel_id,
            "visitor_cookie": VISITOR,
            "event_type": "pageview",
            "page_url": f"{self.api.worker.url}/",
            "page_title": PIXEL,
        }
        headers = {"content-type": "text/plain;charset=UTF-8"}
        return self.api.http.post("/e", content=json.dumps(event), headers=headers)


def find_pixel(api: Api) -> str:
    """The id of the pixel for smoke tests, made where there is none.

    Raises:
        OpsError: the Worker refuses.
    """
    configuration = {"pipedrive_enabled": False}
    project = _named(api, "/api/projects", PROJECT, {"configuration": configuration})
    return _named(api, f"/api/projects/{path_segment(project)}/pixels", PIXEL, {})


def _named(api: Api, path: str, name: str, further: Mapping[str, object]) -> str:
    entries = [entry for page in api.pages(path, {}) for entry in page["data"]]
    found: list[dict[str, Any]] = [entry for entry in entries if entry["name"] == name]
    entry = found[0] if found else api.send("POST", path, {"name": name, **further})["data"]
    return str(entry["id"])


def in_words(wrong: Mapping[str, str]) -> str:
    """What is wrong, in one line."""
    return "; ".join(f"{name}: {problem}" for name, problem in wrong.items())


def _asked(probes: Mapping[str, Probe]) -> Mapping[str, str]:
    wrong = {}
    for name, probe in probes.items():
        try:
            problem = probe()
        except (httpx.HTTPError, OpsError, ValueError, KeyError) as error:
            problem = f"no answer as it should be ({type(error).__name__}: {error})"
        if problem:
            wrong[name] = problem
    return wrong


def _is(answer: httpx.Response, kind: str) -> bool:
    return kind in answer.headers.get("content-type", "")
