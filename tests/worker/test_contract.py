"""The Worker and its OpenAPI document agree: Schemathesis sends what the document describes.

Each operation gets its examples, the edges of each parameter and body, made-up data, valid and not,
and the chains that follow from what was answered. Of the answers it checks status, headers, content
type and schema, that what is not described is refused, and that no key opens nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api_page import resolved
from config import VERSION
from openapi import operations, read_document
from paths import VENV_BIN
from pyodide_bundle import Bundle
from services.alerting.alert_states import STATES_KEY
from tests.harness.keys import ADMIN_KEY, READ_KEY, keys
from tests.harness.worker import Answer, Worker, running_worker, some_address, some_event

CONTRACT = Path(__file__).with_name("contract")
# Half a minute on a machine that does nothing else.
SECONDS = 900
NO_LIMIT = "999999"
LIMITS = ("TRACKING_PER_MINUTE", "ANALYTICS_PER_HOUR", "MANAGEMENT_PER_HOUR")
OPEN_ALERTS = {
    "leads_waiting": {
        "severity": "P2",
        "since": "2026-05-01 12:00:00",
        "told_at": "2026-05-01 12:00:00",
    }
}
Document = dict[str, Any]


@pytest.fixture(scope="module")
def unlimited(local_config: Bundle) -> Iterator[Worker]:
    """A Worker with two API keys and no limits, with something in each report."""
    limits = dict.fromkeys((*LIMITS, "REFUSED_KEYS_PER_HOUR"), NO_LIMIT)
    with running_worker(env_vars={"API_KEYS": keys(), **limits}) as running:
        running.query("INSERT INTO projects (id, name) VALUES ('spare-project', 'Spare')")
        running.query(
            "INSERT INTO pixels (id, project_id, name)"
            " VALUES ('spare-pixel', 'spare-project', 'spare')"
        )
        running.query(
            "INSERT INTO shared_views (id, name, project_id, sha256, created_at, ends_at)"
            " VALUES ('spare-view', 'Spare', 'spare-project', '', '2026-05-01 12:00:00',"
            " '2999-01-01 00:00:00')"
        )
        running.send(some_event(page_url="https://shop.example/?utm_source=google&gbraid=1"))
        running.send(some_event(event_type="form_submit", form_data={"email": "a@shop.example"}))
        running.act("scheduled", cron="*/5 * * * *")
        running.act("kv_put", entries=[[STATES_KEY, json.dumps(OPEN_ALERTS)]])
        yield running


def closed(document: Document) -> Document:
    """The document as it is tested: each address once, and nothing in answers but what it names."""
    aliases = {alias for item in document["paths"].values() for alias in item.get("x-also-at", ())}
    for alias in aliases:
        del document["paths"][alias]
    # The same as in JSON; a text that is made up is none.
    del document["paths"]["/e"]["post"]["requestBody"]["content"]["text/plain"]
    _close([operation["responses"] for operation in operations(document).values()])
    schemas = document["components"]["schemas"]
    _close([schema for name, schema in schemas.items() if name != "Event"])
    return document


def _close(node: Any) -> None:  # noqa: ANN401  # whatever JSON holds
    if isinstance(node, dict):
        if "properties" in node:
            node.setdefault("additionalProperties", False)
        for value in node.values():
            _close(value)
    elif isinstance(node, list):
        for value in node:
            _close(value)


@pytest.mark.timeout(2 * SECONDS)
def test_the_worker_answers_what_the_document_says(unlimited: Worker, tmp_path: Path) -> None:
    folder = shutil.copytree(CONTRACT, tmp_path / "contract")  # it leaves its own files there
    document = closed(read_document(VERSION))
    (folder / "openapi.json").write_text(json.dumps(document), encoding="utf-8")
    run = subprocess.run(
        [VENV_BIN / "schemathesis", "--no-color", "run", "openapi.json", "--url", unlimited.url],
        cwd=folder,
        env=os.environ | {"API_KEY": ADMIN_KEY},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"Tested: {len(operations(document))}" in run.stdout


def check_refusal(method: str, path: str, answer: Answer, status: int) -> None:
    """Fails where a refusal is not the one that the document has for this status."""
    document = read_document(VERSION)
    response = operations(document)[method, path]["responses"][str(status)]
    schema = response["content"]["application/json"]["schema"]
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    Draft202012Validator({**schema, "components": document["components"]}).validate(answer.json())
    for name, header in response["headers"].items():
        if resolved(header, document).get("required"):
            assert name.lower() in answer.headers


def test_a_key_whose_role_is_not_enough_is_refused_as_described(unlimited: Worker) -> None:
    answer = unlimited.fetch("/api/manage/projects", method="POST", headers={"x-api-key": READ_KEY})
    check_refusal("POST", "/api/manage/projects", answer, 403)


@pytest.mark.parametrize("path", ["/e", "/api/manage/projects"])
def test_a_body_that_is_too_large_is_refused_as_described(unlimited: Worker, path: str) -> None:
    headers = {"x-api-key": ADMIN_KEY}
    answer = unlimited.fetch(path, method="POST", headers=headers, body="x" * 20_000)
    check_refusal("POST", path, answer, 413)


def test_who_guesses_at_keys_is_refused_as_described(worker: Worker) -> None:
    address = some_address()
    answers = [
        worker.fetch(
            "/api/manage/projects",
            headers={"x-api-key": f"guess {number}", "cf-connecting-ip": address},
        )
        for number in range(21)
    ]
    check_refusal("GET", "/api/manage/projects", answers[0], 401)
    check_refusal("GET", "/api/manage/projects", answers[-1], 429)
