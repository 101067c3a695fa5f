import time

import httpx
import pytest

from simulator.faults import Fault
from simulator.server import Simulator

SEARCH = "/persons/search?term=jane"


def statuses(api: httpx.Client, path: str, times: int) -> list[int]:
    return [api.get(path).status_code for _ in range(times)]


def test_every_answer_tells_of_its_window(api: httpx.Client) -> None:
    first, second = api.get("/persons/1"), api.get("/persons/99")
    assert first.headers["x-ratelimit-limit"] == second.headers["x-ratelimit-limit"] == "40"
    assert first.headers["x-ratelimit-remaining"] == "39"
    assert second.headers["x-ratelimit-remaining"] == "38"
    assert first.headers["x-ratelimit-reset"] == "2"


def test_a_search_tells_of_the_tighter_window(api: httpx.Client) -> None:
    answer = api.get(SEARCH)
    assert answer.headers["x-ratelimit-limit"] == "10"
    assert answer.headers["x-ratelimit-remaining"] == "9"


def test_over_the_burst_is_too_many(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = 3
    pipedrive.limits.window_seconds = 30
    assert statuses(api, "/persons/1", 4) == [200, 200, 200, 429]
    answer = api.get("/persons/1")
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["retry-after"] == answer.headers["x-ratelimit-reset"] == "30"
    assert answer.json()["success"] is False


def test_searches_have_a_window_of_their_own(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.window_seconds = 30
    assert statuses(api, SEARCH, 11) == [200] * 10 + [429]
    assert api.get("/persons/1").status_code == 200


def test_searches_count_as_requests(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = 2
    pipedrive.limits.window_seconds = 30
    assert statuses(api, SEARCH, 2) == [200, 200]
    assert api.get("/persons/1").status_code == 429


def test_the_window_slides(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = 2
    pipedrive.limits.window_seconds = 0.6
    assert api.get("/persons/1").status_code == 200
    time.sleep(0.4)
    assert statuses(api, "/persons/1", 2) == [200, 429]
    time.sleep(0.3)
    assert statuses(api, "/persons/1", 2) == [200, 429]


def test_a_limit_can_be_switched_off(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = pipedrive.limits.searches_per_window = None
    assert statuses(api, SEARCH, 50) == [200] * 50
    assert not [name for name in api.get(SEARCH).headers if name.startswith("x-ratelimit")]


@pytest.mark.parametrize(("path", "cost"), [(SEARCH, 20), ("/persons/1", 1), ("/personFields", 10)])
def test_every_operation_costs_its_tokens(
    pipedrive: Simulator, api: httpx.Client, path: str, cost: int
) -> None:
    api.get(path)
    assert pipedrive.limits.tokens_spent == cost


def test_an_update_costs_five_tokens_even_if_it_is_refused(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    api.patch("/persons/1", json={"emails": []})
    assert pipedrive.limits.tokens_spent == 5


def test_an_exhausted_day_is_too_many_for_hours(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.daily_tokens = 22
    assert statuses(api, SEARCH, 2) == [200, 429]
    answer = api.get(SEARCH)
    assert answer.json()["error"] == "daily request budget exceeded"
    assert int(answer.headers["retry-after"]) >= 3600
    assert statuses(api, "/persons/1", 3) == [200, 200, 429]


def test_who_ignores_the_refusals_is_blocked_for_a_while(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.limits.requests_per_window = 0
    pipedrive.limits.block_after = 3
    pipedrive.limits.block_seconds = 0.5
    assert statuses(api, "/persons/1", 5) == [429, 429, 429, 403, 403]
    blocked = api.patch("/persons/1", json={"custom_fields": {}})
    assert blocked.status_code == 403
    assert blocked.headers["content-type"].startswith("text/html")
    pipedrive.limits.requests_per_window = 40
    assert api.get("/persons/1").status_code == 403
    time.sleep(0.6)
    assert api.get("/persons/1").status_code == 200


def test_twenty_refusals_in_a_row_are_the_default(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = 0
    assert statuses(api, "/persons/1", 21) == [429] * 20 + [403]


def test_an_answer_in_between_starts_the_count_anew(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.limits.block_after = 3
    for _ in range(3):
        pipedrive.faults.add(Fault("too_many_requests", times=2))
        assert statuses(api, "/persons/1", 3) == [429, 429, 200]


def test_slow_refusals_do_not_block(pipedrive: Simulator, api: httpx.Client) -> None:
    pipedrive.limits.requests_per_window = 0
    pipedrive.limits.block_after = 2
    pipedrive.limits.block_seconds = 0.1
    for _ in range(3):
        assert api.get("/persons/1").status_code == 429
        time.sleep(0.15)


def test_forgetting_empties_the_windows_and_keeps_the_settings(
    pipedrive: Simulator, api: httpx.Client
) -> None:
    pipedrive.limits.requests_per_window = 1
    pipedrive.limits.block_after = 1
    assert statuses(api, "/persons/1", 3) == [200, 429, 403]
    pipedrive.forget()
    assert pipedrive.limits.tokens_spent == 0
    assert statuses(api, "/persons/1", 2) == [200, 429]
