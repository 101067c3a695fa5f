import pytest

from services.pipedrive.destinations import (
    Destination,
    NoDestinationError,
    SwitchedOffError,
    destination_of,
    is_switched_off,
)
from tests.unit.memory import key

ACCOUNTS = frozenset(("default", "acme"))
MAP = {"gclid": key(1)}
OWN_MAP = {"city": key(2)}


def destination(**configuration: object) -> Destination:
    return destination_of("project-1", configuration, ACCOUNTS, MAP)


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_configuration_means_the_default_map_and_account(
    empty: object,
) -> None:
    expected = Destination("default", "default", MAP)
    assert destination() == expected
    assert destination(pipedrive_account=empty, pipedrive_fields=None) == expected


def test_a_project_may_choose_an_account() -> None:
    assert destination(pipedrive_account="acme") == Destination("acme", "acme", MAP)


def test_a_project_with_a_map_of_its_own_is_a_destination_of_its_own() -> None:
    assert destination(pipedrive_fields=OWN_MAP) == Destination(
        "default/project-1", "default", OWN_MAP
    )
    assert destination(pipedrive_account="acme", pipedrive_fields=OWN_MAP) == Destination(
        "acme/project-1", "acme", OWN_MAP
    )


def test_a_map_of_its_own_needs_no_default_one() -> None:
    configuration = {"pipedrive_fields": OWN_MAP}
    assert destination_of("project-1", configuration, ACCOUNTS, None).fields == OWN_MAP


@pytest.mark.parametrize(
    ("enabled", "off"),
    [
        *((False, True), ("false", True), ("FALSE", True), (0, True), ("0", True)),
        *((True, False), ("true", False), (1, False), (None, False), ("", False), ([], False)),
    ],
)
def test_only_a_clear_no_switches_a_project_off(enabled: object, *, off: bool) -> None:
    assert is_switched_off(enabled) == off
    if off:
        with pytest.raises(SwitchedOffError):
            destination(pipedrive_enabled=enabled, pipedrive_account="nobody")
    else:
        assert destination(pipedrive_enabled=enabled).account == "default"


@pytest.mark.parametrize("account", ["nobody", "ACME", 5, ["acme"], {"a": 1}, True])
def test_a_missing_account_is_named(account: object) -> None:
    with pytest.raises(NoDestinationError) as refused:
        destination(pipedrive_account=account)
    assert str(refused.value) == f"no Pipedrive account is called {account}"


def test_a_long_name_is_truncated() -> None:
    with pytest.raises(NoDestinationError, match=r" called x{40}$"):
        destination(pipedrive_account="x" * 99)


def test_without_any_account_there_is_no_destination() -> None:
    with pytest.raises(NoDestinationError, match="called default"):
        destination_of("project-1", {}, (), MAP)


def test_without_any_map_there_is_no_destination() -> None:
    with pytest.raises(NoDestinationError, match=r"^PIPEDRIVE_FIELDS is not set$"):
        destination_of("project-1", {}, ACCOUNTS, None)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({}, "must not be empty"),
        ([], "must be a JSON object"),
        ("{}", "must be a JSON object"),
        (False, "must be a JSON object"),
        ({"gclid": "x"}, "gclid: a key has 40 digits from 0-9 and a-f"),
    ],
)
def test_a_wrong_map_of_a_project_is_no_reason_to_use_the_default_one(
    fields: object, problem: str
) -> None:
    with pytest.raises(NoDestinationError) as refused:
        destination(pipedrive_fields=fields)
    assert str(refused.value) == f"the project's pipedrive_fields: {problem}"


def test_the_reason_has_a_length_that_can_be_stored() -> None:
    with pytest.raises(NoDestinationError) as refused:
        destination(pipedrive_fields={f"unknown_{number}": "" for number in range(100)})
    assert len(str(refused.value)) == 300
