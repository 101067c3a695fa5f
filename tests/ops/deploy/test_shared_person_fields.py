"""Which projects preflight names because they write into the same fields of one account."""

from __future__ import annotations

import json

import pytest

from ops.deploy.project_checks import READ_ALIKE, ProjectRows, check_projects

UTM, CLICK, CITY = ("1" * 40, "2" * 40, "3" * 40)


def notes(*configurations: object, inactive: tuple[int, ...] = ()) -> list[str]:
    """What is named of projects P0, P1, … with these configurations."""
    rows = [
        {
            "id": f"p{number}",
            "name": f"P{number}",
            "active": number not in inactive,
            "configuration": None if configuration is None else json.dumps(configuration),
        }
        for number, configuration in enumerate(configurations)
    ]
    result = check_projects(ProjectRows(rows), shows_settings=False)
    assert result.verdict == "pass"
    return [note.partition(" write the same")[0] for note in result.reason.split("; ")]


def mapping(**fields: str) -> dict[str, object]:
    """A configuration with a field map."""
    return {"pipedrive_fields": fields}


def test_projects_with_the_common_map_share_its_fields() -> None:
    assert notes(None, {}) == ["P0 (p0), P1 (p1)"]


@pytest.mark.parametrize(
    "other",
    [
        {"pipedrive_enabled": False},
        {"pipedrive_account": "second"},
        mapping(utm_source=UTM),
        {"pipedrive_fields": {"utm_source": "none"}},
    ],
)
def test_a_project_of_its_own_is_not_named(other: object) -> None:
    assert notes({}, other) == [READ_ALIKE]


def test_an_inactive_project_writes_nothing() -> None:
    assert notes({}, {}, inactive=(1,)) == [READ_ALIKE]


def test_maps_are_compared_by_their_fields_within_an_account() -> None:
    maps = (
        mapping(utm_source=UTM, gclid=CLICK),
        mapping(utm_campaign=UTM),
        mapping(gclid=CLICK, city=CITY),
    )
    assert notes(*maps) == ["P0 (p0), P1 (p1)", "P0 (p0), P2 (p2)"]
    assert notes(maps[0], {**maps[1], "pipedrive_account": "second"}) == [READ_ALIKE]
    assert notes(mapping(utm_source=UTM), mapping(utm_source=CLICK)) == [READ_ALIKE]
    assert notes(maps[0], maps[0]) == ["P0 (p0), P1 (p1)"]


def test_many_projects_are_one_note() -> None:
    assert notes(*[{}] * 8) == ["P0 (p0), P1 (p1), P2 (p2), P3 (p3), P4 (p4) and 3 more"]
