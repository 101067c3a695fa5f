"""The errors that services raise for a request."""

import pytest

from services.core.errors import (
    MAX_QUOTED_CHARACTERS,
    ConflictError,
    InvalidFieldsError,
    InvalidQueryError,
    NotFoundError,
    RefusedError,
    unknown_fields,
)


@pytest.mark.parametrize(
    ("error", "message", "details"),
    [
        (InvalidQueryError("by must be source"), "by must be source", []),
        (InvalidFieldsError(["a: is x", "b: is y"]), "Validation failed", ["a: is x", "b: is y"]),
        (NotFoundError("Pixel not found"), "Pixel not found", []),
        (
            ConflictError("The name is taken", "choose another"),
            "The name is taken",
            ["choose another"],
        ),
    ],
)
def test_every_error_has_a_message_and_details(
    error: RefusedError, message: str, details: list[str]
) -> None:
    assert (error.message, error.details) == (message, details)


def test_invalid_fields_are_a_text_of_all_details() -> None:
    assert str(InvalidFieldsError(["a: is x", "b: is y"])) == "a: is x; b: is y"


def test_unknown_fields_are_refused_with_the_known_ones() -> None:
    assert unknown_fields(["label"], ["label"]) == []
    assert unknown_fields(["x", "label"], ["label"]) == ["x: is unknown; there is label"]
    assert unknown_fields(["x"], ("a", "b")) == ["x: is unknown; there are a, b"]


def test_a_long_name_is_quoted_in_part() -> None:
    [detail] = unknown_fields(["x" * 1_000], ["a"])
    assert detail == f"{'x' * MAX_QUOTED_CHARACTERS}: is unknown; there is a"
