"""What a person has to know of projects and pixels before a deployment.

Most are rows that this Worker reads in another way than the JavaScript one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ops.cloudflare.database import Database
from ops.cloudflare.target import Target
from ops.deploy.check_result import CheckResult, passed
from ops.deploy.shared_person_fields import shared_field_notes
from services.pipedrive.destinations import is_switched_off
from services.projects.configuration import PROJECT_SHAPE, read_configuration

# All that they read is in the database of the old Worker too.
TABLES = ("projects", "pixels")
READ_PROJECTS = "SELECT id, name, active, configuration FROM projects ORDER BY name, id"
READ_PIXELS = """
SELECT
  pixels.id, pixels.name, pixels.active, pixels.configuration, pixels.project_id,
  projects.id IS NULL AS has_no_project, projects.name AS project,
  projects.active AS project_is_active
FROM pixels LEFT JOIN projects ON projects.id = pixels.project_id
ORDER BY projects.name, pixels.name, pixels.id
"""
READ_ALIKE = "every project and pixel is read as it was by the JavaScript Worker"
MAX_NOTES = 20
MAX_QUOTED_CHARACTERS = 20
OBEYED_NAME = "pipedrive_enabled"
# Other pixels the old Worker took by image only.
_PIXEL_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProjectRows:
    """The rows of both tables; a pixel's has what matters of its project."""

    projects: Sequence[Row] = ()
    pixels: Sequence[Row] = ()


def read_project_rows(target: Target) -> ProjectRows:
    """Read all projects and pixels, active or not."""
    projects, pixels = Database(target).ask(READ_PROJECTS, READ_PIXELS)
    return ProjectRows(projects, pixels)


def check_projects(rows: ProjectRows, *, shows_settings: bool) -> CheckResult:
    """Name what a person has to know before the change; nothing of it forbids a deployment.

    `shows_settings`: also the settings that are in force. After a rollback the JavaScript Worker
    and its scripts may have written them.
    """
    notes = [
        *(note for project in rows.projects for note in _project_notes(project)),
        *_refused_pixels(rows.pixels),
        *(note for pixel in rows.pixels for note in _pixel_notes(pixel)),
        *shared_field_notes(rows.projects),
    ]
    if shows_settings:
        notes += [note for row in (*rows.projects, *rows.pixels) for note in _settings_notes(row)]
    surplus = len(notes) - MAX_NOTES
    return passed(
        "; ".join([*notes[:MAX_NOTES], *([f"and {surplus} more"] if surplus > 0 else [])])
        or READ_ALIKE
    )


def _project_notes(project: Row) -> Iterator[str]:
    name = _name_of(project)
    yield from _shape_notes(name, project)
    content = read_configuration(project["configuration"])
    value = content.get(OBEYED_NAME, True)
    if isinstance(value, bool):
        return
    if is_switched_off(value):
        yield (
            f"{name}: {OBEYED_NAME} is {_quoted(value)}, not false: "
            "the JavaScript Worker sends its leads, this one sends none"
        )
    else:
        yield f"{name}: {OBEYED_NAME} is {_quoted(value)}, no true or false: its leads are sent"


def _refused_pixels(pixels: Sequence[Row]) -> Iterator[str]:
    """Active pixels of inactive projects, project by project: the old Worker asked the pixel."""
    refused: dict[str, list[str]] = {}
    for pixel in pixels:
        if not pixel["active"] or pixel["project_is_active"]:
            continue
        if pixel["has_no_project"]:
            yield f"the pixel {_name_of(pixel)} has no project: its events are refused here"
        else:
            refused.setdefault(str(pixel["project"]), []).append(_name_of(pixel))
    for project, names in refused.items():
        yield (
            f"{project} is switched off and its pixels {', '.join(names)} are not: "
            "their events are refused here"
        )


def _pixel_notes(pixel: Row) -> Iterator[str]:
    yield from _shape_notes(f"the pixel {_name_of(pixel)}", pixel)
    if pixel["active"] and not _PIXEL_ID.fullmatch(str(pixel["id"])):
        yield (
            f"the pixel {_name_of(pixel)}: its id is not of 8 to 64 letters, digits, - or _: "
            "its image stores nothing here"
        )


def _shape_notes(name: str, row: Row) -> Iterator[str]:
    text = row["configuration"]
    if text and text.strip() and not _is_object(text):
        yield f"{name}: its configuration is no JSON object and counts as empty"
    if row["active"] not in (0, 1):
        state = "active" if row["active"] else "switched off"
        yield f"{name}: active is {_quoted(row['active'])}, which counts as {state}"


def _settings_notes(row: Row) -> Iterator[str]:
    content = read_configuration(row["configuration"])
    names = [name for name in content if name in PROJECT_SHAPE and name != OBEYED_NAME]
    if names:
        yield f"{_name_of(row)}: {', '.join(names)} will be obeyed here"


def _is_object(text: str) -> bool:
    return text.strip() == "{}" or bool(read_configuration(text))


def _name_of(row: Row) -> str:
    return f"{row['name'] or 'without a name'} ({row['id']})"


def _quoted(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= MAX_QUOTED_CHARACTERS else "a long value"
