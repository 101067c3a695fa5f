import pytest

from services.archive.reading import read_event_line, visitor_ids_in


@pytest.mark.parametrize(
    ("line", "visitors"),
    [
        ('{"id":1,"visitor_id":"v"}', ["v"]),
        ('{"id": 1, "visitor_id": "v", "x": 1}', ["v"]),
        ('{"visitor_id":null,"event_data":"{\\"visitor_id\\":\\"w\\"}"}', []),
        ('{"event_data":{"visitor_id":"w"},"visitor_id":"v"}', ["w", "v"]),
        ("{}", []),
    ],
)
def test_the_visitor_of_a_line_is_read_without_the_rest(line: str, visitors: list[str]) -> None:
    assert visitor_ids_in(line) == visitors


def test_a_received_event_is_read_with_values_of_any_type() -> None:
    event = read_event_line(
        '{"id":1,"visitor_id":7,"form_data":{"email":"a@b.cd"},"page_url":null}'
    )
    assert (event["id"], event["visitor_id"]) == (1, "7")
    assert event["form_data"] == '{"email": "a@b.cd"}'
    assert event["page_url"] is event["page_title"] is None
