import httpx
import pytest

from simulator.server import Simulator, simulator

UNAUTHORIZED = {"success": False, "error": "unauthorized access", "errorCode": 401}


@pytest.mark.parametrize("token", ["", "wrong", "ünknown"])
def test_a_wrong_token_is_unauthorized_with_the_real_body(api: httpx.Client, token: str) -> None:
    answer = api.get("/personFields", headers={b"x-api-token": token.encode()})
    assert (answer.status_code, answer.json()) == (401, UNAUTHORIZED)


def test_no_token_is_unauthorized(pipedrive: Simulator, page: httpx.Client) -> None:
    assert page.get("/api/v2/persons/1").status_code == 401
    assert pipedrive.limits.tokens_spent == 0


def test_a_token_in_the_query_is_refused_because_it_leaks(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    answer = api.get("/persons/1", params={"api_token": pipedrive.token})
    assert answer.status_code == 400
    assert "leaks into logs" in answer.json()["error"]


def test_tokens_are_made_anew_unless_one_is_given() -> None:
    with simulator() as one, simulator() as other, simulator(token="given") as third:  # noqa: S106  # no secret
        assert one.token != other.token
        assert len(one.token) == 40
        assert third.token == "given"  # noqa: S105  # no secret


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/persons/1"),
        ("PUT", "/persons/1"),
        ("DELETE", "/persons/1"),
        ("HEAD", "/persons/1"),
        ("OPTIONS", "/persons/1"),
        ("POST", "/personFields"),
        ("PATCH", "/personFields"),
        ("POST", "/persons/search"),
    ],
)
def test_other_methods_are_not_allowed(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert answer.status_code == 405
    assert method == "HEAD" or answer.json()["success"] is False


@pytest.mark.parametrize("path", ["/persons", "/persons/", "/persons/1/", "/deals/1", "/"])
def test_other_paths_are_not_found(api: httpx.Client, path: str) -> None:
    answer = api.get(path)
    assert answer.status_code == 404
    assert answer.json()["success"] is False
    assert answer.json()["error_info"]


def test_the_api_has_no_other_version(pipedrive: Simulator, page: httpx.Client) -> None:
    token = {"x-api-token": pipedrive.token}
    assert page.get("/api/v1/persons/1", headers=token).status_code == 404
