import pytest

from services.tracking.custom_events import (
    NAMELESS,
    CustomEvent,
    may_hold_lead,
    read_custom_event,
    read_event_name,
    read_event_type,
)

NEW = {"event_key": "fedcba9876543210"}


@pytest.mark.parametrize(
    ("fields", "event_type", "name"),
    [
        ({}, "pageview", None),
        ({"event_type": "form_submission"}, "form_submit", None),
        ({"event_type": "event", "event_name": "signup"}, "custom", "signup"),
        ({"event_type": "event"}, "custom", NAMELESS),
        (NEW | {"event_type": "event"}, "custom", None),
        ({"event_type": "click"}, "custom", "click"),
        (NEW | {"event_type": "click"}, "custom", "click"),
        ({"event_type": "<b>"}, "custom", "_b_"),
        (NEW | {"event_type": "<b>"}, None, None),
    ],
)
def test_a_key_tells_the_new_pixel_whose_names_are_checked(
    fields: dict[str, object], event_type: str | None, name: str | None
) -> None:
    assert read_event_type(fields) == event_type
    if event_type == "custom":
        assert read_event_name(fields) == name


@pytest.mark.parametrize(
    ("fields", "may"),
    [
        ({"event_type": "purchase"}, True),
        (NEW | {"event_type": "purchase"}, True),
        ({"event_type": "event"}, True),
        ({"event_type": "event", "event_name": "signup"}, False),
        (NEW | {"event_type": "event", "event_name": "signup"}, False),
    ],
)
def test_the_form_of_an_event_counts_unless_it_is_named_as_new_pixels_do(
    fields: dict[str, object], *, may: bool
) -> None:
    assert may_hold_lead(fields) is may


def test_an_event_has_its_name_and_data() -> None:
    fields = {"event_type": "event", "event_name": "cart", "event_data": {"items": 3}}
    assert read_custom_event(fields) == CustomEvent("cart", '{"items":3}')
