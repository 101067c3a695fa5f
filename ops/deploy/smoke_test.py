"""Test a deployed version with real requests.

The test stores one page view, of its own pixel in a project that sends nothing to Pipedrive. All
other requests are refused or only read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import httpx

from config import VERSION
from ops.projects.entries import PROJECTS, activate_entry
from ops.terminal.errors import NoAnswerError, OpsError
from ops.worker_api.client import Api, Row, path_segment
from services.tracking.smoke_event import UNKNOWN_PIXEL, VISITOR

PROJECT = "Deployment checks"
PIXEL = "Smoke test"
METRICS = "/api/reports/metrics"
# An event takes milliseconds, a first request of an isolate a few seconds.
MAX_SECONDS = 10.0

Probe = Callable[[], str | None]
"""Tests one thing; returns the problem, or None."""


class UnhealthyError(OpsError):
    """A version fails a test; the message says which."""


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """The tests of a version; a `version` of None is the one that answers.

    `api` must reach that version, with an admin's key. A test that takes more than `max_seconds` is
    failed, and no other is run after it: a version that is slow would be slow for all of them.
    """

    api: Api
    version: str | None = None
    max_seconds: float = MAX_SECONDS

    def check_health(self) -> str | None:
        """Run the first probe only; return its problem, or None."""
        return self._run_probes({"health": self._health}).get("health")

    def run_read_only(self) -> Mapping[str, str]:
        """Run the probes that change nothing; return problems by the name of the probe."""
        return self._run_probes(self._read_only_probes())

    def run(self) -> Mapping[str, str]:
        """Run all probes, which store one page view; return problems by the name of the probe."""
        return self._run_probes(self.probes())

    def probes(self) -> Mapping[str, Probe]:
        """Return all probes by name."""
        return {
            **self._read_only_probes(),
            "keys": self._refused_without_key,
            "numbers": self._metrics,
            "event": self._event,
        }

    def _run_probes(self, probes: Mapping[str, Probe]) -> Mapping[str, str]:
        problems: dict[str, str] = {}
        for name, probe in probes.items():
            start = time.monotonic()
            try:
                problem = probe()
            except (httpx.HTTPError, OpsError, ValueError, KeyError) as error:
                problem = f"no answer as it should be ({type(error).__name__}: {error})"
            seconds = time.monotonic() - start
            if seconds > self.max_seconds:
                not_run = list(probes)[list(probes).index(name) + 1 :]
                return {
                    **problems,
                    name: f"slower than {self.max_seconds:g} s",
                    **dict.fromkeys(not_run, "not run"),
                }
            if problem:
                problems[name] = problem
        return problems

    def _read_only_probes(self) -> Mapping[str, Probe]:
        return {
            "health": self._health,
            "script": self._script,
            "image": self._image,
            "tracking": self._refused_event,
        }

    def require_pass(self) -> None:
        """Run all probes.

        Raises:
            UnhealthyError: one of them fails.
        """
        problems = self.run()
        if problems:
            raise UnhealthyError(f"the new version fails: {describe_problems(problems)}")

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
            if answer.status_code != HTTPStatus.OK or not _has_type(answer, "javascript"):
                return f"{path} answers {answer.status_code}, {answer.headers.get('content-type')}"
        return None

    def _image(self) -> str | None:
        answer = self._get(f"/e/page.gif?pixel_id={UNKNOWN_PIXEL}")
        return None if _has_type(answer, "image/gif") else f"the image answers {answer.status_code}"

    def _refused_event(self) -> str | None:
        answer = self._send_event(UNKNOWN_PIXEL)
        if answer.status_code == HTTPStatus.BAD_REQUEST and "pixel_id" in answer.text:
            return None
        return f"an event of an unknown pixel is answered {answer.status_code}: {answer.text[:300]}"

    def _refused_without_key(self) -> str | None:
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

    def _metrics(self) -> str | None:
        read_metrics(self.api)
        return None

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


def read_metrics(api: Api) -> Row:
    """Read the Worker's metrics.

    Raises:
        OpsError: the Worker refuses, or its answer has none.
    """
    metrics: Row | None = api.get(METRICS).get("metrics")
    if metrics is None:
        raise NoAnswerError(f"{METRICS} at {api.worker.url} is answered without metrics")
    return metrics


def find_pixel(api: Api) -> str:
    """Return the id of the pixel for smoke tests, which is created or switched on where needed.

    Raises:
        OpsError: the Worker refuses.
    """
    configuration = {"pipedrive_enabled": False}
    project = activate_entry(api, PROJECTS, PROJECT, {"configuration": configuration})
    return activate_entry(api, f"{PROJECTS}/{path_segment(project)}/pixels", PIXEL, {})


def describe_problems(problems: Mapping[str, str]) -> str:
    """Return problems in one line."""
    return "; ".join(f"{name}: {problem}" for name, problem in problems.items())


def _has_type(answer: httpx.Response, media_type: str) -> bool:
    return media_type in answer.headers.get("content-type", "")
