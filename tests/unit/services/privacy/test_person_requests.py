import pytest

from services.privacy.export import ExportPosition
from services.privacy.person_requests import PrivacyCursor, parse_privacy_cursor


@pytest.mark.parametrize("text", ["", "~sessions~x", "r~nowhere~x", "r~sessions", "~"])
def test_another_text_is_no_cursor(text: str) -> None:
    assert parse_privacy_cursor(text) is None


@pytest.mark.parametrize(
    "cursor",
    [
        PrivacyCursor("r"),
        PrivacyCursor("r", ExportPosition("sessions", "a")),
        PrivacyCursor("r", ExportPosition("archived_events", "a/~/b")),
    ],
)
def test_a_cursor_is_read_as_it_was_sent(cursor: PrivacyCursor) -> None:
    assert parse_privacy_cursor(str(cursor)) == cursor
