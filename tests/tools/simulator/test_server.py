import http.client
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from simulator.account import Account, field_code
from simulator.server import Simulator, simulator


def connect(pipedrive: Simulator) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(pipedrive.url).netloc, timeout=60)


def test_it_is_reachable_on_this_machine_only(pipedrive: Simulator) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", pipedrive.url)
    assert pipedrive.api_url == f"{pipedrive.url}/api/v2"


def test_a_request_is_recorded_as_it_came(pipedrive: Simulator, api: httpx.Client) -> None:
    before = time.monotonic()
    api.get("/persons/search?term=a%2Bb&exact_match=true", headers={"X-Request-ID": "Abc"})
    api.patch("/persons/7", json={"custom_fields": {field_code("city"): "Tõrva"}})
    search, update = pipedrive.requests
    assert (search.method, search.path) == ("GET", "/api/v2/persons/search")
    assert search.query == "term=a%2Bb&exact_match=true"
    assert search.headers["x-request-id"] == "Abc"
    assert (search.body, search.status) == ("", 200)
    assert "Tõrva" in update.body
    assert (update.operation, update.person_id, update.status) == ("update", 7, 404)
    assert before <= search.at <= update.at <= time.monotonic()


def test_calls_are_counted_by_operation_however_they_ended(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    api.get("/persons/search?term=jane")
    api.get("/persons/search")
    api.get("/persons/1")
    api.get("/personFields")
    api.patch("/persons/1")
    api.get("/persons")
    operations = ("search", "person", "update", "fields")
    assert [pipedrive.calls(operation) for operation in operations] == [2, 1, 1, 1]
    assert len(pipedrive.requests) == 6


def test_the_page_and_its_requests_are_not_recorded(
    pipedrive: Simulator, page: httpx.Client
) -> None:
    for path in ("/", "/simulator/state", "/favicon.ico"):
        page.get(path)
    assert pipedrive.requests == []


def test_forgetting_keeps_the_account(
    pipedrive: Simulator, api: httpx.Client, account: Account
) -> None:
    api.get("/persons/1")
    pipedrive.forget()
    assert pipedrive.requests == []
    assert len(account.persons()) == 3


def test_a_connection_serves_many_requests(pipedrive: Simulator) -> None:
    connection = connect(pipedrive)
    for path in ("/api/v2/persons/1", "/api/v2/nowhere", "/api/v2/personFields"):
        connection.request("GET", path, headers={"x-api-token": pipedrive.token})
        answer = connection.getresponse()
        assert answer.version == 11
        assert len(answer.read()) == int(answer.headers["content-length"])
        assert not answer.will_close
    connection.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"content-length": "many"},
        {"content-length": "-1"},
        {"content-length": "1000001"},
        {"transfer-encoding": "chunked"},
    ],
)
def test_a_body_without_a_sensible_length_is_refused(
    pipedrive: Simulator, headers: dict[str, str]
) -> None:
    connection = connect(pipedrive)
    connection.request("PATCH", "/api/v2/persons/1", headers=headers)
    answer = connection.getresponse()
    assert (answer.status, answer.will_close) == (400, True)
    answer.close()
    connection.close()


def test_many_clients_are_served_at_once(pipedrive: Simulator) -> None:
    pipedrive.limits.requests_per_window = None

    def ask(number: int) -> int:
        headers = {"x-api-token": pipedrive.token}
        url = f"{pipedrive.api_url}/persons/{number % 3 + 1}"
        return httpx.get(url, headers=headers, trust_env=False).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(ask, range(60))) == {200}


def test_a_stopped_simulator_answers_no_more_even_on_an_open_connection() -> None:
    with simulator() as pipedrive:
        client = httpx.Client(base_url=pipedrive.url, trust_env=False)
        assert client.get("/").status_code == 200
    with pytest.raises(httpx.TransportError):
        client.get("/")
    client.close()


def test_a_taken_port_is_an_error_at_once(pipedrive: Simulator) -> None:
    with pytest.raises(OSError, match="in use"):
        simulator(urlsplit(pipedrive.url).port or 0)


def test_an_account_of_ones_own_is_served() -> None:
    account = Account()
    account.add_person("Only One")
    with simulator(account=account) as pipedrive:
        assert pipedrive.account is account
        headers = {"x-api-token": pipedrive.token}
        url = f"{pipedrive.api_url}/persons/1"
        person = httpx.get(url, headers=headers, trust_env=False).json()["data"]
    assert (person["name"], person["last_name"]) == ("Only One", "One")
    assert person["custom_fields"] == {}
