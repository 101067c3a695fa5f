"""The check against Pipedrive's own OpenAPI document finds what the document does not allow."""

from __future__ import annotations

import json

import pytest

from simulator.recording import RecordedRequest
from tests.harness.openapi import check_requests, document_path

KEY = "0123456789" * 4
SEARCH = "term=jane%40example.com&fields=email&exact_match=true&limit=10"

pytestmark = pytest.mark.skipif(
    document_path() is None, reason="Pipedrive's document is not at hand (PIPEDRIVE_OPENAPI)"
)


def search(query: str, **headers: str) -> RecordedRequest:
    headers = headers or {"x-api-token": "x"}
    return RecordedRequest("GET", "/api/v2/persons/search", query, headers, "", 0, "search")


def update(body: object) -> RecordedRequest:
    headers = {"x-api-token": "x", "content-type": "application/json"}
    return RecordedRequest(
        "PATCH", "/api/v2/persons/7", "", headers, json.dumps(body), 0, "update", 7
    )


def test_what_we_send_is_allowed() -> None:
    values = {KEY: "google", KEY[::-1]: None, f"f{KEY[1:]}": 4, f"e{KEY[1:]}": {"value": "Munich"}}
    check_requests([search(SEARCH), update({"custom_fields": values})])


@pytest.mark.parametrize(
    "wrong",
    [
        search("fields=email&exact_match=true"),
        search(SEARCH.replace("fields=email", "fields=emails")),
        search(SEARCH.replace("limit=10", "limit=501")),
        search(SEARCH.replace("exact_match=true", "exact_match=yes")),
        search("term=j&fields=email"),
        search(SEARCH + "&api_token=x"),
        search(SEARCH, accept="application/json"),
        update({KEY: "google"}),
        update({"custom_fields": {"utm_source": "google"}}),
        update({"custom_fields": {KEY: ""}}),
        update({"custom_fields": {KEY: True}}),
        update([]),
        RecordedRequest("POST", "/api/v2/persons", "", {"x-api-token": "x"}, "{}", 0),
    ],
)
def test_what_the_document_does_not_allow_is_found(wrong: RecordedRequest) -> None:
    with pytest.raises(AssertionError, match="/api/v2/persons"):
        check_requests([wrong])
