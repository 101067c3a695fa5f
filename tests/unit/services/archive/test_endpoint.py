import asyncio
import json
from collections.abc import Sequence

import pytest

from services.archive.endpoint import ArchiveEndpoint, EndpointError, endpoint_body
from services.archive.parts import EventsPart
from services.core.cursors import EventPosition
from services.core.ports import NetworkError
from tests.unit.memory import MemoryHttp, Reply, Time, answered, scripted

PART = EventsPart(
    "shop",
    "2026-05-01",
    [EventPosition("2026-05-01 06:00:00", number) for number in (7, 3, 9)],
    [json.dumps({"id": number}) for number in (7, 3, 9)],
)
SILENT = NetworkError("no answer within 10 seconds")


def send(*replies: Reply) -> tuple[set[int], MemoryHttp, Sequence[float]]:
    time = Time()
    http = MemoryHttp(time, scripted(replies))
    endpoint = ArchiveEndpoint("https://a.example/x", "k", 10, 1_000, http, time.sleep)
    return asyncio.run(endpoint.send(PART)), http, time.pauses


def acknowledging(*ids: object) -> Reply:
    return answered({"success": True, "data": {"acknowledged": ids}})


def test_a_part_is_posted_whole_with_the_key() -> None:
    ids, http, pauses = send(acknowledging(7, 3, 9))
    [sent] = http.sent
    assert (sent.method, sent.url, sent.seconds) == ("POST", "https://a.example/x", 10)
    assert sent.headers["authorization"] == "Bearer k"
    assert sent.body
    assert json.loads(sent.body)["events"] == [{"id": 7}, {"id": 3}, {"id": 9}]
    assert (ids, pauses) == ({7, 3, 9}, [])


def test_only_ids_that_were_sent_are_acknowledged() -> None:
    assert send(acknowledging(3, 4, "7", None, 9.5))[0] == {3}


def test_silence_and_errors_of_the_server_are_tried_again_with_longer_pauses() -> None:
    ids, http, pauses = send(SILENT, answered({}, 503), acknowledging(9))
    assert (ids, len(http.sent), pauses) == ({9}, 3, [1, 2])


def test_after_three_tries_the_part_is_given_up() -> None:
    with pytest.raises(EndpointError, match="3 times: no answer within 10 seconds") as error:
        send(answered({}, 429), SILENT, SILENT)
    assert "a.example" not in str(error.value)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 413])
def test_a_permanent_refusal_is_not_retried(status: int) -> None:
    with pytest.raises(EndpointError, match=f"answered {status}"):
        send(answered({}, status))


@pytest.mark.parametrize(
    "content", [None, [], "ok", {}, {"data": None}, {"data": []}, {"data": {"acknowledged": 7}}]
)
def test_an_answer_without_a_list_is_no_acknowledgement(content: object) -> None:
    with pytest.raises(EndpointError, match=r"without a list data\.acknowledged"):
        send(answered(content))


def test_the_body_is_json_with_a_description_of_the_part() -> None:
    body = json.loads(endpoint_body(PART))
    assert (body["batch"], body["count"]) == (PART.name, 3)
    assert (body["first_id"], body["last_id"], body["sha256"]) == (7, 9, PART.sha256)
