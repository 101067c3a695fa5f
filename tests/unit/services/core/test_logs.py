import json
from collections.abc import Callable

import pytest

from services.core.logs import LEVELS, Level, Log, error_location
from services.core.text import read_json


def lines_of(log: Log, capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    """What the log writes when every level says something."""
    log.debug("cost", rows=7)
    log.info("stored", event_id="e1")
    log.warning("slow")
    log.error("failed", where="here")
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_is_one_json_object_with_level_event_and_request_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Log("info", "req-1").info("event_stored", event_id="e1", touch=None)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert out.endswith("\n")
    assert json.loads(out) == {
        "level": "info",
        "event": "event_stored",
        "request_id": "req-1",
        "event_id": "e1",
        "touch": None,
    }


def test_a_value_with_line_breaks_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    Log("info", "req-1").info("refused", reason='one\ntwo\r\u2028\x1b "three" \ud83d')
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert out.isascii()
    assert json.loads(out)["reason"] == 'one\ntwo\r\u2028\x1b "three" \ud83d'


@pytest.mark.parametrize("level", LEVELS)
def test_only_lines_at_or_above_the_level_are_written(
    level: Level, capsys: pytest.CaptureFixture[str]
) -> None:
    written = [line["level"] for line in lines_of(Log(level, "req-1"), capsys)]
    assert written == list(LEVELS[LEVELS.index(level) :])


@pytest.mark.parametrize("level", LEVELS)
def test_a_log_says_which_levels_it_wants(level: Level, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(level, "req-1")
    written = {line["level"] for line in lines_of(log, capsys)}
    assert {wanted for wanted in LEVELS if log.wants(wanted)} == written


def test_every_line_carries_the_request_id(capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(Log("debug", "8c1f"), capsys)
    assert [line["request_id"] for line in lines] == ["8c1f"] * 4


def test_nothing_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    Log("debug", "req-1").error("failed")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("level", LEVELS)
def test_the_summary_of_a_cron_run_is_written_at_every_level(
    level: Level, capsys: pytest.CaptureFixture[str]
) -> None:
    Log(level, "req-1").summary("cron_run", jobs={"sync": "done"})
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["event"], line["jobs"]) == ("info", "cron_run", {"sync": "done"})


def raised(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001  # whatever it raises
        return error
    raise AssertionError("nothing was raised")


def test_an_error_of_the_standard_library_is_located_in_our_code() -> None:
    location = error_location(raised(lambda: read_json("{")))
    assert location["error"] == "JSONDecodeError"
    file, _, line = location["where"].rpartition(":")
    assert file.endswith("src/services/core/text.py")
    assert int(line) > 0


def test_an_error_outside_our_code_is_located_where_it_arose() -> None:
    location = error_location(raised(lambda: json.loads("{")))
    assert "/json/" in location["where"]


def test_an_error_that_was_not_raised_has_no_location() -> None:
    assert error_location(ValueError("x")) == {"error": "ValueError", "where": "?"}
