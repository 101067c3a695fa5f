import asyncio
import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.ports import HttpAnswer, NetworkError
from services.pipedrive.answers import (
    Person,
    PersonGoneError,
    PersonMatch,
    RejectedError,
    TransientError,
)
from services.pipedrive.client import (
    MAX_FIELD_PAGES,
    MAX_RETRIES,
    MAX_SEARCH_PAGES,
    PipedriveClient,
)
from services.pipedrive.limits import (
    MAX_RATE_LIMIT_WAIT_SECONDS,
    MAX_RATE_LIMIT_WAITS,
    DeferredError,
    Operation,
)
from tests.unit.memory import CALLS, NOW, TOKEN, Lab, Reply, Sent, answered, key, scripted

OPERATIONS: tuple[Operation, ...] = get_args(Operation)
ABOUT_THE_ACCOUNT: tuple[Operation, ...] = ("search", "fields")
REFUSALS = (RejectedError, TransientError, DeferredError)

GOOD: dict[Operation, HttpAnswer] = {
    "search": answered({"success": True, "data": {"items": []}}),
    "person": answered({"data": {"is_deleted": False, "update_time": "2026-01-01T00:00:00Z"}}),
    "update": answered({"success": True, "data": {}}),
    "fields": answered({"data": [], "additional_data": {"next_cursor": None}}),
}
BAD_GATEWAY = HttpAnswer(502, "<html>", {"content-type": "text/html"})
WEB_PAGE = HttpAnswer(403, "<html>", {"content-type": "text/html; charset=UTF-8"})
WAIT_A_SECOND = answered({}, 429, retry_after="1")


def call(lab: Lab, operation: Operation = "search", seconds: float = 30) -> object:
    """One call of this kind, which may take so many seconds."""
    return asyncio.run(_called(lab.api, operation, lab.soon(seconds)))


async def _called(api: PipedriveClient, operation: Operation, until: datetime) -> object:
    match operation:
        case "search":
            return await api.search("jane@example.com", "email", until)
        case "person":
            return await api.person(7, until)
        case "update":
            await api.update(7, {key(1): "google"}, until)
            return None
        case "fields":
            return await api.fields(until)


def lab_with(*replies: Reply, random: float = 0.5) -> Lab:
    return Lab(scripted(replies), random=random)


# The requests


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        (
            "search",
            "GET",
            "/persons/search?term=jane%40example.com&fields=email&exact_match=true&limit=100",
        ),
        ("person", "GET", "/persons/7"),
        ("update", "PATCH", "/persons/7"),
        ("fields", "GET", "/personFields?limit=500"),
    ],
)
def test_a_call_is_one_request_with_the_token_in_its_header(
    operation: Operation, method: str, path: str
) -> None:
    lab = lab_with(GOOD[operation])
    call(lab, operation)
    [sent] = lab.http.sent
    assert (sent.method, sent.url) == (method, f"https://acme.example/api/v2{path}")
    assert sent.headers["x-api-token"] == TOKEN
    assert TOKEN not in sent.url
    assert lab.api.calls == {operation: 1}
    assert lab.budget.spent == 1
    assert lab.time.pauses == []


def test_an_update_is_custom_fields_in_json_and_nothing_else() -> None:
    lab = lab_with(GOOD["update"])
    call(lab, "update")
    [sent] = lab.http.sent
    assert sent.headers["content-type"] == "application/json"
    assert json.loads(sent.body or "") == {"custom_fields": {key(1): "google"}}


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("jane+news@example.com", "jane%2Bnews%40example.com"),
        ("Zoë O'Neill & Söhne", "Zo%C3%AB+O%27Neill+%26+S%C3%B6hne"),
        ("a&limit=500#x", "a%26limit%3D500%23x"),
    ],
)
def test_a_term_is_searched_for_as_it_is(term: str, text: str) -> None:
    lab = lab_with(GOOD["search"])
    asyncio.run(lab.api.search(term, "name", lab.soon()))
    assert f"?term={text}&fields=name&" in lab.http.sent[0].url


# Transient failures


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "failure", [BAD_GATEWAY, answered({"error": "x"}, 500), NetworkError("no answer")]
)
def test_two_failures_in_a_row_are_retried(operation: Operation, failure: Reply) -> None:
    lab = lab_with(failure, failure, GOOD[operation])
    call(lab, operation)
    assert lab.api.calls == {operation: 3}
    assert lab.budget.spent == 3
    assert (lab.state.breaker.state, lab.state.breaker.failures) == ("closed", 0)


@pytest.mark.parametrize(
    ("random", "pauses"), [(0.0, [0.25, 0.5]), (0.5, [0.5, 1.0]), (0.999, [0.7495, 1.499])]
)
def test_pauses_between_tries_double_and_are_jittered(random: float, pauses: list[float]) -> None:
    lab = lab_with(BAD_GATEWAY, BAD_GATEWAY, GOOD["search"], random=random)
    call(lab)
    assert lab.time.pauses == pytest.approx(pauses)


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (BAD_GATEWAY, "Pipedrive answered 502, 3 times"),
        (NetworkError("no answer within 5 seconds"), "no answer within 5 seconds, 3 times"),
    ],
)
def test_the_third_failure_in_a_row_is_raised_and_counts_once(failure: Reply, text: str) -> None:
    lab = lab_with(*[failure] * 3)
    with pytest.raises(TransientError, match=text):
        call(lab)
    assert lab.state.breaker.failures == 1


@pytest.mark.parametrize("text", ["", " ", "{", "<html>", "[]", "5", "null", '"x"', "NaN"])
@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_body_that_is_not_a_json_object_fails_without_a_retry(status: int, text: str) -> None:
    lab = lab_with(HttpAnswer(status, text, {}))
    with pytest.raises(TransientError, match=f"Pipedrive answered {status} without what was"):
        call(lab, "update")
    assert lab.state.breaker.failures == 1


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "1" * 5_000])
def test_json_that_python_cannot_parse_is_a_failure(text: str) -> None:
    with pytest.raises(TransientError):
        call(lab_with(HttpAnswer(200, text, {})))


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    lab = lab_with(answered({}, status, location="https://elsewhere.example"))
    with pytest.raises(TransientError, match=f"Pipedrive answered {status}"):
        call(lab)


# Rate limits


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "3"}, 3.0),
        ({"x_ratelimit_reset": "2"}, 2.0),
        ({"retry_after": "3", "x_ratelimit_reset": "2"}, 3.0),
        ({"retry_after": "soon", "x_ratelimit_reset": "2"}, 2.0),
        ({"retry_after": "-1"}, 2.5),
        ({"retry_after": "1.5"}, 2.5),
        ({"retry_after": "Fri, 01 May 2026 12:00:03 GMT"}, 2.5),
        ({"retry_after": ""}, 2.5),
        ({}, 2.5),
        ({"retry_after": str(MAX_RATE_LIMIT_WAIT_SECONDS)}, 30.0),
    ],
)
def test_a_429_is_waited_for_as_long_as_it_says(headers: dict[str, str], seconds: float) -> None:
    lab = lab_with(answered({}, 429, **headers), GOOD["search"])
    call(lab, seconds=60)
    assert lab.time.pauses == [seconds]
    assert lab.state.paused_until is None
    assert lab.state.breaker.failures == 0


@pytest.mark.parametrize("seconds", [MAX_RATE_LIMIT_WAIT_SECONDS + 1, 7_200])
def test_a_long_429_is_not_waited_for_and_pauses_the_account(seconds: int) -> None:
    lab = lab_with(answered({}, 429, retry_after=str(seconds)), GOOD["search"])
    until = NOW + timedelta(seconds=seconds)
    for _ in range(2):
        with pytest.raises(DeferredError) as refused:
            call(lab, seconds=10_000)
        assert refused.value.until == lab.state.paused_until == until
    assert len(lab.http.sent) == 1
    assert lab.time.pauses == []
    assert lab.state.breaker.state == "closed"

    lab.time.now = lab.budget.deadline = until
    lab.budget.deadline += timedelta(minutes=1)
    call(lab)


def test_so_many_429s_in_a_row_are_waited_for_and_no_more() -> None:
    lab = lab_with(*[WAIT_A_SECOND] * MAX_RATE_LIMIT_WAITS, GOOD["search"])
    call(lab)
    assert lab.time.pauses == [1.0] * MAX_RATE_LIMIT_WAITS

    lab = lab_with(*[WAIT_A_SECOND] * (MAX_RATE_LIMIT_WAITS + 1))
    with pytest.raises(DeferredError, match="429"):
        call(lab)
    assert lab.state.paused_until == lab.time.now + timedelta(seconds=1)


def test_a_429_that_a_lead_has_no_time_for_is_not_waited_for() -> None:
    lab = lab_with(answered({}, 429, retry_after="10"))
    with pytest.raises(DeferredError):
        call(lab, seconds=10)
    assert lab.time.pauses == []


def test_failures_and_429s_are_counted_apart() -> None:
    replies = (BAD_GATEWAY, WAIT_A_SECOND, BAD_GATEWAY, WAIT_A_SECOND, WAIT_A_SECOND)
    lab = lab_with(*replies, GOOD["search"])
    call(lab)
    assert len(lab.http.sent) == len(replies) + 1


# Refusals


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (answered({"error": "unauthorized access", "errorCode": 401}, 401), r"API key \(401\)"),
        (WEB_PAGE, r"web page \(403\)"),
    ],
)
def test_a_refused_key_and_a_block_open_the_breaker_at_once(
    operation: Operation, answer: HttpAnswer, text: str
) -> None:
    lab = lab_with(answer)
    for _ in range(2):
        with pytest.raises(DeferredError) as refused:
            call(lab, operation)
        assert refused.value.until == NOW + timedelta(seconds=60)
    assert len(lab.http.sent) == 1
    [trouble] = lab.breaker_reasons
    assert trouble.startswith("Account acme: ")
    assert text.replace("\\", "") in trouble
    assert TOKEN not in trouble


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        *((operation, 402) for operation in OPERATIONS),
        *(
            (operation, status)
            for operation in ABOUT_THE_ACCOUNT
            for status in (403, 404, 405, 410)
        ),
        ("fields", 400),
    ],
)
def test_a_refusal_that_is_about_no_person_opens_the_breaker_at_once(
    operation: Operation, status: int
) -> None:
    lab = lab_with(answered({"error": "x"}, status))
    with pytest.raises(DeferredError, match=str(status)):
        call(lab, operation)
    assert lab.state.breaker.state == "open"
    assert len(lab.breaker_reasons) == 1


@pytest.mark.parametrize(
    ("operation", "status"), [("search", 400), ("person", 403), ("update", 403), ("update", 422)]
)
def test_a_refusal_that_is_about_one_lead_leaves_the_breaker_closed(
    operation: Operation, status: int
) -> None:
    lab = lab_with(answered({"error": "Forbidden"}, status))
    with pytest.raises(RejectedError, match=rf"\({status}\): Forbidden$"):
        call(lab, operation)
    assert lab.state.breaker.state == "closed"
    assert lab.breaker_reasons == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_person_that_is_gone_is_no_failure(status: int) -> None:
    lab = lab_with(answered({"error": "not found"}, status))
    assert call(lab, "person") is None
    lab = lab_with(answered({"error": "not found"}, status))
    with pytest.raises(PersonGoneError):
        call(lab, "update")
    assert lab.state.breaker.failures == 0


@pytest.mark.parametrize(
    ("content", "reason", "unknown"),
    [
        ({"error": "Bad"}, "Bad", None),
        ({"error": "Bad", "error_info": "read\n\x00the docs"}, "Bad: read the docs", None),
        ({"error_info": "docs"}, "docs", None),
        ({}, "no reason given", None),
        ({"error": None, "error_info": ""}, "no reason given", None),
        ({"error": {"code": 5}}, "{'code': 5}", None),
        ({"error": "x" * 999}, "x" * 200, None),
        (
            {"error": f"Validation failed: custom_fields: Unknown key '{key(5)}'"},
            f"Validation failed: custom_fields: Unknown key '{key(5)}'",
            key(5),
        ),
        ({"error": "Unknown key 'phone'"}, "Unknown key 'phone'", None),
    ],
)
def test_a_refusal_says_why_in_pipedrives_words(
    content: dict[str, object], reason: str, unknown: str | None
) -> None:
    lab = lab_with(answered(content, 400))
    with pytest.raises(RejectedError) as refused:
        call(lab, "update")
    assert str(refused.value) == f"Pipedrive refused the request (400): {reason}"
    assert refused.value.unknown_key == unknown
    assert lab.state.breaker.failures == 0


# The breaker, the budget and the time


def test_five_failed_calls_open_the_breaker_and_report_it_once() -> None:
    lab = Lab(lambda _: BAD_GATEWAY)
    for _ in range(5):
        with pytest.raises(TransientError):
            call(lab)
    opened = lab.time.now
    assert lab.breaker_reasons == ["Account acme: Pipedrive answered 502, 3 times"]
    sent_before = len(lab.http.sent)
    with pytest.raises(DeferredError) as refused:
        call(lab)
    assert refused.value.until == opened + timedelta(seconds=60)
    assert len(lab.http.sent) == sent_before == 15


def test_a_half_open_breaker_closes_after_two_answers_even_if_they_refuse() -> None:
    lab = lab_with(answered({"error": "Bad"}, 400), GOOD["search"])
    lab.state.breaker.trip(NOW)
    lab.time.now += timedelta(seconds=60)
    with pytest.raises(RejectedError):
        call(lab)
    assert lab.state.breaker.successes == 1
    call(lab)
    assert lab.state.breaker.state == "closed"


def test_a_breaker_that_opens_while_a_call_waits_its_turn_stops_it() -> None:
    lab = lab_with(*[GOOD["search"]] * 10)
    for _ in range(10):
        call(lab)

    async def trip_and_wait(seconds: float) -> None:
        lab.state.breaker.trip(lab.time.now)
        await lab.time.sleep(seconds)

    lab.api.sleep = trip_and_wait
    with pytest.raises(DeferredError):
        call(lab)
    assert len(lab.http.sent) == 10


def test_the_eleventh_search_waits_until_the_window_is_over() -> None:
    lab = lab_with(*[GOOD["search"]] * 11)
    for _ in range(11):
        call(lab)
    assert lab.time.pauses == [pytest.approx(2.2)]


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_request_is_sent_after_the_deadline_of_a_lead(seconds: float) -> None:
    lab = lab_with()
    with pytest.raises(TransientError, match="longer than it may"):
        call(lab, seconds=seconds)
    assert lab.budget.spent == 0
    assert lab.state.breaker.failures == 0


def test_a_budget_is_spent_request_by_request() -> None:
    lab = Lab(lambda _: GOOD["search"], requests=3)
    assert lab.budget.has(NOW, 3)
    assert not lab.budget.has(NOW, 4)
    for _ in range(3):
        call(lab)
    with pytest.raises(DeferredError, match="requests are spent") as refused:
        call(lab)
    assert refused.value.until is None
    assert len(lab.http.sent) == lab.budget.spent == 3


def test_a_retry_counts_against_the_budget() -> None:
    lab = Lab(lambda _: BAD_GATEWAY, requests=2)
    with pytest.raises(DeferredError):
        call(lab)
    assert len(lab.http.sent) == 2


REPLIES = st.sampled_from(
    (
        *(BAD_GATEWAY, NetworkError("reset"), NetworkError("reset"), WAIT_A_SECOND),
        *(answered({}, 429), answered({}, 429, retry_after="40"), answered({}, 400)),
        *(GOOD["search"], HttpAnswer(200, "", {})),
    )
)
SLOWNESS = st.floats(0, 1)


@given(st.lists(st.tuples(REPLIES, SLOWNESS), min_size=1, max_size=12), st.floats(0.1, 40))
def test_no_timeout_reaches_beyond_the_deadline(
    script: list[tuple[Reply, float]], seconds: float
) -> None:
    waiting = iter(script * 8)

    def slow(sent: Sent) -> Reply:
        answer, share = next(waiting)
        lab.time.now += timedelta(seconds=sent.seconds * share)
        return answer

    lab = Lab(slow)
    until = lab.soon(seconds)
    with suppress(TransientError, DeferredError, RejectedError):
        asyncio.run(lab.api.search("x", "email", until))
    assert len(lab.http.sent) <= 1 + MAX_RETRIES + MAX_RATE_LIMIT_WAITS
    for sent in lab.http.sent:
        seconds_left = (until - sent.at).total_seconds()
        assert 0 < sent.seconds <= min(CALLS.timeout_seconds, seconds_left)


# Content


@pytest.mark.parametrize(
    ("item", "match"),
    [
        (
            {"id": 7, "name": "Jane Doe", "emails": ["Jane@X.com", "j@x.com"]},
            PersonMatch(7, "Jane Doe", frozenset(("jane@x.com", "j@x.com"))),
        ),
        ({"id": 7, "name": "Jane", "emails": []}, PersonMatch(7, "Jane", frozenset())),
        ({"id": 7}, PersonMatch(7, "", None)),
        ({"id": 7, "name": None, "emails": None}, PersonMatch(7, "", None)),
        ({"id": 7, "emails": "jane@x.com"}, PersonMatch(7, "", None)),
        ({"id": 7, "emails": [None, 5]}, PersonMatch(7, "", frozenset(("none", "5")))),
        ({"name": "Jane"}, None),
        ({"id": "7"}, None),
        ({"id": 7.5}, None),
        (None, None),
        ([], None),
    ],
)
def test_an_item_of_a_search_is_read_as_far_as_it_is_valid(
    item: object, match: PersonMatch | None
) -> None:
    lab = lab_with(answered({"data": {"items": [{"result_score": 0.5, "item": item}]}}))
    assert call(lab) == ([match] if match else [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    *("data", "items", "item", "id", "name", "emails", "is_deleted", "options"),
                    *("field_code", "label", "additional_data", "next_cursor"),
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON, st.sampled_from(OPERATIONS), st.sampled_from((200, 201, 400, 404, 422)))
def test_any_answer_raises_only_the_documented_errors(
    content: object, item: object, entry: object, operation: Operation, status: int
) -> None:
    likely = {"data": {"items": [item, {"item": item}]}, "error": item}
    for body in (content, {"data": content}, likely, {"data": [entry], "additional_data": item}):
        person_gone = (PersonGoneError,) if operation == "update" else ()
        with suppress(*REFUSALS, *person_gone):
            call(Lab(scripted([answered(body, status)] * MAX_FIELD_PAGES)), operation)


@pytest.mark.parametrize("data", [None, [], 5, {"items": None}, {"items": {}}, {}])
def test_a_search_without_items_is_a_failure(data: object) -> None:
    with pytest.raises(TransientError, match="without what was asked for"):
        call(lab_with(answered({"data": data})))


@pytest.mark.parametrize("data", [None, [], 5, "x"])
def test_a_person_without_data_is_a_failure(data: object) -> None:
    with pytest.raises(TransientError, match="without what was asked for"):
        call(lab_with(answered({"data": data})), "person")


@pytest.mark.parametrize(
    ("data", "person"),
    [
        ({"is_deleted": False, "update_time": "T"}, Person(7, is_deleted=False, update_time="T")),
        ({"is_deleted": True, "update_time": "T"}, Person(7, is_deleted=True, update_time="T")),
        ({"is_deleted": False}, Person(7, is_deleted=False, update_time="")),
        ({"update_time": None}, Person(7, is_deleted=True, update_time="")),
        ({"is_deleted": 0}, Person(7, is_deleted=True, update_time="")),
    ],
)
def test_a_person_counts_as_deleted_unless_it_says_that_it_is_not(
    data: object, person: Person
) -> None:
    assert call(lab_with(answered({"data": data})), "person") == person


def fields_page(number: int, cursor: object) -> HttpAnswer:
    field = {"field_code": key(number), "field_name": f"F{number}", "field_type": "text"}
    return answered({"data": [field], "additional_data": {"next_cursor": cursor}})


def test_the_pages_of_the_fields_are_followed_to_their_end() -> None:
    lab = lab_with(fields_page(1, "a b"), fields_page(2, "c"), fields_page(3, None))
    fields = asyncio.run(lab.api.fields(lab.soon()))
    assert [field.name for field in fields] == ["F1", "F2", "F3"]
    queries = [sent.url.partition("?")[2] for sent in lab.http.sent]
    assert queries == ["limit=500", "limit=500&cursor=a+b", "limit=500&cursor=c"]
    assert lab.api.calls == {"fields": 3}


@pytest.mark.parametrize("additional_data", [None, {}, {"next_cursor": ""}, [], "x"])
def test_fields_end_where_there_is_no_cursor(additional_data: object) -> None:
    lab = lab_with(answered({"data": [], "additional_data": additional_data}))
    assert call(lab, "fields") == []


def test_an_endless_cursor_is_followed_for_a_limited_number_of_pages() -> None:
    lab = Lab(lambda _: fields_page(1, "again"))
    assert len(asyncio.run(lab.api.fields(lab.soon()))) == MAX_FIELD_PAGES == len(lab.http.sent)


def found_page(person_id: int, cursor: object) -> HttpAnswer:
    items = [{"item": {"id": person_id, "name": "Jane"}}]
    return answered({"data": {"items": items}, "additional_data": {"next_cursor": cursor}})


def test_the_pages_of_a_search_are_followed_to_their_end() -> None:
    lab = lab_with(found_page(1, "a b"), found_page(2, "c"), found_page(3, None))
    matches = asyncio.run(lab.api.search("Jane", "name", lab.soon()))
    assert [match.id for match in matches] == [1, 2, 3]
    cursors = [sent.url.partition("limit=100")[2] for sent in lab.http.sent]
    assert cursors == ["", "&cursor=a+b", "&cursor=c"]


def test_an_endless_search_ends() -> None:
    lab = Lab(lambda _: found_page(1, "again"))
    asyncio.run(lab.api.search("Jane", "name", lab.soon()))
    assert len(lab.http.sent) == MAX_SEARCH_PAGES


@pytest.mark.parametrize("data", [None, {}, "x"])
def test_fields_without_data_are_a_failure(data: object) -> None:
    with pytest.raises(TransientError, match="without what was asked for"):
        call(lab_with(answered({"data": data})), "fields")


# Regressions


@pytest.mark.parametrize("name", ["retry_after", "x_ratelimit_reset"])
@pytest.mark.parametrize("value", ["1777636860", "1777636860000", "9" * 400])
def test_a_429_never_closes_the_account_for_more_than_a_day(name: str, value: str) -> None:
    lab = lab_with(answered({}, 429, **{name: value}))
    with pytest.raises(DeferredError):
        call(lab)
    assert lab.state.paused_until is not None
    assert lab.state.paused_until - lab.time.now <= timedelta(days=1)


@pytest.mark.parametrize("operation", ["search", "person", "fields"])
def test_five_answers_without_data_open_the_breaker(operation: Operation) -> None:
    lab = Lab(lambda _: answered({"success": True}))
    for _ in range(5):
        with pytest.raises(TransientError):
            call(lab, operation)
    assert lab.state.breaker.state == "open"


def test_an_update_without_success_is_a_failure() -> None:
    with pytest.raises(TransientError):
        call(lab_with(answered({"success": False, "error": "x"})), "update")


@pytest.mark.parametrize("status", [413, 414, 422])
def test_a_search_term_that_is_refused_is_about_one_lead(status: int) -> None:
    lab = lab_with(answered({"error": "term"}, status))
    with pytest.raises(RejectedError):
        call(lab)
    assert lab.state.breaker.state == "closed"


def test_a_block_is_recognized_by_a_content_type_in_any_case() -> None:
    with pytest.raises(DeferredError):
        call(lab_with(HttpAnswer(403, "<html>", {"content-type": "Text/HTML"})), "update")


def test_a_call_that_waits_for_its_turn_waits_for_the_others_429_too() -> None:
    lab = Lab(lambda _: GOOD["search"])
    for _ in range(10):
        call(lab)
    held_until = NOW + timedelta(seconds=20)

    async def hold_meanwhile(seconds: float) -> None:
        lab.api.pace.hold(held_until)
        lab.time.now += timedelta(seconds=seconds)

    lab.api.sleep = hold_meanwhile
    call(lab, seconds=60)
    assert lab.http.sent[-1].at >= held_until


def test_a_lead_whose_turn_would_come_too_late_is_put_back_until_then() -> None:
    lab = Lab(lambda _: GOOD["search"])
    turn = NOW + timedelta(seconds=25)
    lab.api.pace.hold(turn)
    with pytest.raises(DeferredError) as put_back:
        call(lab, seconds=5)
    assert put_back.value.until == turn
    assert lab.time.pauses == []
