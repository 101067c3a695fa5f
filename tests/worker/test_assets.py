"""The static files at their addresses, served without waking Python."""

from __future__ import annotations

import pytest

from config import VERSION
from tests.harness.worker import Worker

SCRIPTS = ["/p.js", "/pixel.js", "/static/pixel.js"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_the_script_is_at_every_address_cached_and_readable_from_any_site(
    worker: Worker, path: str
) -> None:
    answer = worker.http.get(worker.url + path)

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "max-age=3600" in answer.headers["cache-control"]
    assert "stale-while-revalidate" in answer.headers["cache-control"]
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "ppp_visitor" in answer.text


@pytest.mark.parametrize("part", ["", "-more"])
def test_a_version_is_at_an_address_of_its_own_for_ever(worker: Worker, part: str) -> None:
    answer = worker.http.get(f"{worker.url}/static/pixel-{VERSION}{part}.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["access-control-allow-origin"] == "*"  # a module, and `integrity`


def test_all_addresses_have_the_same_script(worker: Worker) -> None:
    paths = [*SCRIPTS, f"/static/pixel-{VERSION}.js"]
    assert len({worker.http.get(worker.url + path).content for path in paths}) == 1


def test_a_script_that_did_not_change_is_answered_304(worker: Worker) -> None:
    first = worker.http.get(f"{worker.url}/p.js")
    second = worker.http.get(f"{worker.url}/p.js", headers={"if-none-match": first.headers["etag"]})
    assert second.status_code == 304


def test_the_integration_page_may_load_only_what_is_ours(worker: Worker) -> None:
    page = worker.http.get(f"{worker.url}/static/integration-example.html")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "data-pixel-id" in page.text


def test_the_document_of_the_api_may_be_read_by_every_site(worker: Worker) -> None:
    document = worker.http.get(f"{worker.url}/openapi.json")
    assert document.headers["content-type"].startswith("application/json")
    assert document.headers["access-control-allow-origin"] == "*"
    assert document.json()["info"]["version"] == VERSION
    assert "x-request-id" not in document.headers  # no Python was woken


def test_the_page_of_the_api_may_load_only_what_is_ours(worker: Worker) -> None:
    page = worker.http.get(f"{worker.url}/api.html")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in ("/static/api.css", "/static/integration-example.css", "/static/icon.svg"):
        assert f'href="{path}"' in page.text
        assert worker.http.get(worker.url + path).status_code == 200


def test_the_files_wake_no_python(worker: Worker) -> None:
    answer = worker.http.get(f"{worker.url}/p.js")
    assert "x-request-id" not in answer.headers
