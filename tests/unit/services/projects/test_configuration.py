import json

import pytest

from services.core.errors import InvalidFieldsError
from services.projects.configuration import (
    MAX_DOMAINS,
    PIXEL_SHAPE,
    PROJECT_SHAPE,
    merge,
    read_configuration,
    read_settings,
    stored_settings,
)
from tests.unit.memory import key

VALID_CONFIGURATION = {
    "pipedrive_enabled": False,
    "pipedrive_account": "acme",
    "pipedrive_fields": {"gclid": key(1)},
    "channel_rules": [
        {"source": "Radio Bavaria", "channel": "Audio"},
        {"source": "partner", "medium": "print", "channel": "Affiliates"},
    ],
    "allowed_domains": ["shop.example", "*.shop.example", "localhost", "xn--bcher-kva.example"],
    "retention_days": 3_650,
    "archive_days": 3_650,
    "hold_suspicious": True,
    "ip_anonymization": True,
    "respect_dnt": True,
    "session_minutes": 1_440,
}


def problem(**sent: object) -> str:
    with pytest.raises(InvalidFieldsError) as refused:
        merge({}, sent, PROJECT_SHAPE)
    [only] = refused.value.details
    return only


def test_every_known_name_may_be_set() -> None:
    assert set(VALID_CONFIGURATION) == set(PROJECT_SHAPE)
    assert merge({}, VALID_CONFIGURATION, PROJECT_SHAPE) == VALID_CONFIGURATION


def test_a_pixel_has_only_the_settings_of_a_website() -> None:
    pixel_configuration = {name: VALID_CONFIGURATION[name] for name in PIXEL_SHAPE}
    assert merge({}, pixel_configuration, PIXEL_SHAPE) == pixel_configuration
    with pytest.raises(InvalidFieldsError, match="of the project"):
        merge({}, {"retention_days": 7}, PIXEL_SHAPE)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("pipedrive_enabled", "false", "must be true or false"),
        ("pipedrive_enabled", 0, "must be true or false"),
        ("ip_anonymization", [], "must be true or false"),
        ("respect_dnt", "yes", "must be true or false"),
        ("retention_days", 0, "must be a whole number from 1 to 3650"),
        ("retention_days", True, "must be a whole number from 1 to 3650"),
        ("retention_days", 1.5, "must be a whole number from 1 to 3650"),
        ("session_minutes", "30", "must be a whole number from 1 to 1440"),
        ("session_minutes", 1_441, "must be a whole number from 1 to 1440"),
        ("pipedrive_account", "Acme", "must be the name of an account"),
        ("pipedrive_account", "x" * 33, "must be the name of an account"),
        ("pipedrive_fields", [], "must be a JSON object"),
        ("pipedrive_fields", {}, "must not be empty"),
        ("pipedrive_fields", {"colour": key(1)}, "colour is none of our values"),
        ("pipedrive_fields", {"gclid": "x"}, "gclid: a key has 40 digits"),
        ("allowed_domains", "shop.example", "must be a list of 1 to 100 host names"),
        ("allowed_domains", [], "null takes it away"),
        ("allowed_domains", ["a.example"] * (MAX_DOMAINS + 1), "must be a list of 1 to 100"),
        ("allowed_domains", [7], "7 is no host name"),
        ("channel_rules", {}, "must be a list of 1 to 50 rules"),
        ("channel_rules", [], "null takes it away"),
        ("channel_rules", ["x"], '"x" must have source or medium, or both, and channel'),
        ("channel_rules", [{"channel": "Email"}], "must have source or medium"),
        ("channel_rules", [{"source": "x"}], "must have source or medium"),
        ("channel_rules", [{"source": "x", "channel": "Email", "x": 1}], "must have source"),
        ("channel_rules", [{"source": "x", "channel": "email"}], "channel must be one of"),
        ("channel_rules", [{"source": "x", "channel": []}], "channel must be one of"),
        ("channel_rules", [{"source": " ", "channel": "Email"}], "must be texts of 1 to 100"),
        ("channel_rules", [{"source": 5, "channel": "Email"}], "must be texts of 1 to 100"),
    ],
)
def test_an_invalid_value_is_refused_with_the_allowed_ones(
    name: str, value: object, allowed: str
) -> None:
    refusal = problem(**{name: value})
    assert refusal.startswith(f"configuration.{name}: ")
    assert allowed in refusal


@pytest.mark.parametrize(
    "domain",
    [
        *("https://shop.example", "shop.example/a", "shop.example:443", "shop", "*", "*.", ""),
        *("a..example", "-a.example", "a.*.example", "bücher.example", " a.example", "a.example\n"),
        *(f"{'x' * 64}.example", "a." * 130 + "example"),
    ],
)
def test_a_domain_is_a_host_name_and_nothing_else(domain: str) -> None:
    assert "is no host name: write shop.example" in problem(allowed_domains=[domain])


def test_a_whole_number_may_be_written_with_a_point() -> None:
    merged = merge({"session_minutes": 30}, {"session_minutes": 30.0}, PIXEL_SHAPE)
    assert json.dumps(merged) == '{"session_minutes": 30}'


def test_domains_are_lower_case_and_unique() -> None:
    sent = {"allowed_domains": ["Shop.Example", "shop.example"]}
    assert merge({}, sent, PROJECT_SHAPE) == {"allowed_domains": ["shop.example"]}


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    assert problem(sesion_minutes=30) == (
        "configuration.sesion_minutes: is unknown; there are pipedrive_enabled, pipedrive_account,"
        " pipedrive_fields, hold_suspicious, retention_days, archive_days, channel_rules,"
        " allowed_domains,"
        " ip_anonymization, respect_dnt, session_minutes"
    )


def test_all_problems_are_listed_and_no_change_is_merged() -> None:
    with pytest.raises(InvalidFieldsError) as refused:
        merge({}, {"a": 1, "respect_dnt": 1, "retention_days": 7}, PROJECT_SHAPE)
    assert len(refused.value.details) == 2


@pytest.mark.parametrize("sent", ["{}", [], 7, True])
def test_what_is_no_object_is_refused(sent: object) -> None:
    with pytest.raises(InvalidFieldsError, match="configuration: must be a JSON object"):
        merge({}, sent, PROJECT_SHAPE)


def test_what_is_not_sent_stays_and_null_takes_away() -> None:
    stored = {"retention_days": 7, "respect_dnt": True, "zapier": {"a": [1]}}
    sent = {"retention_days": None, "session_minutes": 5, "ip_anonymization": None}
    assert merge(stored, sent, PROJECT_SHAPE) == {
        "respect_dnt": True,
        "zapier": {"a": [1]},
        "session_minutes": 5,
    }


def test_what_is_sent_as_it_is_stored_passes_whatever_it_is() -> None:
    stored = {"zapier": {"a": 1, "b": 2}, "pipedrive_enabled": "false", "nothing": None}
    sent = {"zapier": {"b": 2, "a": 1}, "pipedrive_enabled": "false", "nothing": None}
    assert merge(stored, sent, PROJECT_SHAPE) == stored


@pytest.mark.parametrize("other", [{"a": 2}, None, True])
def test_an_unknown_name_that_is_stored_cannot_be_changed(other: object) -> None:
    with pytest.raises(InvalidFieldsError, match="zapier: is unknown"):
        merge({"zapier": 1}, {"zapier": other}, PROJECT_SHAPE)


def test_one_is_not_true() -> None:
    assert merge({"respect_dnt": 1}, {"respect_dnt": True}, PROJECT_SHAPE)["respect_dnt"] is True


@pytest.mark.parametrize(
    "text", [None, "", " ", "{", "[]", "null", '{"a": NaN}', '{"a": 1e999}', "[" * 600]
)
def test_a_stored_text_that_is_no_object_says_nothing(text: str | None) -> None:
    assert read_configuration(text) == {}


def test_a_stored_object_is_read_as_it_is() -> None:
    assert read_configuration('{"zapier": {"a": [1, null]}}') == {"zapier": {"a": [1, None]}}


def test_the_settings_of_jobs_are_stored_apart_and_shown_among_the_others() -> None:
    settings = {"respect_dnt": True, "retention_days": 30, "archive_days": 60}
    stored = stored_settings(settings)
    assert stored == {"respect_dnt": True, "jobs": {"retention_days": 30, "archive_days": 60}}
    assert read_settings(json.dumps(stored)) == settings


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ({"retention_days": 180}, {"legacy": {"retention_days": 180}}),
        ({"legacy": {"a": 1}}, {"legacy": {"a": 1}}),
        ({"legacy": {"a": 1}, "archive_days": 3}, {"legacy": {"a": 1, "archive_days": 3}}),
        ({"legacy": "text"}, {"legacy": "text"}),
        ({"jobs": "text"}, {}),
        ({"jobs": {"retention_days": 3, "other": 1}}, {"retention_days": 3}),
        (
            {"jobs": {"retention_days": 3}, "retention_days": 180},
            {"retention_days": 3, "legacy": {"retention_days": 180}},
        ),
    ],
)
def test_what_the_old_worker_wrote_is_shown_as_its_own(
    stored: dict[str, object], shown: dict[str, object]
) -> None:
    assert read_settings(json.dumps(stored)) == shown
