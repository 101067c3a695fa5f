import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from simulator.account import Account, field_code
from simulator.faults import KINDS, Fault
from simulator.server import Simulator, simulator

SOURCE, CITY = field_code("utm_source"), field_code("city")
PATCH = {"custom_fields": {SOURCE: "google", CITY: "Tartu"}}


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("server_error", 500, "application/json"),
        ("bad_gateway", 502, "text/html"),
        ("too_many_requests", 429, "application/json"),
        ("unauthorized", 401, "application/json"),
        ("blocked", 403, "text/html"),
        ("broken_json", 200, "application/json"),
        ("empty", 200, "application/json"),
        ("unknown_key", 400, "application/json"),
    ],
)
def test_a_fault_answers_once_and_applies_nothing(
    pipedrive: Simulator, api: httpx.Client, kind: str, status: int, content_type: str
) -> None:
    fault = pipedrive.faults.add(Fault(kind))
    answer = api.patch("/persons/1", json=PATCH)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith(content_type)
    assert pipedrive.account.person(1).writes == []
    assert fault.reached.is_set()
    assert api.patch("/persons/1", json=PATCH).status_code == 200
    assert [request.status for request in pipedrive.requests] == [status, 200]


def test_errors_of_the_api_come_in_the_envelope(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("server_error"))
    assert api.get("/persons/1").json()["success"] is False


def test_a_fault_may_say_when_to_come_back(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("too_many_requests", retry_after=7))
    pipedrive.faults.add(Fault("too_many_requests"))
    assert api.get("/persons/1").headers["retry-after"] == "7"
    without = api.get("/persons/1").headers
    assert "retry-after" not in without
    assert without["x-ratelimit-remaining"] == "0"
    assert without["x-ratelimit-reset"] == "2"


def test_broken_json_cannot_be_read_and_empty_is_empty(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.faults.add(Fault("broken_json"))
    pipedrive.faults.add(Fault("empty"))
    with pytest.raises(ValueError, match="Unterminated string"):
        api.get("/persons/1").json()
    assert api.get("/persons/1").content == b""


def test_an_unknown_key_is_the_first_of_the_update(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("unknown_key"))
    assert api.get("/persons/1").status_code == 200
    error = api.patch("/persons/1", json=PATCH).json()["error"]
    assert error == f"Validation failed: custom_fields: Unknown key '{SOURCE}'"


def test_an_unknown_key_needs_no_sensible_update(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("unknown_key", times=None))
    for content in (b"", b"{", b"[]", b"{}", b'{"custom_fields": {}}'):
        assert api.patch("/persons/1", content=content).status_code == 400


def test_a_timeout_holds_the_request_and_applies_nothing(
    pipedrive: Simulator, api: httpx.Client, account: Account
) -> None:
    pipedrive.faults.add(Fault("timeout", seconds=0.2))
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        api.patch("/persons/1", json=PATCH)
    assert time.monotonic() - started >= 0.2
    assert account.person(1).writes == []
    assert pipedrive.requests[0].status == 0


def test_a_client_can_give_up_before(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("timeout", seconds=30))
    with pytest.raises(httpx.ReadTimeout):
        api.get("/persons/1", timeout=0.2)
    assert api.get("/persons/1").status_code == 200


def test_hang_after_applies_the_update_and_never_answers(
    pipedrive: Simulator, api: httpx.Client, account: Account
) -> None:
    fault = pipedrive.faults.add(Fault("hang_after", "update", seconds=0.5))
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(api.patch, "/persons/1", json=PATCH)
        assert fault.reached.wait(5)
        assert not sent.done()
        assert account.person(1).custom_fields == PATCH["custom_fields"]
        assert isinstance(sent.exception(), httpx.RemoteProtocolError)
    assert pipedrive.requests[0].status == 0


def test_slow_answers_correctly_but_late(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("slow", seconds=0.2))
    started = time.monotonic()
    answer = api.patch("/persons/1", json=PATCH)
    assert time.monotonic() - started >= 0.2
    assert answer.json()["data"]["custom_fields"][SOURCE] == "google"


def test_reset_resets_the_connection(
    pipedrive: Simulator, api: httpx.Client, account: Account
) -> None:
    pipedrive.faults.add(Fault("reset", "update"))
    with pytest.raises(httpx.ReadError, match="reset by peer"):
        api.patch("/persons/1", json=PATCH)
    assert account.person(1).writes == []
    assert api.get("/persons/1").status_code == 200


def test_a_fault_may_concern_one_operation_only(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("server_error", "person"))
    assert api.get("/personFields").status_code == 200
    assert api.get("/persons/search?term=jane").status_code == 200
    assert api.patch("/persons/1", json=PATCH).status_code == 200
    assert api.get("/persons/1").status_code == 500


def test_a_fault_may_concern_one_person_only(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("server_error", person_id=2, times=None))
    assert api.get("/persons/1").status_code == 200
    assert api.get("/persons/search?term=otto").status_code == 200
    assert api.get("/persons/2").status_code == 500
    assert api.patch("/persons/2", json=PATCH).status_code == 500


def test_a_fault_strikes_as_often_as_it_says(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("server_error", times=2))
    assert [api.get("/persons/1").status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_times_strikes_until_it_is_cleared(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.faults.add(Fault("server_error", times=None))
    assert {api.get("/persons/1").status_code for _ in range(5)} == {500}
    pipedrive.faults.clear()
    assert api.get("/persons/1").status_code == 200


def test_the_first_fault_added_strikes_first(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.faults.add(Fault("bad_gateway", "search"))
    pipedrive.faults.add(Fault("server_error"))
    pipedrive.faults.add(Fault("unauthorized"))
    assert [api.get("/persons/1").status_code for _ in range(3)] == [500, 401, 200]
    assert api.get("/persons/search?term=jane").status_code == 502


def test_a_fault_for_one_of_many_requests_at_once_strikes_one(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.faults.add(Fault("server_error"))
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: api.get("/persons/1").status_code, range(10)))
    assert sorted(answers) == [200] * 9 + [500]


@pytest.mark.parametrize("kind", ["timeout", "hang_after", "slow"])
def test_a_waiting_fault_does_not_keep_the_simulator_from_stopping(kind: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        with simulator() as pipedrive:
            fault = pipedrive.faults.add(Fault(kind, seconds=60))
            headers = {"x-api-token": pipedrive.token}
            sent = pool.submit(
                httpx.get, f"{pipedrive.api_url}/persons/1", headers=headers, trust_env=False
            )
            assert fault.reached.wait(5)
            stopped = time.monotonic()
        assert time.monotonic() - stopped < 1
        assert isinstance(sent.exception(), httpx.TransportError)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "earthquake"}, "kind must be one of timeout,"),
        ({"kind": "slow", "operation": "delete"}, "operation must be"),
        ({"kind": "slow", "times": 0}, "times must be"),
        ({"kind": "slow", "seconds": -1.0}, "must not be negative"),
        ({"kind": "too_many_requests", "retry_after": -1}, "must not be negative"),
        ({"kind": "unknown_key", "operation": "search"}, "update only"),
    ],
)
def test_a_fault_that_makes_no_sense_is_an_error(
    arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_every_kind_is_told_of_in_the_class() -> None:
    assert all(kind in (Fault.__doc__ or "") for kind in KINDS)
