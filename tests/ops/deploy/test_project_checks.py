"""What preflight names of projects and pixels that the JavaScript Worker left."""

from __future__ import annotations

import sqlite3

import pytest

from ops.deploy.project_checks import (
    MAX_NOTES,
    READ_ALIKE,
    READ_PIXELS,
    READ_PROJECTS,
    ProjectRows,
    check_projects,
)

PROJECT = {"id": "p1", "name": "Shop", "active": 1, "configuration": "{}"}
PIXEL = {
    "id": "shop-pixel",
    "name": "web",
    "active": 1,
    "configuration": "{}",
    "project_id": "p1",
    "has_no_project": 0,
    "project": "Shop",
    "project_is_active": 1,
}


def reason_of_project(configuration: str | None, *, shows_settings: bool = False) -> str:
    rows = ProjectRows([PROJECT | {"configuration": configuration}])
    result = check_projects(rows, shows_settings=shows_settings)
    assert result.verdict == "pass"
    return result.reason


def reason_of_pixel(**fields: object) -> str:
    return check_projects(ProjectRows([], [PIXEL | fields]), shows_settings=False).reason


@pytest.mark.parametrize("text", ["0", '"false"', '"0"', '"FALSE"'])
def test_a_project_whose_leads_only_the_old_worker_sends_is_named(text: str) -> None:
    reason = reason_of_project(f'{{"pipedrive_enabled": {text}}}')
    assert reason == (
        f"Shop (p1): pipedrive_enabled is {text}, not false: "
        "the JavaScript Worker sends its leads, this one sends none"
    )


@pytest.mark.parametrize("text", ["null", "1", '"no"', "{}"])
def test_another_value_is_named_with_its_meaning(text: str) -> None:
    reason = reason_of_project(f'{{"pipedrive_enabled": {text}}}')
    assert reason == f"Shop (p1): pipedrive_enabled is {text}, no true or false: its leads are sent"


def test_a_value_that_may_be_a_secret_is_not_shown() -> None:
    assert "a long value" in reason_of_project(
        '{"pipedrive_enabled": "0123456789abcdef0123456789"}'
    )


@pytest.mark.parametrize("text", ["broken", "[1]", '"text"', "{", "NaN", '{"a": NaN}'])
def test_a_configuration_that_is_no_object_is_named(text: str) -> None:
    assert (
        reason_of_project(text)
        == "Shop (p1): its configuration is no JSON object and counts as empty"
    )
    assert "the pixel web (shop-pixel): its configuration" in reason_of_pixel(configuration=text)


@pytest.mark.parametrize(
    "text", [None, "", " ", "{}", " {} ", '{"pipedrive_enabled": false}', '{"colour": "red"}']
)
def test_what_both_read_alike_is_not_named(text: str | None) -> None:
    assert reason_of_project(text) == READ_ALIKE
    assert reason_of_pixel(configuration=text) == READ_ALIKE


def test_active_pixels_of_a_project_that_is_switched_off_are_named() -> None:
    pixels = [
        PIXEL | {"id": f"shop-pixel-{number}", "project_is_active": 0, "active": number != 2}
        for number in range(3)
    ]
    assert check_projects(ProjectRows([], pixels), shows_settings=False).reason == (
        "Shop is switched off and its pixels web (shop-pixel-0), web (shop-pixel-1) are not: "
        "their events are refused here"
    )


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        (
            {"has_no_project": 1, "project": None, "project_is_active": None},
            "the pixel web (shop-pixel) has no project: its events are refused here",
        ),
        ({"id": "x1"}, "its image stores nothing here"),
        ({"active": None}, "active is null, which counts as switched off"),
        ({"active": 2}, "active is 2, which counts as active"),
        ({"id": "x1", "name": None, "active": "yes"}, "the pixel without a name (x1): active is"),
    ],
)
def test_an_odd_pixel_is_named(fields: dict[str, object], note: str) -> None:
    assert note in reason_of_pixel(**fields)


def test_settings_in_force_are_named_where_a_worker_is_replaced() -> None:
    text = '{"allowed_domains": ["a.example"], "legacy": {"respect_dnt": true}, "colour": "red"}'
    assert reason_of_project(text) == READ_ALIKE
    expected = "Shop (p1): allowed_domains will be obeyed here"
    assert reason_of_project(text, shows_settings=True) == expected


def test_of_many_the_first_are_named() -> None:
    rows = ProjectRows([PROJECT | {"active": 0, "configuration": "[]"}] * (MAX_NOTES + 3))
    assert check_projects(rows, shows_settings=False).reason.endswith("; and 3 more")


def test_the_tables_of_the_old_worker_have_what_is_read() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE projects (id, name, webhook_url, configuration, active)")
    database.execute("CREATE TABLE pixels (id, project_id, name, configuration, active)")
    database.execute("INSERT INTO pixels VALUES ('orphaned', 'none', 'web', '{}', 1)")
    assert database.execute(READ_PROJECTS).fetchall() == []
    [row] = database.execute(READ_PIXELS).fetchall()
    assert row == ("orphaned", "web", 1, "{}", "none", 1, None, None)
